import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  contractDigest,
  openEnvelope,
  outsideProgram,
  parseProgram,
  parseSignatures,
  programOf,
  signEnvelope,
} from "../../contract/index.ts";
import type { EnvelopeSigner, Program, ReleaseIndex, ReleaseKeys } from "../../contract/index.ts";
import type { SignedProgram } from "../../release/index.ts";
import { openReleaseStore, writeWhole } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";
import { stackFolders } from "../folders.ts";
import type { StackFolders } from "../folders.ts";
import { functionDigests, writeDigests } from "../functions/accepted-bundles.ts";
import { openBundleStore } from "../functions/bundle-store.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import type { SiteKeys } from "./release-keys.ts";

/** A program that was signed, and what it says. */
export type OpenedProgram = SignedProgram & { program: Program };

/** The program that a release needs: what its pages permit, under the contract as it is. */
export async function neededProgram(
  { contract, root }: Pick<LoadedContract, "contract" | "root">,
  { manifest }: Pick<ReleaseIndex, "manifest">,
): Promise<Program> {
  const site = contract.origin;
  return programOf(manifest, {
    site,
    contract: await contractDigest(contract),
    sources: sourcesOf(contract, root),
    functions: builtFunctions(contract, root),
  });
}

/**
 * The signed program that a release lies in: with development keys one made for it; else the developer's, or the one that the same
 * content was published under before.
 *
 * @throws {CurtainwallError} `STACK_PROGRAM_UNSIGNED`
 */
export async function findProgram(
  index: Pick<ReleaseIndex, "manifest" | "digest">,
  needed: Program,
  keys: SiteKeys,
  folders: StackFolders,
): Promise<SignedProgram> {
  if (keys.programSigner !== undefined) return signProgram(needed, keys.programSigner);
  const signed = await readSignedProgram(folders, keys.pinned);
  for (const candidate of [signed, ...(await formerPrograms(index.digest, keys.pinned, folders))]) {
    if (candidate !== undefined && missingFrom(candidate.program, needed, index).length === 0)
      return candidate;
  }
  writeWhole(folders.pendingProgramFile, Buffer.from(index.digest), 0o644);
  const missing =
    signed === undefined ? ["no program was signed yet"] : missingFrom(signed.program, needed, index);
  throw new CurtainwallError<StackErrorCode>(
    "STACK_PROGRAM_UNSIGNED",
    `The release needs a program that the program key has not signed.\n  ${missing.join("\n  ")}`,
    {
      hint: "If you meant this change, sign it where the program key is:  npx curtainwall key sign --key <file>   What is served is untouched",
    },
  );
}

/** Signs a program. The text that is signed is the one that travels. */
export async function signProgram(program: Program, signer: EnvelopeSigner): Promise<SignedProgram> {
  const document = JSON.stringify(program);
  return { document, envelope: await signEnvelope("program", document, signer) };
}

function missingFrom(
  program: Program,
  needed: Program,
  { manifest }: Pick<ReleaseIndex, "manifest">,
): string[] {
  const outside = outsideProgram(manifest, program);
  if (program.site !== needed.site) outside.unshift(`the signed program is for ${program.site}`);
  if (program.contract !== needed.contract)
    outside.unshift("the contract's routes changed since the program was signed");
  outside.unshift(...functionsOutside(needed, program));
  return outside;
}

/** What each function that the contract declares was built to last. */
function builtFunctions({ functions }: LoadedContract["contract"], root: string): string[] {
  const built = openBundleStore(stackFolders(root)).built();
  return writeDigests(new Map([...built].filter(([name]) => functions.has(name))));
}

/** Functions whose code was not signed, in words. One that is gone runs nowhere. */
export function functionsOutside(
  needed: Pick<Program, "functions">,
  program: Pick<Program, "functions">,
): string[] {
  const signed = functionDigests(program);
  return [...functionDigests(needed)].flatMap(([name, sha256]) => {
    const before = signed.get(name);
    if (before === sha256) return [];
    return [
      `the function ${name} ${before === undefined ? "is new" : "has changed"} (${sha256.slice(0, 12)})`,
    ];
  });
}

/** Programs that this content was published under before: to go back must not need the developer at night. */
async function formerPrograms(
  digest: string,
  keys: ReleaseKeys,
  { releases }: StackFolders,
): Promise<OpenedProgram[]> {
  const former = openReleaseStore(releases)
    .list()
    .filter((stored) => stored.digest === digest)
    .map(({ signatures }) => openSignedProgram(parseSignatures(signatures)?.program, keys));
  return (await Promise.all(former)).filter((program) => program !== undefined);
}

/**
 * The program that lies beside the contract, if there is one and this key signed it.
 *
 * @throws {CurtainwallError} `STACK_PROGRAM_UNSIGNED` when it was changed, or signed with another key
 */
export async function readSignedProgram(
  { programFile }: StackFolders,
  keys: Pick<ReleaseKeys, "program">,
): Promise<OpenedProgram | undefined> {
  if (!existsSync(programFile)) return undefined;
  const program = await openSignedProgram(readJson(programFile), keys);
  if (program !== undefined) return program;
  throw new CurtainwallError<StackErrorCode>(
    "STACK_PROGRAM_UNSIGNED",
    `${programFile} was not signed with the program key ${keys.program.text}, or was changed since.`,
    {
      hint: "Take it from the repository again; or delete it, and sign anew:  npx curtainwall key sign --key <file>",
    },
  );
}

async function openSignedProgram(
  envelope: unknown,
  keys: Pick<ReleaseKeys, "program">,
): Promise<OpenedProgram | undefined> {
  const document = await openEnvelope("program", envelope, keys.program);
  const program = document === undefined ? undefined : parseProgram(document);
  if (document === undefined || program === undefined) return undefined;
  return { document, envelope: envelope as SignedProgram["envelope"], program };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** What the program is made from, for people who compare two of them. */
function sourcesOf({ site }: LoadedContract["contract"], root: string): Record<string, string> {
  const sources: Record<string, string> = {};
  const lock = join(root, "curtainwall.lock.json");
  if (existsSync(lock)) sources.lock = createHash("sha256").update(readFileSync(lock)).digest("hex");
  if (site !== undefined && "templates" in site && existsSync(join(root, site.templates)))
    sources.templates = digestFolder(join(root, site.templates));
  return sources;
}

function digestFolder(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files)
    hash.update(
      JSON.stringify([
        file.slice(folder.length),
        createHash("sha256").update(readFileSync(file)).digest("hex"),
      ]),
    );
  return hash.digest("hex");
}
