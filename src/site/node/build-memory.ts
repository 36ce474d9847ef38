import { hash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { serialize } from "node:v8";
import type { BuildMemory, Remembered } from "../build-memory.ts";

/** A {@link BuildMemory} in one file. */
export interface StoredMemory extends BuildMemory {
  /** The bytes that were kept under a key. */
  recallBytes(key: string): Uint8Array | undefined;
  keepBytes(key: string, bytes: Uint8Array): void;
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
  const used = new Map<string, { facts: unknown; text: string | Uint8Array | Row }>();
  let isChanged = stored === undefined;
  const prefix = digestOf(stamp).slice(0, 16);
  const textOf = ([, offset, length]: Row): string =>
    stored?.body.toString("utf8", offset, offset + length) ?? "";

  const bytesOf = (text: string | Uint8Array | Row): Uint8Array => {
    if (typeof text === "string") return Buffer.from(text);
    if (text instanceof Uint8Array) return text;
    return stored?.body.subarray(text[1], text[1] + text[2]) ?? new Uint8Array();
  };

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
    recallBytes(key) {
      const row = stored?.rows.get(prefix + key);
      if (row === undefined) return undefined;
      used.set(prefix + key, { facts: undefined, text: row });
      return new Uint8Array(
        stored?.body.buffer ?? new ArrayBuffer(0),
        (stored?.body.byteOffset ?? 0) + row[1],
        row[2],
      );
    },
    keepBytes(key, bytes) {
      isChanged = true;
      used.set(prefix + key, { facts: undefined, text: bytes });
    },
    keep(key, facts, text) {
      isChanged = true;
      used.set(prefix + key, { facts, text });
    },
    save() {
      if (!isChanged && used.size === stored?.rows.size) return;
      const rows: Row[] = [];
      const parts: Uint8Array[] = [];
      let offset = 0;
      for (const [key, { facts, text }] of used) {
        const bytes = bytesOf(text);
        rows.push([key, offset, bytes.length, facts]);
        parts.push(bytes);
        offset += bytes.length;
      }
      if (offset <= maxBytes) writeMemory(file, rows, parts);
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

function writeMemory(file: string, rows: readonly Row[], parts: readonly Uint8Array[]): void {
  const json = Buffer.from(JSON.stringify(rows));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  const covered = Buffer.concat([length, json, ...parts]);
  const bytes = Buffer.concat([Buffer.from(magic), hash("sha256", covered, "buffer"), covered]);
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${crypto.randomUUID()}.part`;
  writeFileSync(fresh, bytes, { mode: 0o600 });
  renameSync(fresh, file);
}
