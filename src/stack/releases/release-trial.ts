import { readFileSync } from "node:fs";
import { acceptRelease, contractDigest, decodeRelease } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { openReleaseStore } from "../../release/node.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import type { StackFolders } from "../folders.ts";
import { findSiteKeys } from "./release-keys.ts";

/** The newest release of a site, and what an edge would make of it with other signatures. */
export interface ReleaseTrial {
  /** Those that it is served with. */
  readonly signatures: string;
  /** The code that an edge would refuse it with; undefined: it would be served. Nothing that is served changes by it. */
  refusal(signatures: string): Promise<string | undefined>;
}

/**
 * Opens a trial of what an edge takes: with the code, keys and contract that one is started with here, over a copy in memory. Undefined
 * where nothing was built.
 */
export function openReleaseTrial(contract: Contract, folders: StackFolders): ReleaseTrial | undefined {
  const newest = openReleaseStore(folders.releases).current();
  if (newest === undefined) return undefined;
  const { packFile, signatures } = newest;
  const readied = async () => ({
    release: await decodeRelease(readFileSync(packFile)),
    acceptance: {
      keys: contract.keys ?? (await findSiteKeys(contract, folders)).pinned,
      site: contract.origin,
      contract: await contractDigest(contract),
      last: undefined,
    },
  });
  let ready: ReturnType<typeof readied> | undefined;
  return {
    signatures,
    async refusal(offered) {
      const { release, acceptance } = await (ready ??= readied());
      try {
        await acceptRelease(release, offered, { ...acceptance, now: Date.now() });
        return undefined;
      } catch (error) {
        if (!isCurtainwallError(error)) throw error;
        return error.code;
      }
    },
  };
}
