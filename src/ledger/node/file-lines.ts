import type { FileHandle } from "node:fs/promises";

/** A line of a file without its line feed, or what there is of one. */
export interface FilePiece {
  readonly bytes: Buffer;
  /** A part is of a line that is longer than any record, its last part too; the rest is a last line that has no end, or not yet. */
  readonly kind: "line" | "part" | "rest";
}

const chunkBytes = 262_144;
/** No record is longer. What is comes in parts, so that no file takes more memory than another. */
const maxLineBytes = 1_048_576;
const lineFeed = 10;

/** Reads the lines of a file from a place on, in bounded memory whatever stands there. */
export async function* fileLines(file: FileHandle, from = 0): AsyncGenerator<FilePiece> {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let isLong = false;
  for (let at = from; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    const bytes = buffer.subarray(0, bytesRead);
    let start = 0;
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      yield { bytes: Buffer.concat([...kept, bytes.subarray(start, end)]), kind: isLong ? "part" : "line" };
      [kept, keptBytes, isLong, start] = [[], 0, false, end + 1];
    }
    kept.push(bytes.subarray(start));
    keptBytes += bytesRead - start;
    if (keptBytes <= maxLineBytes) continue;
    isLong = true;
    yield { bytes: Buffer.concat(kept), kind: "part" };
    [kept, keptBytes] = [[], 0];
  }
  if (keptBytes > 0) yield { bytes: Buffer.concat(kept), kind: isLong ? "part" : "rest" };
}
