import { readSync } from "node:fs";
import { Socket } from "node:net";
import { createLineSplitter, recordLine } from "../../ledger/index.ts";
import type { LogFile } from "../../ledger/node.ts";

/**
 * How long a pipe rests after it was read, in milliseconds. What comes meanwhile is read, written and synced together, which costs less; it lies in the
 * pipe, where it outlives both who sent it and this process.
 */
const restMs = 5;
/** What a pipe holds. Read full, more waits already. */
const pipeBytes = 65_536;

/** Reads one domain's pipe into the log. Returns what reads the rest of it at the end. */
export function readEvents(name: string, fd: number, log: LogFile): () => void {
  const splitter = createLineSplitter((line) => {
    if (line === undefined || line.length > 0) log.append(recordLine(line, name, Date.now()));
  });
  const buffer = Buffer.alloc(pipeBytes);
  let rest: NodeJS.Timeout | undefined;
  const pipe = new Socket({
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback(count, bytes) {
        splitter.push(bytes.subarray(0, count));
        if (count === pipeBytes) return true;
        rest = setTimeout(() => pipe.resume(), restMs);
        return false;
      },
    },
  });
  pipe.on("error", () => undefined);
  pipe.resume();
  return () => {
    clearTimeout(rest);
    pipe.pause();
    try {
      for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
        splitter.push(buffer.subarray(0, count));
    } catch {
      // EAGAIN: the pipe is empty.
    }
  };
}
