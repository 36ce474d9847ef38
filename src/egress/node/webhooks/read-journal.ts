import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RememberedDelivery } from "../../webhooks/replay-memory.ts";
import { parseLine } from "./journal-line.ts";
import type { JournalHead, JournalLine } from "./journal-line.ts";

/** What a journal has. */
export interface ReadJournal {
  /** Of its files, the oldest first. */
  readonly numbers: readonly number[];
  /** As the newest file has it; empty: there is none. */
  readonly head: JournalHead;
  /** The latest word on each delivery, by secret and name. */
  readonly kept: ReadonlyMap<string, ReadonlyMap<string, RememberedDelivery>>;
  /** When the last line was written, in milliseconds since 1970. */
  readonly latestMs: number;
  /** Why something may be missing; undefined: nothing is. */
  readonly fault: string | undefined;
}

const nameGrammar = /^deliveries-(\d{1,15})\.log$/;
/** More than files ever grow to. */
const mostBytes = 268_435_456;

/** The name of a file of the journal. */
export const segmentName = (number: number): string => `deliveries-${number}.log`;

/** Reads all files of a journal, the oldest first. A last line that was cut short was confirmed to nobody, and is left aside. */
export function readJournal(folder: string): ReadJournal {
  const numbers = readdirSync(folder)
    .flatMap((name) => nameGrammar.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other);
  const kept = new Map<string, Map<string, RememberedDelivery>>();
  let head: JournalHead = {};
  let latestMs = 0;
  let fault: string | undefined;
  for (const [index, number] of numbers.entries()) {
    if (index > 0 && number !== (numbers[index - 1] ?? 0) + 1) fault = "a file of it is missing";
    const lines = readLines(join(folder, segmentName(number)));
    if (typeof lines === "string") fault = lines;
    else
      for (const line of lines) {
        latestMs = Math.max(latestMs, line.atMs);
        if (line.kind === "head") head = line.head;
        else
          kept.set(line.secret, (kept.get(line.secret) ?? new Map()).set(line.delivery.name, line.delivery));
      }
  }
  return { numbers, head, kept, latestMs, fault };
}

/** The lines of a file, or why it can't be read. */
function readLines(file: string): JournalLine[] | string {
  const text = readText(file);
  if (text === undefined) return "a file of it can't be read";
  const lines = text.split("\n");
  const last = lines.pop();
  const read = lines.map(parseLine);
  // Nothing was confirmed after a line that is cut short, or that the disk has only half of.
  if (last === "" && read.at(-1) === undefined) read.pop();
  if (read.includes(undefined)) return "a line of it is damaged";
  return read as JournalLine[];
}

/** Undefined: it is no plain file, or somebody else's. */
function readText(file: string): string | undefined {
  let fd: number | undefined;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    fd = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fstatSync(fd);
    return stats.isFile() && stats.size <= mostBytes ? readFileSync(fd, "utf8") : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
