import { readSync } from "node:fs";
import { chainBytes } from "./chain.ts";
import type { LogPlace } from "./log-lines.ts";
import { closeLog, openLog } from "./open-log.ts";
import type { OpenedFile } from "./open-log.ts";

/** Whole lines that follow each other in a file, each with its line feed. */
export interface Lines {
  /** Overwritten by the next. What lies before `from`, and before a line that was read, may be written over. */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  /** Where the first of them stands. */
  readonly place: LogPlace;
}

const chunkBytes = 262_144;
/** No record is longer; one that is ends the reading. */
const maxLineBytes = 1_048_576;
/** Before the first line lies room for a value of a chain. */
const bytesBefore = chainBytes;

/** The lines of a log that stand after a place, those of one chunk at a time, the oldest first. None if that place is not there any more. */
export function* linesAfter(path: string, place: LogPlace): Generator<Lines> {
  const files = openLog(path);
  try {
    const begin = files.findIndex(({ device, inode }) => device === place.device && inode === place.inode);
    const room = Buffer.allocUnsafeSlow(bytesBefore + maxLineBytes + chunkBytes);
    for (const [index, file] of files
      .slice(0, begin + 1)
      .toReversed()
      .entries()) {
      const isWhole = yield* linesOf(file, index === 0 ? place.bytes : 0, room);
      if (!isWhole) return;
    }
  } finally {
    closeLog(files);
  }
}

/** @returns false: a line is too long */
function* linesOf({ fd, device, inode }: OpenedFile, from: number, room: Buffer): Generator<Lines, boolean> {
  let [at, kept] = [from, 0];
  while (kept <= maxLineBytes) {
    const count = readSync(fd, room, bytesBefore + kept, chunkBytes, at + kept);
    if (count === 0) return true;
    const end = bytesBefore + kept + count;
    const to = room.lastIndexOf(10, end - 1) + 1;
    kept += count;
    if (to <= bytesBefore) continue;
    yield { bytes: room, from: bytesBefore, to, place: { device, inode, bytes: at } };
    room.copyWithin(bytesBefore, to, end);
    [at, kept] = [at + to - bytesBefore, end - to];
  }
  return false;
}
