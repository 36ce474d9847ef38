import { hash } from "node:crypto";
import { realpathSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { decodeRelease, guardedValues } from "../../contract/index.ts";
import type { Contract, Variables } from "../../contract/index.ts";
import type { ValueFingerprints } from "../../harden/fingerprints.ts";
import { createLeakGate } from "../../harden/index.ts";
import type {
  HardenErrorCode,
  LeakGate,
  LeakGateOptions,
  LeakHit,
  PrivateValue,
} from "../../harden/index.ts";
import { unpack } from "../../harden/node.ts";
import { CurtainwallError, Secret } from "../../shared/index.ts";
import type { LeakVerdicts } from "./leak-verdicts.ts";
import { assertSameForms } from "../releases/same-forms.ts";
import type { FileForms } from "../releases/same-forms.ts";

/** Options of {@link createContractGate}. */
export interface ContractGateOptions {
  /** Undefined: a folder that no contract describes. */
  contract: Pick<Contract, "environment" | "leaks"> | undefined;
  /** The folder that it was built in. */
  root: string;
  /** The build's environment. */
  variables: Variables;
  /** What the vault's values are recognised by. Undefined: there is no vault. */
  fingerprints?: ValueFingerprints | undefined;
}

const nothing: Pick<Contract, "environment" | "leaks"> = {
  environment: { public: new Map(), private: new Map() },
  leaks: { allow: [], publicSourceMaps: [], canaries: [] },
};

/** Makes the leak gate for what a machine built: with the values, the exceptions and the public names of the contract. */
export function createContractGate(options: ContractGateOptions): LeakGate {
  return createLeakGate({ unpack, ...gateOptions(options) });
}

/** All that decides what a contract's gate finds, besides its code. */
export function gateOptions({
  contract = nothing,
  root,
  variables,
  fingerprints,
}: ContractGateOptions): Omit<LeakGateOptions, "unpack"> & Required<Pick<LeakGateOptions, "values">> {
  const { environment, leaks } = contract;
  const here = [root, process.cwd(), homedir()].map((folder) => resolve(folder));
  return {
    values: [...guardedValues({ environment }, variables), ...leaks.canaries.map(canaryValue)],
    ...(fingerprints === undefined ? {} : { fingerprints: { of: fingerprints, sha256 } }),
    ...(environment.public.size > 0 ? { publicNames: [...environment.public.keys()] } : {}),
    buildRoots: [...here, ...here.map(realPath), join(tmpdir(), "curtainwall-")],
    publicSourceMaps: leaks.publicSourceMaps,
    allow: leaks.allow,
  };
}

/** What nobody may read is on no page either. */
const canaryValue = (text: string, index: number): PrivateValue => ({
  name: `leaks.canaries[${index}]`,
  value: new Secret(text),
  rule: "canary",
});

const sha256 = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/** Hits that one error tells; the rest are counted. */
const maxTold = 20;

/**
 * Ends a build that would publish what must not leave.
 *
 * @throws {CurtainwallError} `HARDEN_LEAK_FOUND` with every place, and no value
 */
export function assertNoLeaks(found: readonly LeakHit[]): void {
  const hits = found.filter(({ level }) => level === "hit");
  if (hits.length === 0) return;
  const lines = hits.slice(0, maxTold).map((hit) => `${describeHit(hit)}\n    ${hit.hint}`);
  const rest = hits.length > maxTold ? `\n  and ${hits.length - maxTold} more` : "";
  const code: HardenErrorCode = "HARDEN_LEAK_FOUND";
  throw new CurtainwallError(
    code,
    `${hits.length === 1 ? "Something" : `${hits.length} things`} that must not leave would be published.\n  ${lines.join("\n  ")}${rest}`,
    {
      hint: `A hit that is none needs an exception:  leaks: { allow: [{ rule: "${hits[0]?.rule}", path: "…", reason: "…", expires: "…" }] }`,
    },
  );
}

/**
 * Sends a release through the gate: every file once, as its compressed forms are held to expand to the same, and what its manifest tells
 * visitors: headers and redirects.
 *
 * @returns what is no hit, and worth knowing
 * @throws {CurtainwallError} `HARDEN_LEAK_FOUND`, `STACK_BUILD_FAILED`
 */
export async function assertReleaseKeepsSecrets(
  pack: Uint8Array,
  gate: LeakGate,
  verdicts?: LeakVerdicts,
): Promise<readonly LeakHit[]> {
  const { hits } = await inspectRelease(pack, gate, verdicts);
  assertNoLeaks(hits);
  verdicts?.save();
  return hits;
}

/** What the gate says of a release: see {@link assertReleaseKeepsSecrets}. */
export async function inspectRelease(
  pack: Uint8Array,
  gate: LeakGate,
  verdicts?: LeakVerdicts,
): Promise<{ readonly files: number; readonly hits: readonly LeakHit[] }> {
  const { manifest, body } = await decodeRelease(pack, (bytes) => hash("sha256", bytes, "buffer"));
  const hits = manifest.files.flatMap(({ path, variants }) => {
    const forms = Object.fromEntries(
      variants.map(({ encoding, offset, length }) => [encoding, body.subarray(offset, offset + length)]),
    ) as FileForms;
    if (forms.identity === undefined) return [];
    const file = { path: fileOf(path), bytes: forms.identity, forms };
    if (verdicts?.isClean(file, variants.map(({ sha256 }) => sha256).join()) === true) return [];
    assertSameForms(path, forms);
    return gate.inspect(file);
  });
  const headers = new Set(manifest.files.map((file) => file.headers));
  const told = JSON.stringify({ headers: [...headers], redirects: manifest.redirects });
  hits.push(...gate.inspect({ path: "headers and redirects", bytes: new TextEncoder().encode(told) }));
  return { files: manifest.files.length, hits: [...hits, ...gate.finish()] };
}

/** `/` and `/about/` are files too. */
export const fileOf = (path: string): string => path.replace(/^\//, "").replace(/(^|\/)$/, "$1index.html");

/** `index.html:12:3 token-stripe: a Stripe live key, in base64 (sk_…9z)` */
export function describeHit(hit: LeakHit): string {
  const { path, member, line, column, rule, message, encodings, excerpt, occurrences } = hit;
  const file = member === undefined ? path : `${path}!${member}`;
  const ways = encodings.length === 0 ? "" : `, in ${encodings.join(", in it ")}`;
  const times = occurrences > 1 ? `, ${occurrences} times` : "";
  return `${plain(file)}:${line}:${column} ${rule}: ${message}${ways}${times}${excerpt === "" ? "" : ` (${excerpt})`}`;
}

/** File names are foreign too: nothing in them may steer a terminal. */
const plain = (text: string): string => text.replaceAll(/[^\P{C}]/gu, "·");
