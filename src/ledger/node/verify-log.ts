import { closeSync, readSync } from "node:fs";
import { basename } from "node:path";
import { CurtainwallError } from "../../shared/index.ts";
import type { Checkpoint } from "../checkpoint.ts";
import type { LogVerdict } from "../verdict.ts";
import { createChainReader } from "./chain-reader.ts";
import type { ChainReader } from "./chain-reader.ts";
import { isSigned } from "./checkpoint-signature.ts";
import { openForReading } from "./log-descriptor.ts";
import { logFiles } from "./rotate.ts";

/** Options of {@link verifyLog}. */
export interface VerifyLogOptions {
  /** Checkpoints that were kept elsewhere. Default: none, and a log that was cut off or replaced as a whole is not noticed. */
  checkpoints?: readonly Checkpoint[];
  /**
   * Public keys that checkpoints may be signed with, and those that these say signed before them. Default: any, and whoever can write the
   * log can sign it.
   */
  keys?: readonly string[];
}

const chunkBytes = 1_048_576;
/** No record is longer. What is comes in parts, so that no file takes more memory than another. */
const maxLineBytes = 1_048_576;
/**
 * The first finds what was forgotten by the time that a checkpoint came, and the keys that others vouch for; the second, those that take what was
 * forgotten; the third judges. One more, for what is written meanwhile.
 */
const mostReadings = 4;

/**
 * Looks through all files of a log, the oldest first: each record must follow from the one before.
 *
 * @throws {CurtainwallError} `LEDGER_FILE_UNUSABLE` when there is no log, or a file of it can't be read
 */
export function verifyLog(path: string, { checkpoints = [], keys }: VerifyLogOptions = {}): LogVerdict {
  const known = keys === undefined ? undefined : withEarlier(keys, checkpoints);
  const remember = new Set<number>();
  for (let reading = 1; ; reading++) {
    const reader = createChainReader({
      checkpoints,
      keys: known,
      named: keys ?? [],
      remember: [...remember],
    });
    const verdict = read(path, reader);
    const [forgotten, learnt] = [reader.forgotten(), reader.learnt()];
    const isNew = learnt.length > 0 || forgotten.some((seq) => !remember.has(seq));
    if (!isNew || reading === mostReadings) return verdict;
    // A checkpoint that came long after what it covers, or keys that a later one vouches for.
    for (const seq of forgotten) remember.add(seq);
    known?.push(...learnt);
  }
}

/** Who holds a checkpoint of the present key knows the key before it: no reading is needed for that. */
const withEarlier = (keys: readonly string[], checkpoints: readonly Checkpoint[]): string[] => [
  ...keys,
  ...checkpoints.flatMap((one) =>
    one.after !== undefined && keys.includes(one.key) && isSigned(one) ? [one.after] : [],
  ),
];

function read(path: string, reader: ChainReader): LogVerdict {
  // All are opened before one is read: a log that is written to may be moved on meanwhile.
  const files = logFiles(path).map((file) => ({ file, fd: openForReading(file) }));
  try {
    if (files.every(({ fd }) => fd === undefined)) throw unreadable(path);
    for (const { file, fd } of files.toReversed()) {
      if (fd === undefined && file !== path) throw unreadable(file);
      if (fd === undefined) continue;
      reader.beginFile(basename(file));
      readLines(fd, reader);
    }
    return reader.end();
  } finally {
    for (const { fd } of files) if (fd !== undefined) closeSync(fd);
  }
}

/** Reads a file's lines, each without its line feed. The last may lack it. */
function readLines(fd: number, reader: Pick<ChainReader, "line" | "part">): void {
  const room = Buffer.alloc(maxLineBytes + chunkBytes);
  let kept = 0;
  let isLong = false;
  for (;;) {
    const count = readSync(fd, room, kept, chunkBytes, null);
    if (count === 0) break;
    const end = kept + count;
    let from = 0;
    for (let at = room.indexOf(10, kept); at >= 0 && at < end; at = room.indexOf(10, from)) {
      if (isLong) reader.part(room.subarray(from, at), true);
      else reader.line(room.subarray(from, at), true);
      isLong = false;
      from = at + 1;
    }
    isLong ||= end - from > maxLineBytes;
    if (isLong) reader.part(room.subarray(from, end), false);
    else room.copyWithin(0, from, end);
    kept = isLong ? 0 : end - from;
  }
  if (kept > 0) reader.line(room.subarray(0, kept), false);
}

const unreadable = (path: string): CurtainwallError =>
  new CurtainwallError("LEDGER_FILE_UNUSABLE", "The log can't be read.", {
    hint: `Check that ${path} is a plain file that you may read`,
  });
