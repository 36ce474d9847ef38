import { close, closeSync, fdatasync, fsyncSync, openSync, rmSync, write, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { formatLine } from "./journal-line.ts";
import type { DeliveryLine, JournalHead } from "./journal-line.ts";
import { segmentName } from "./read-journal.ts";

const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);

/** Options of {@link openSegments}. */
export interface SegmentsOptions {
  readonly folder: string;
  /** Of the files that are there, the oldest first. They go. */
  readonly before: readonly number[];
  /** What of them still counts. */
  readonly kept: readonly DeliveryLine[];
  /** What each file begins with. */
  readonly head: JournalHead;
  readonly maxFileBytes: number;
  readonly now: () => number;
}

/** Files that lines are appended to. */
export interface Segments {
  /** Resolves once the line is in the file, or even on disk. Rejects if it may not be. */
  append(line: DeliveryLine, isOnDisk: boolean): Promise<void>;
}

interface Segment {
  readonly number: number;
  /** When the last thing in it stops counting, in milliseconds since 1970. */
  endsMs: number;
}

interface Waiting {
  readonly line: DeliveryLine;
  readonly isOnDisk: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens a new file with all that counts of those before it, and goes on to the next one when it is full: each goes once nothing in it counts any
 * more. Lines that come while one is written are written together. After a failure the next line begins a file of its own, so that no half of a
 * line stands before a whole one.
 */
export function openSegments({ folder, before, kept, head, maxFileBytes, now }: SegmentsOptions): Segments {
  const segments: Segment[] = before.map((number) => ({ number, endsMs: 0 }));
  let current: { readonly segment: Segment; readonly fd: number; bytes: number } | undefined = begin(kept);
  let waiting: Waiting[] = [];
  let isWriting = false;

  function begin(first: readonly DeliveryLine[] = []): NonNullable<typeof current> {
    const segment: Segment = { number: (segments.at(-1)?.number ?? 0) + 1, endsMs: latestOf(first) };
    const path = join(folder, segmentName(segment.number));
    const fd = openSync(path, "ax", 0o600);
    try {
      const lines = [{ kind: "head", atMs: now(), head } as const, ...first];
      const text = lines.map(formatLine).join("");
      writeFileSync(fd, text);
      fsyncSync(fd);
      syncFolder(folder);
      dropOld();
      segments.push(segment);
      return { segment, fd, bytes: text.length };
    } catch (error) {
      closeSync(fd);
      rmSync(path, { force: true });
      throw error;
    }
  }

  /** From the front, so that none is ever missing in the middle. */
  function dropOld(): void {
    for (let oldest = segments[0]; oldest !== undefined && oldest.endsMs < now(); oldest = segments[0]) {
      rmSync(join(folder, segmentName(oldest.number)), { force: true });
      segments.shift();
    }
  }

  function leave(): void {
    if (current !== undefined) close(current.fd, () => undefined);
    current = undefined;
  }

  async function writeBatch(batch: readonly Waiting[]): Promise<void> {
    if (current !== undefined && current.bytes >= maxFileBytes) leave();
    current ??= begin();
    const { segment, fd } = current;
    segment.endsMs = Math.max(segment.endsMs, latestOf(batch.map(({ line }) => line)));
    const bytes = Buffer.from(batch.map(({ line }) => formatLine(line)).join(""));
    for (let from = 0; from < bytes.length;) from += (await writeAsync(fd, bytes, from)).bytesWritten;
    current.bytes += bytes.length;
    if (batch.some(({ isOnDisk }) => isOnDisk)) await syncAsync(fd);
  }

  async function drain(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await writeBatch(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        leave();
        for (const { reject } of batch) reject(error);
      }
    }
    isWriting = false;
  }

  return {
    append: (line, isOnDisk) =>
      new Promise((resolve, reject) => {
        waiting.push({ line, isOnDisk, resolve, reject });
        if (!isWriting) void drain();
      }),
  };
}

const latestOf = (lines: readonly DeliveryLine[]): number =>
  lines.reduce((latest, { delivery }) => Math.max(latest, delivery.endsMs), 0);

/** A new file is safe only once its name is. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
