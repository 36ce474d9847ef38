import { closeSync, fstatSync, openSync, readSync, statSync, watch } from "node:fs";
import { dirname } from "node:path";
import type { LedgerRecord } from "../../ledger/index.ts";

/** Bytes that are read of what was written at once; what is more is passed over, since a terminal is no place for it. */
const maxBytes = 262_144;

/** Hands on each record that is written to a site's log from now on, whichever file it is written to. */
export function followLog(file: string, onRecord: (record: LedgerRecord) => void): () => void {
  let at = sizeOf(file);
  let unfinished = "";
  let inode = inodeOf(file);

  function read(): void {
    let fd: number;
    try {
      fd = openSync(file, "r");
    } catch {
      // Between two files there is none for a moment.
      return;
    }
    try {
      const { size, ino } = fstatSync(fd);
      if (ino !== inode || size < at) [at, unfinished, inode] = [0, "", ino];
      if (size - at > maxBytes) [at, unfinished] = [size - maxBytes, ""];
      const bytes = Buffer.alloc(size - at);
      at += readSync(fd, bytes, 0, bytes.length, at);
      const lines = (unfinished + bytes.toString("utf8")).split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) {
        const record = parse(line);
        if (record !== undefined) onRecord(record);
      }
    } finally {
      closeSync(fd);
    }
  }

  const watcher = watch(dirname(file), read);
  watcher.on("error", () => watcher.close());
  return () => watcher.close();
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
const inodeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.ino ?? 0;

/** What it was cut off from, or what is none, is passed over. */
function parse(line: string): LedgerRecord | undefined {
  try {
    return JSON.parse(line) as LedgerRecord;
  } catch {
    return undefined;
  }
}
