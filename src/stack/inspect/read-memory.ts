import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** A stretch of a process's memory. */
interface Region {
  readonly from: number;
  readonly to: number;
}

/** What is read at once. */
const pieceBytes = 4_194_304;
const pageBytes = 4096;
/** Of each page `/proc/<pid>/pagemap` has eight bytes; a flag in the last says that it is there, or swapped out. */
const entryBytes = 8;
const isThere = 0b1100_0000;
/** Addresses above are the kernel's own. */
const highest = 2 ** 47;

/**
 * Reads all memory that a process wrote to, and the rest of what is its own, piece by piece; in what lies together each piece begins with the last
 * bytes of the one before. Pages that were never touched are passed over.
 *
 * @param overlap how many bytes of a piece the next one repeats
 * @returns how many bytes were read
 * @throws {Error} of the system, if this user may not look
 */
export function readMemory(pid: number, overlap: number, onPiece: (bytes: Uint8Array) => void): number {
  const regions = regionsOf(readFileSync(`/proc/${pid}/maps`, "utf8"));
  const fd = openSync(`/proc/${pid}/mem`, "r");
  const pages = openSync(`/proc/${pid}/pagemap`, "r");
  const buffer = Buffer.alloc(overlap + pieceBytes);
  let total = 0;
  try {
    for (const region of regions)
      for (const { from, to } of touchedIn(pages, region)) {
        let kept = 0;
        for (let at = from; at < to; at += pieceBytes) {
          const count = readSome(fd, buffer, kept, Math.min(pieceBytes, to - at), at);
          if (count === 0) break;
          total += count;
          const piece = buffer.subarray(0, kept + count);
          onPiece(piece);
          kept = Math.min(overlap, piece.length);
          piece.copy(buffer, 0, piece.length - kept);
        }
      }
  } finally {
    buffer.fill(0);
    closeSync(fd);
    closeSync(pages);
  }
  return total;
}

/** The parts of a region whose pages are there. */
function* touchedIn(pages: number, { from, to }: Region): Generator<Region> {
  const entries = Buffer.alloc(65_536);
  let start: number | undefined;
  for (let at = from; at < to;) {
    const wanted = Math.min(entries.length, ((to - at) / pageBytes) * entryBytes);
    const count = readSome(pages, entries, 0, wanted, (at / pageBytes) * entryBytes);
    if (count === 0) break;
    for (let index = 0; index < count; index += entryBytes, at += pageBytes) {
      const there = ((entries[index + entryBytes - 1] ?? 0) & isThere) !== 0;
      if (there) start ??= at;
      else if (start !== undefined) {
        yield { from: start, to: at };
        start = undefined;
      }
    }
  }
  if (start !== undefined) yield { from: start, to };
}

/** A stretch that went away meanwhile is none. */
function readSome(fd: number, buffer: Buffer, offset: number, length: number, at: number): number {
  try {
    return readSync(fd, buffer, offset, length, at);
  } catch {
    return 0;
  }
}

/** What may be read and is not a file's own text, which nobody can have written a value into. */
function regionsOf(maps: string): Region[] {
  return maps.split("\n").flatMap((line) => {
    const [, from = "", to = "", rights = "", name = ""] =
      /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    const isOwn = rights[0] === "r" && (rights[1] === "w" || !name.startsWith("/"));
    const region = { from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) };
    return isOwn && region.to <= highest && !/^\[(?:vvar|vsyscall|vdso)/.test(name) ? [region] : [];
  });
}
