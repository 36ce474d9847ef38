import type { Readable } from "node:stream";
import { splitLines } from "../processes/safe-lines.ts";

/** What a group's output may do to whoever reads it. */
const outputLimits = {
  sliceMs: 500,
  bytesPerSlice: 131_072,
  /** So many are thrown away unread. Whoever writes more waits for the next slice: not for long enough to be taken for silent. */
  droppedPerSlice: 16_777_216,
  linesPerSlice: 50,
  lineLength: 2000,
} as const;

/**
 * What workerd says that nobody can do anything about: at each start where `/proc` is not shown; of a call that waits for nothing, which is told by its own
 * code; of an asker that had gone when it answered, as the keeper does when a call's time is over; where in its own program it was.
 */
const meaningless =
  /^Unable to find and open the program executable, so unable to determine |^workerd\/\S+: error: Uncaught exception: .*detected that your Worker's code had hung|^workerd\/server\/\S+: error: kj::getCaughtExceptionAsKj\(\) = kj\/async-io\S+: disconnected: |^stack: (?:\/workerd@[0-9a-f]+ ?)+$/;

/**
 * Reads what a group writes, which may be anything, without end: lines are cut, made harmless to a terminal and counted. Of what is beyond the limits only the
 * number is told. It is read all the same, since a function waits while what it prints is not, and one that prints a large answer or body was ended for that.
 *
 * @param onLine takes a line
 */
export function readOutput(streams: readonly (Readable | null)[], onLine: (line: string) => void): void {
  let lines = 0;
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const paused = new Set<Readable>();

  function endSlice(): void {
    timer = undefined;
    const droppedLines = lines - outputLimits.linesPerSlice;
    const droppedBytes = bytes - outputLimits.bytesPerSlice;
    lines = 0;
    bytes = 0;
    if (droppedBytes > 0) onLine(`(some ${droppedBytes} more bytes)`);
    else if (droppedLines > 0) onLine(`(${droppedLines} more lines)`);
    for (const stream of paused) stream.resume();
    paused.clear();
  }

  function take(line: string): void {
    if (meaningless.test(line)) return;
    lines++;
    if (lines > outputLimits.linesPerSlice || line === "") return;
    onLine(line.length > outputLimits.lineLength ? `${line.slice(0, outputLimits.lineLength)}…` : line);
  }

  for (const stream of streams) {
    let split = splitLines(take);
    let isCut = false;
    stream?.on("data", (part: Buffer) => {
      timer ??= setTimeout(endSlice, outputLimits.sliceMs);
      const isOver = bytes >= outputLimits.bytesPerSlice;
      bytes += part.length;
      if (!isOver) {
        // The end of a line whose beginning was thrown away is none of that before it.
        if (isCut) split = splitLines(take);
        isCut = false;
        return split(part);
      }
      isCut = true;
      if (bytes < outputLimits.droppedPerSlice) return;
      stream.pause();
      paused.add(stream);
    });
  }
}
