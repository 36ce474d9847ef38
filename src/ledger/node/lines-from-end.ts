import { closeSync, fstatSync, readSync } from "node:fs";
import { openForReading } from "./log-descriptor.ts";
import { logFiles } from "./rotate.ts";

const chunkBytes = 262_144;
/** Longest line that is kept; of a longer one each chunk comes as an empty line, so that who reads gets a turn. */
const maxLineBytes = 1_048_576;
const nothing = Buffer.alloc(0);

/** The whole lines of a log, the last first, without their line feeds. What follows the last line feed of a file is left out. */
export function* linesFromEnd(path: string): Generator<Buffer> {
  const opened: { fd: number; inode: string }[] = [];
  try {
    // All are opened before one is read: a log that is written to may be moved on meanwhile, and a file be met a second time under its new name.
    for (const file of logFiles(path)) {
      const fd = openForReading(file);
      if (fd === undefined) continue;
      const { dev, ino } = fstatSync(fd);
      const inode = `${dev}:${ino}`;
      if (opened.some((one) => one.inode === inode)) closeSync(fd);
      else opened.push({ fd, inode });
    }
    for (const { fd } of opened) yield* linesOf(fd);
  } finally {
    for (const { fd } of opened) closeSync(fd);
  }
}

function* linesOf(fd: number): Generator<Buffer> {
  // The first piece is what follows the last line feed: it is still being written.
  let isFirst = true;
  let rest: Buffer[] = [];
  let isTooLong = false;
  for (let end = fstatSync(fd).size; end > 0;) {
    const from = Math.max(0, end - chunkBytes);
    const bytes = Buffer.alloc(end - from);
    const length = readSync(fd, bytes, 0, bytes.length, from);
    let to = length;
    for (let at = lineFeedBefore(bytes, to); at >= 0; at = lineFeedBefore(bytes, to)) {
      const line =
        rest.length === 0 ? bytes.subarray(at + 1, to) : Buffer.concat([bytes.subarray(at + 1, to), ...rest]);
      rest = [];
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
  if (!isFirst && !isTooLong) yield Buffer.concat(rest);
}

const lineFeedBefore = (bytes: Buffer, to: number): number => (to === 0 ? -1 : bytes.lastIndexOf(10, to - 1));
