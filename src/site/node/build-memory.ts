import { createHash, hash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { serialize } from "node:v8";
import type { BuildMemory, Remembered } from "../build-memory.ts";

/** A {@link BuildMemory} in one file. */
export interface StoredMemory extends BuildMemory {
  /** Writes what this build used, and nothing else. Does nothing when that is what the file holds. */
  save(): void;
}

/** Where a text lies among the file's bytes, and the facts beside it. */
type Row = readonly [key: string, offset: number, length: number, facts: unknown];

const magic = "curtainwall memory 1\n";
/** Magic, SHA-256 of what follows, length of the rows. */
const headLength = magic.length + 32 + 4;
/** The largest memory that is written, in bytes. Beyond that a build makes everything anew. */
const maxBytes = 268_435_456;

/**
 * Opens the memory of the builds before. A file that is not whole, or was written by other code, is as good as none.
 *
 * @param stamp names all that the remembered things depend on and that their keys don't: the code that made them
 */
export function openMemory(file: string, stamp: string): StoredMemory {
  const stored = readMemory(file);
  const used = new Map<string, { facts: unknown; text: string | Row }>();
  let isChanged = stored === undefined;
  const prefix = digestOf(stamp).slice(0, 16);
  const textOf = ([, offset, length]: Row): string =>
    stored?.body.toString("utf8", offset, offset + length) ?? "";

  const bytesOf = (text: string | Row): Uint8Array =>
    typeof text === "string"
      ? Buffer.from(text)
      : (stored?.body.subarray(text[1], text[1] + text[2]) ?? new Uint8Array());

  return {
    digest: digestOf,
    digestValue(value) {
      try {
        return digestOf(serialize(value));
      } catch {
        return undefined;
      }
    },
    recall(key) {
      const row = stored?.rows.get(prefix + key);
      if (row === undefined) return undefined;
      used.set(prefix + key, { facts: row[3], text: row });
      const remembered: Remembered = {
        facts: row[3],
        get text() {
          return textOf(row);
        },
      };
      return remembered;
    },
    keep(key, facts, text) {
      isChanged = true;
      used.set(prefix + key, { facts, text });
    },
    save() {
      if (!isChanged && used.size === stored?.rows.size) return;
      const rows: Row[] = [];
      let offset = 0;
      for (const [key, { facts, text }] of used) {
        const length = typeof text === "string" ? Buffer.byteLength(text) : text[2];
        rows.push([key, offset, length, facts]);
        offset += length;
      }
      if (offset <= maxBytes) writeMemory(file, rows, used.values(), ({ text }) => bytesOf(text));
      else rmSync(file, { force: true });
    },
  };
}

const digestOf = (data: string | Uint8Array): string => hash("sha256", data, "hex");

function readMemory(file: string): { rows: ReadonlyMap<string, Row>; body: Buffer } | undefined {
  try {
    const bytes = readFileSync(file);
    if (bytes.toString("latin1", 0, magic.length) !== magic) return undefined;
    const covered = bytes.subarray(magic.length + 32);
    const expected = bytes.toString("hex", magic.length, magic.length + 32);
    if (hash("sha256", covered, "hex") !== expected) return undefined;
    const rowsEnd = headLength + bytes.readUInt32BE(magic.length + 32);
    const rows = JSON.parse(bytes.toString("utf8", headLength, rowsEnd)) as Row[];
    return { rows: new Map(rows.map((row) => [row[0], row])), body: bytes.subarray(rowsEnd) };
  } catch {
    return undefined;
  }
}

/** Piece by piece: all of it at once would be the largest thing in the builder's memory. */
function writeMemory<Text>(
  file: string,
  rows: readonly Row[],
  texts: Iterable<Text>,
  bytesOf: (text: Text) => Uint8Array,
): void {
  const json = Buffer.from(JSON.stringify(rows));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  const digest = createHash("sha256");
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${crypto.randomUUID()}.part`;
  const fd = openSync(fresh, "wx", 0o600);
  try {
    let at = magic.length + 32;
    const write = (bytes: Uint8Array): void => {
      digest.update(bytes);
      for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from, undefined, at + from);
      at += bytes.length;
    };
    for (const piece of inPieces([length, json], texts, bytesOf)) write(piece);
    const head = Buffer.concat([Buffer.from(magic), digest.digest()]);
    for (let from = 0; from < head.length;) from += writeSync(fd, head, from, undefined, from);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, file);
}

const pieceBytes = 1_048_576;

/** Small ones together: for each a call of the system would take longer than to write it. */
function* inPieces<Text>(
  first: readonly Uint8Array[],
  texts: Iterable<Text>,
  bytesOf: (text: Text) => Uint8Array,
): Generator<Uint8Array> {
  let parts: Uint8Array[] = [...first];
  let size = 0;
  for (const text of texts) {
    const bytes = bytesOf(text);
    parts.push(bytes);
    size += bytes.length;
    if (size < pieceBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  yield Buffer.concat(parts);
}
