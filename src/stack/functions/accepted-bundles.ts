import { openSignatures } from "../../contract/index.ts";
import type { Program } from "../../contract/index.ts";
import type { FunctionsErrorCode } from "../../functions/index.ts";
import { openReleaseStore } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { stackFolders } from "../folders.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { findSiteKeys } from "../releases/release-keys.ts";
import { openBundleStore } from "./bundle-store.ts";

/** The code of a function that may run: the program key signed its digest. */
export interface AcceptedBundle {
  readonly file: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** It, with what the log needs. */
export interface AcceptedFunction extends AcceptedBundle {
  /** Its source map; empty if there is none. */
  readonly map: string;
}

/**
 * Finds the code of a site's functions, by name: what the program names that the newest release lies in, and nothing that only lies there.
 *
 * @throws {CurtainwallError} `FUNCTIONS_BUNDLE_CHANGED` when one is missing or was changed; what `openSignatures` throws
 */
export async function acceptedBundles({
  contract,
  root,
}: Pick<LoadedContract, "contract" | "root">): Promise<Map<string, AcceptedFunction>> {
  const folders = stackFolders(root);
  const releases = openReleaseStore(folders.releases);
  const release = releases.current();
  const accepted = new Map<string, AcceptedFunction>();
  if (release === undefined || contract.functions.size === 0) return accepted;
  const { pinned } = await findSiteKeys(contract, folders);
  const { program } = await openSignatures(release.signatures, pinned);
  const digests = functionDigests(program);
  const store = openBundleStore(folders);
  for (const name of contract.functions.keys()) {
    const sha256 = digests.get(name);
    if (sha256 === undefined || store.code(sha256) === undefined) throw notThere(name, sha256);
    accepted.set(name, { file: store.file(sha256), sha256, map: store.map(sha256) });
  }
  return accepted;
}

/** The digests that a program names, by function. */
export function functionDigests({ functions }: Pick<Program, "functions">): Map<string, string> {
  return new Map(
    functions.flatMap((entry): [string, string][] => {
      const [name = "", sha256 = ""] = entry.split(" ");
      return /^[0-9a-f]{64}$/.test(sha256) ? [[name, sha256]] : [];
    }),
  );
}

/** As a program writes it: a name is bound to its code, so that no function runs another's with its own rights. */
export function writeDigests(digests: ReadonlyMap<string, string>): string[] {
  return [...digests].map(([name, sha256]) => `${name} ${sha256}`).sort();
}

function notThere(name: string, sha256: string | undefined): CurtainwallError<FunctionsErrorCode> {
  const what =
    sha256 === undefined
      ? "the signed program names no code for it"
      : `its code, ${sha256.slice(0, 12)}, is not what was built, or is not here`;
  return new CurtainwallError("FUNCTIONS_BUNDLE_CHANGED", `The function ${name} is not run: ${what}.`, {
    hint: "Build it again, from the sources that were signed:  npx curtainwall build",
  });
}
