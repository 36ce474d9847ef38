import { openSignatures } from "../../contract/index.ts";
import { boundSecrets, bundleFunction } from "../../functions/node.ts";
import { openReleaseStore } from "../../release/node.ts";
import { stackFolders } from "../folders.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { findSiteKeys } from "../releases/release-keys.ts";
import { readSignedProgram } from "../releases/site-program.ts";
import { functionDigests } from "./accepted-bundles.ts";

/** A function beside the program that was signed. */
export interface FunctionReview {
  readonly name: string;
  /** Of the code that its sources make now. */
  readonly sha256: string;
  readonly state: "signed" | "changed" | "new";
}

/**
 * Compares functions, as their sources are, with the program that was signed last. Nothing is run, or kept.
 *
 * @throws {CurtainwallError} what `bundleFunction` throws
 */
export async function reviewFunctions({
  contract,
  root,
}: Pick<LoadedContract, "contract" | "root">): Promise<FunctionReview[]> {
  if (contract.functions.size === 0) return [];
  const signed = await signedDigests({ contract, root });
  const reviews: FunctionReview[] = [];
  for (const { name, runner } of contract.functions.values()) {
    const { sha256 } = await bundleFunction({ root, name, runner, secrets: boundSecrets(contract, name) });
    const before = signed.get(name);
    const state = before === undefined ? "new" : before === sha256 ? "signed" : "changed";
    reviews.push({ name, sha256, state });
  }
  return reviews;
}

/** Of the program beside the contract; with development keys, of the newest release's. */
async function signedDigests({
  contract,
  root,
}: Pick<LoadedContract, "contract" | "root">): Promise<Map<string, string>> {
  const folders = stackFolders(root);
  const { pinned } = await findSiteKeys(contract, folders);
  const signed = await readSignedProgram(folders, pinned);
  if (signed !== undefined) return functionDigests(signed.program);
  const current = openReleaseStore(folders.releases).current();
  if (current === undefined) return new Map();
  return functionDigests((await openSignatures(current.signatures, pinned)).program);
}
