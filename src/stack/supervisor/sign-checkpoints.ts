import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { checkpointText, readCheckpoint } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import { whyNotGoingOn } from "../../ledger/node.ts";
import { openOrCreateKeyFile, writeWhole } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";
import type { StackFolders } from "../folders.ts";
import type { LoadedContract } from "../load-contract.ts";

// The ledger writes the log and can't sign it; the supervisor signs it and takes nothing back.

/** Signs a log, further and further. */
export interface CheckpointSigner {
  /** Signs what a log says of itself. A text: why not. */
  sign(claim: CheckpointClaim): Promise<Checkpoint | string>;
}

/** The key that signs checkpoints; its public half lies beside it. */
export const checkpointKeyFile = ({ supervisor }: Pick<StackFolders, "supervisor">): string =>
  join(supervisor, "ledger.key");

/** What was signed last. */
export const lastCheckpointFile = ({ supervisor }: Pick<StackFolders, "supervisor">): string =>
  join(supervisor, "ledger.checkpoint.json");

/**
 * Reads what was signed last. Undefined: nothing was yet.
 *
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE` when the file was damaged: without it a log could be taken back
 */
export const readLastCheckpoint = (folders: Pick<StackFolders, "supervisor">): Checkpoint | undefined =>
  readCheckpointFile(lastCheckpointFile(folders));

/**
 * Reads what the contract's witness remembers. Undefined: there is none, or it was told nothing yet.
 *
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE` when the file was damaged, or can't be read
 */
export function readWitnessedCheckpoint({ contract, root }: SiteOfLog): Checkpoint | undefined {
  const file = witnessFileOf({ contract, root });
  return file === undefined ? undefined : readCheckpointFile(file);
}

/** The site whose log it is. */
export type SiteOfLog = Pick<LoadedContract, "root"> & {
  readonly contract: Pick<LoadedContract["contract"], "ledger">;
};

/** Where the witness of a log is, if the contract names one. */
export const witnessFileOf = ({ contract, root }: SiteOfLog): string | undefined =>
  contract.ledger.witnessFile === undefined ? undefined : resolve(root, contract.ledger.witnessFile);

function readCheckpointFile(file: string): Checkpoint | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw damaged(file, cause);
  }
  const checkpoint = readCheckpoint(parse(text));
  if (checkpoint === undefined) throw damaged(file, undefined);
  return checkpoint;
}

/**
 * Signs with a key that is made when it is first asked to.
 *
 * @param witnessFile remembers what was signed, on other storage
 */
export function createCheckpointSigner(
  folders: Pick<StackFolders, "supervisor" | "logFile">,
  witnessFile?: string,
): CheckpointSigner {
  // One after the other: what was signed last is known before the next is.
  let turn: Promise<unknown> = Promise.resolve();

  async function sign({ log, through, head }: CheckpointClaim): Promise<Checkpoint | string> {
    const own = readLastCheckpoint(folders);
    const witnessed = witnessFile === undefined ? undefined : readCheckpointFile(witnessFile);
    // Mostly both remember the same, and the log is read for it once.
    const remembered = witnessed?.signature === own?.signature ? [own] : [own, witnessed];
    // The ledger says how far its log is; that this goes on from what was signed is seen in the log itself.
    for (const last of remembered) {
      const claim = { log, through, head };
      const refusal =
        last === undefined
          ? undefined
          : (refusalOf(last, claim) ?? (await whyNotGoingOn(folders.logFile, last, claim)));
      if (refusal !== undefined) return refusal;
    }
    // Made here it would lie on the disk that it is to be kept apart from: what was to be mounted there is not.
    if (witnessFile !== undefined && !existsSync(dirname(witnessFile)))
      return `the folder of its witness ${witnessFile} is not there`;
    const { signer } = await openOrCreateKeyFile(checkpointKeyFile(folders));
    const signature = await signer.sign(checkpointText({ log, through, head }));
    const checkpoint: Checkpoint = {
      log,
      through,
      head,
      key: signer.publicKey.text,
      signature: Buffer.from(signature).toString("base64url"),
    };
    // Remembered first: a signature that is out and forgotten could be followed by one of less.
    const bytes = Buffer.from(`${JSON.stringify(checkpoint)}\n`);
    writeWhole(lastCheckpointFile(folders), bytes, 0o600);
    if (witnessFile !== undefined) writeWhole(witnessFile, bytes, 0o600);
    return checkpoint;
  }

  return {
    sign(claim) {
      const result = turn.then(() => sign(claim));
      turn = result.catch(() => undefined);
      return result;
    },
  };
}

function refusalOf(last: Checkpoint, claim: CheckpointClaim): string | undefined {
  if (claim.log !== last.log) return `it is another log than ${last.log}, which was signed before`;
  if (claim.through < last.through)
    return `it ends with record ${claim.through}; what was signed before, with ${last.through}`;
  if (claim.through === last.through && claim.head !== last.head)
    return `record ${claim.through} is not the one that was signed before`;
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const damaged = (file: string, cause: unknown): CurtainwallError<StackErrorCode> =>
  new CurtainwallError("STACK_FILE_UNREADABLE", `The last checkpoint of the log in ${file} can't be read.`, {
    cause,
    hint: "Compare the log with a checkpoint that lies elsewhere, then delete the file: the next one writes it anew",
  });
