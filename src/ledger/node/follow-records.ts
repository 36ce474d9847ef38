import { closeSync, fstatSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { parseRecord } from "../parse-record.ts";
import type { LedgerRecord } from "../record.ts";
import { lastLink } from "./chain-end.ts";
import { createFollower, marked } from "./mark-unchained.ts";
import { isFileAt, openForReading } from "./log-descriptor.ts";

/** Follows a log; made by {@link followRecords}. */
export interface FollowedLog {
  close(): void;
}

const pollMs = 200;
const chunkBytes = 65_536;
/** Longest line that is waited for. */
const maxLine = 262_144;

/** Hands on each record that is written to a log from now on, also when its file is moved out of the way for a new one. What does not follow has `unchained: true`. */
export function followRecords(path: string, onRecord: (record: LedgerRecord) => void): FollowedLog {
  let fd = openForReading(path);
  const last = fd === undefined ? undefined : lastLink(fd);
  const follows = createFollower(last);
  // From the end of the last record: a line that is being written is read once it is whole.
  let at = last?.end ?? (fd === undefined ? 0 : fstatSync(fd).size);
  let unfinished = "";
  let decoder = new StringDecoder("utf8");
  const bytes = Buffer.alloc(chunkBytes);

  /** Reads what was added to the open file. */
  function readOn(): void {
    if (fd === undefined) return;
    // Somebody cut it short: what comes now begins where it ends.
    if (fstatSync(fd).size < at) [at, unfinished] = [fstatSync(fd).size, ""];
    for (let count = readSync(fd, bytes, 0, chunkBytes, at); count > 0;) {
      at += count;
      const lines = (unfinished + decoder.write(bytes.subarray(0, count))).split("\n");
      unfinished = (lines.pop() ?? "").slice(0, maxLine);
      for (const line of lines) {
        const isChained = follows(Buffer.from(line));
        const record = parseRecord(line);
        if (record !== undefined) onRecord(marked(record, isChained));
      }
      count = readSync(fd, bytes, 0, chunkBytes, at);
    }
  }

  function look(): void {
    readOn();
    if (fd !== undefined && isFileAt(path, fd)) return;
    const fresh = openForReading(path);
    if (fresh === undefined) return;
    // What was written to the old file until it was moved.
    readOn();
    if (fd !== undefined) closeSync(fd);
    [fd, at, unfinished, decoder] = [fresh, 0, "", new StringDecoder("utf8")];
    readOn();
  }

  const timer = setInterval(look, pollMs);
  return {
    close() {
      clearInterval(timer);
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}
