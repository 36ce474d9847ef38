import { rmSync } from "node:fs";
import { join } from "node:path";
import { checkpointText } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import { openOrCreateKeyFile } from "../../release/node.ts";
import type { StackFolders } from "../folders.ts";

/** Has the key that logs are signed with. */
export interface LogKeyHolder {
  /**
   * Signs what the supervisor saw to be so.
   *
   * @param before what was signed last of this log, if anything was
   * @param log for a holder that remembers more than `before`, or has a key that signed more
   * @returns a text: why it is not signed
   */
  sign(claim: CheckpointClaim, before: Checkpoint | undefined, log: LookAtLog): Promise<Checkpoint | string>;
}

/** Looks into the log that is to be signed. */
export interface LookAtLog {
  /** Whether the claim goes on from a place. Undefined: it does; else why not. */
  whyNotGoingOn(from: CheckpointClaim): Promise<string | undefined>;
  /** What a key signed furthest, of what the log's own records have. */
  newest(key: string): Promise<Checkpoint | undefined>;
}

type Folders = Pick<StackFolders, "supervisor">;

/** The supervisor's key; its public half lies beside it. */
export const checkpointKeyFile = ({ supervisor }: Folders): string => join(supervisor, "ledger.key");

/** The supervisor itself, for a site that has no vault: with a key in a file, which is made when it is first asked to. */
export function keyInFile(folders: Folders): LogKeyHolder {
  return {
    async sign(claim, before, log) {
      const { signer } = await openOrCreateKeyFile(checkpointKeyFile(folders));
      const key = signer.publicKey.text;
      // Its memory is not there: what it signed, and the log still has, is one.
      const newest = before === undefined ? await log.newest(key) : undefined;
      const refusal = newest === undefined ? undefined : await log.whyNotGoingOn(newest);
      if (refusal !== undefined) return refusal;
      const after = before?.key === key ? before.after : before?.key;
      const said = { ...claim, holder: "supervisor", ...(after === undefined ? {} : { after }) } as const;
      const signature = await signer.sign(checkpointText(said));
      return { ...said, key, signature: Buffer.from(signature).toString("base64url") };
    },
  };
}

/** Removes the supervisor's key: the vault signs now, and nothing that the old one would sign counts. */
export function giveUpKeyInFile(folders: Folders): void {
  const file = checkpointKeyFile(folders);
  for (const one of [file, `${file}.pub`]) rmSync(one, { force: true });
}
