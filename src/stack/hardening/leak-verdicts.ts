import { createHmac, hash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { revealSecret } from "../../shared/index.ts";
import { stackFolders } from "../folders.ts";
import { createContractGate, gateOptions } from "./leak-gate.ts";
import type { ContractGateOptions } from "./leak-gate.ts";
import { foreignForm } from "../releases/same-forms.ts";
import type { FileForms } from "../releases/same-forms.ts";
import { buildKeyFile } from "../vault/build-key.ts";

/** Files in which a gate found nothing, by their paths and contents, from one build to the next. */
export interface LeakVerdicts {
  /**
   * Whether a gate without exceptions finds nothing in a file whose forms hold the same: it is asked, unless that is known.
   *
   * @param sha256 of the bytes of all its forms, hexadecimal, as they were computed here
   */
  isClean(
    file: { readonly path: string; readonly bytes: Uint8Array; readonly forms?: FileForms },
    sha256: string,
  ): boolean;
  /** Keeps what was asked for, and nothing else. */
  save(): void;
}

/**
 * Opens what is known of a site's files. It holds for one gate: other values, names, folders or code of the gate, and nothing is
 * known. It is under an HMAC with the release key, or where that is in the vault one of its own, so that who can't sign releases can neither vouch for a file nor test guesses of a value
 * (decision 049); undefined where that key is not.
 *
 * Where the gate finds something, an exception may admit it today and not tomorrow: such a file is looked at in each build.
 *
 * @param code names the gate's code, whose rules may be others the next time
 */
export function openVerdicts(
  options: ContractGateOptions,
  code: readonly string[] = codeOfGate(),
): LeakVerdicts | undefined {
  const folders = stackFolders(options.root);
  const { cache } = folders;
  const file = join(cache, "leaks.verdicts");
  const key = readIfThere(buildKeyFile(folders));
  if (key === undefined) return undefined;
  const gateName = nameGate(options, key, code);
  const known = read(file, gateName, key);
  const clean = new Set<string>();
  const { contract } = options;
  const gate = createContractGate(
    contract === undefined
      ? options
      : { ...options, contract: { ...contract, leaks: { ...contract.leaks, allow: [] } } },
  );
  return {
    isClean({ path, bytes, forms = {} }, sha256) {
      const name = hash("sha256", JSON.stringify([path, sha256]));
      const isClean =
        known.has(name) ||
        (foreignForm({ ...forms, identity: bytes }) === undefined &&
          gate.inspect({ path, bytes }).length === 0);
      if (isClean) clean.add(name);
      return isClean;
    },
    save() {
      gate.finish();
      if (clean.size === known.size && [...clean].every((name) => known.has(name))) return;
      const body = [gateName, ...clean].join("\n");
      const part = `${file}.${process.pid}.part`;
      try {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
        writeFileSync(part, `${macOf(key, body)}\n${body}`, { mode: 0o600 });
        renameSync(part, file);
      } catch {
        // Without it, the next build looks at every file.
      }
    },
  };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

function read(file: string, gateName: string, key: Uint8Array): ReadonlySet<string> {
  const text = readIfThere(file)?.toString("latin1") ?? "";
  const end = text.indexOf("\n");
  const body = text.slice(end + 1);
  if (end < 0 || text.slice(0, end) !== macOf(key, body)) return new Set();
  const [name, ...clean] = body.split("\n");
  return new Set(name === gateName ? clean : []);
}

const macOf = (key: Uint8Array, body: string): string =>
  createHmac("sha256", key).update("leak verdicts\n").update(body).digest("hex");

/** Names all that decides what a gate without exceptions finds, and tells none of it to whoever lacks the key. */
function nameGate(options: ContractGateOptions, key: Uint8Array, code: readonly string[]): string {
  const { values, fingerprints, allow: _allow, ...rest } = gateOptions(options);
  const revealed = Array.from(values, ({ value, ...named }) => [named, revealSecret(value)]);
  return createHmac("sha256", key)
    .update("leak gate\n")
    .update(JSON.stringify([process.versions, code, rest, revealed, fingerprints?.of.versions]))
    .digest("hex");
}

const rooms = join(import.meta.dirname, "../..");

/** The code of the gate where somebody works on it. What was installed changes with its version alone: its package.json is written anew. */
function codeOfGate(): string[] {
  const isInstalled = rooms.split(sep).includes("node_modules");
  const files = isInstalled
    ? [join(rooms, "..", "package.json")]
    : ["harden", "contract", "shared", "stack"].flatMap(sourcesOf);
  return files.map((file) => {
    const { size, mtimeMs, ctimeMs, ino } = statSync(file);
    return `${file} ${size} ${mtimeMs} ${ctimeMs} ${ino}`;
  });
}

function sourcesOf(name: string): string[] {
  return readdirSync(join(rooms, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[jt]sx?$/.test(entry.name) && !entry.name.includes(".test."))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
