import { fstatSync, readSync } from "node:fs";
import { closeLog, openLog } from "./open-log.ts";

const chunkBytes = 262_144;
/** Longest line that is kept; of a longer one each chunk comes as an empty line, so that who reads gets a turn. */
const maxLineBytes = 1_048_576;
const nothing = Buffer.alloc(0);

/** Where the line begins that came last: a `LogPlace` that is written over by the next. */
export interface LinePlace {
  device: number;
  inode: number;
  bytes: number;
}

/**
 * The whole lines of a log, the last first, without their line feeds. What follows the last line feed of a file is left out.
 *
 * @param at is told where each line begins
 */
export function* linesFromEnd(
  path: string,
  at: LinePlace = { device: 0, inode: 0, bytes: 0 },
): Generator<Buffer> {
  const files = openLog(path);
  try {
    for (const { fd, device, inode } of files) {
      [at.device, at.inode] = [device, inode];
      yield* linesOf(fd, at);
    }
  } finally {
    closeLog(files);
  }
}

function* linesOf(fd: number, place: LinePlace): Generator<Buffer> {
  // The first piece is what follows the last line feed: it is still being written.
  let isFirst = true;
  let rest: Buffer[] = [];
  let isTooLong = false;
  for (let end = fstatSync(fd).size; end > 0;) {
    const from = Math.max(0, end - chunkBytes);
    const bytes = Buffer.allocUnsafeSlow(end - from);
    const length = readSync(fd, bytes, 0, bytes.length, from);
    let to = length;
    for (let at = lineFeedBefore(bytes, to); at >= 0; at = lineFeedBefore(bytes, to)) {
      const line =
        rest.length === 0 ? bytes.subarray(at + 1, to) : Buffer.concat([bytes.subarray(at + 1, to), ...rest]);
      rest = [];
      place.bytes = from + at + 1;
      if (!isFirst && !isTooLong) yield line;
      [isFirst, isTooLong] = [false, false];
      to = at;
    }
    rest.unshift(bytes.subarray(0, to));
    end = from;
    isTooLong ||= rest.reduce((sum, { length }) => sum + length, 0) > maxLineBytes;
    if (!isTooLong) continue;
    rest = [];
    yield nothing;
  }
  place.bytes = 0;
  if (!isFirst && !isTooLong) yield Buffer.concat(rest);
}

const lineFeedBefore = (bytes: Buffer, to: number): number => (to === 0 ? -1 : bytes.lastIndexOf(10, to - 1));
