import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { readCheckpoint, readClaim } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import { newestCheckpoint, watchLog } from "../../ledger/node.ts";
import type { LogFlood } from "../../ledger/node.ts";
import { writeWhole } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";
import type { StackFolders } from "../folders.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { paceIn } from "./log-pace-file.ts";
import { giveUpKeyInFile } from "./log-key.ts";
import type { LogKeyHolder, LookAtLog } from "./log-key.ts";

// The ledger writes the log and can't sign it; the supervisor looks whether it goes on, and who has the key signs; neither takes anything back.

/** Signs a log, further and further. */
export interface CheckpointSigner {
  /** Signs what a log says of itself. A text: why not. */
  sign(claim: CheckpointClaim): Promise<Checkpoint | string>;
}

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
    // A pipe in its place would be waited for, and everything else with it.
    if (!statSync(file).isFile()) throw damaged(file, undefined);
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw damaged(file, cause);
  }
  const checkpoint = readCheckpoint(parse(text));
  if (checkpoint === undefined) throw damaged(file, undefined);
  return checkpoint;
}

/** Options of {@link createCheckpointSigner}. */
export interface CheckpointSignerOptions {
  readonly folders: Pick<StackFolders, "supervisor" | "logFile">;
  /** Who has the key. */
  readonly key: LogKeyHolder;
  /** How much of the log is kept: it gives up records for no less. */
  readonly keep: Pick<LoadedContract["contract"]["ledger"], "maxFileBytes" | "keepFiles">;
  /** Remembers what was signed, on other storage. Default: nothing does. */
  readonly witnessFile?: string | undefined;
  /** Called when another key signed than before. */
  readonly onOtherKey?: (checkpoint: Checkpoint, before: Checkpoint) => void;
  /** Called when so much is written in so little time that it pushes records out: a flood, or a bound that is too small. */
  readonly onFlood?: (flood: LogFlood & { readonly log: string }) => void;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** Has logs signed that are seen to go on from what was signed before. */
export function createCheckpointSigner({
  folders,
  key,
  keep,
  witnessFile,
  onOtherKey = () => undefined,
  onFlood = () => undefined,
  now,
}: CheckpointSignerOptions): CheckpointSigner {
  // One after the other: what was signed last is known before the next is.
  let turn: Promise<unknown> = Promise.resolve();
  let name = "";
  /** Once since the start: what was remembered may be an older copy, and the log know of more. */
  let isSearched = false;
  const watch = watchLog({
    path: folders.logFile,
    bound: keep,
    now,
    paceMemory: paceIn(folders, () => name),
    onFlood: (flood) => onFlood({ log: name, ...flood }),
  });

  async function sign({ log, through, head }: CheckpointClaim): Promise<Checkpoint | string> {
    // What is signed is remembered: a file that can't be read again would end all signing.
    const claim = readClaim({ log, through, head });
    if (claim === undefined) return "what the ledger says of it is nothing that can be signed";
    name = log;
    const look: LookAtLog = {
      whyNotGoingOn: async (from) => refusalOf(from, claim) ?? (await watch.whyNotGoingOn(from, claim)),
      newest: (signer) => newestCheckpoint(folders.logFile, { log, key: signer }),
    };
    const own = readLastCheckpoint(folders);
    const witnessed = witnessFile === undefined ? undefined : readCheckpointFile(witnessFile);
    // Mostly both remember the same, and the log is read for it once.
    const newest = own === undefined || isSearched ? undefined : await newestOf(own);
    const remembered = [own, newest, ...(witnessed?.signature === own?.signature ? [] : [witnessed])];
    // The ledger says how far its log is; that this goes on from what was signed is seen in the log itself.
    for (const last of remembered) {
      const refusal = last === undefined ? undefined : await look.whyNotGoingOn(last);
      if (refusal !== undefined) return refusal;
    }
    // Made here it would lie on the disk that it is to be kept apart from: what was to be mounted there is not.
    if (witnessFile !== undefined && !existsSync(dirname(witnessFile)))
      return `the folder of its witness ${witnessFile} is not there`;
    const before = newest ?? own ?? witnessed;
    const checkpoint = await key.sign(claim, before, look);
    if (typeof checkpoint === "string") return checkpoint;
    isSearched = true;
    // Remembered first: a signature that is out and forgotten could be followed by one of less.
    const bytes = Buffer.from(`${JSON.stringify(checkpoint)}\n`);
    writeWhole(lastCheckpointFile(folders), bytes, 0o600);
    if (witnessFile !== undefined) writeWhole(witnessFile, bytes, 0o600);
    if (checkpoint.holder === "vault") giveUpKeyInFile(folders);
    if (before !== undefined && before.key !== checkpoint.key) onOtherKey(checkpoint, before);
    return checkpoint;
  }

  const newestOf = ({ log, key: signer, through }: Checkpoint): Promise<Checkpoint | undefined> =>
    newestCheckpoint(folders.logFile, { log, key: signer, beyond: through });

  return {
    sign(claim) {
      const result = turn.then(() => sign(claim));
      turn = result.catch(() => undefined);
      return result;
    },
  };
}

function refusalOf(last: CheckpointClaim, claim: CheckpointClaim): string | undefined {
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
