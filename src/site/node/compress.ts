import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip, zstdCompress } from "node:zlib";
import { hash } from "node:crypto";
import type { Encoding } from "../../contract/index.ts";
import { openMemory } from "./build-memory.ts";
import type { StoredMemory } from "./build-memory.ts";

type Compressed = Exclude<Encoding, "identity">;

interface Method {
  readonly encoding: Compressed;
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array>;
}

const methods: readonly Method[] = [
  {
    encoding: "br",
    compress: (bytes) =>
      promisify(brotliCompress)(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: 11,
          [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
  },
  { encoding: "gzip", compress: (bytes) => promisify(gzip)(bytes, { level: 9 }) },
  {
    encoding: "zstd",
    compress: (bytes) =>
      // Without the size it makes ready for 8 MB: 48 ms a page, nearly all of it the system's.
      promisify(zstdCompress)(bytes, {
        pledgedSrcSize: bytes.length,
        params: { [constants.ZSTD_c_compressionLevel]: 19 },
      }),
  },
];

/** What compresses, by encoding. Another version may write other bytes of the same meaning. */
export const encoders: Readonly<Record<Compressed, string>> = {
  br: `brotli ${process.versions.brotli}, quality 11`,
  gzip: `zlib ${process.versions.zlib}, level 9`,
  zstd: `zstd ${process.versions.zstd}, level 19, of known size`,
};

const stamp = Object.values(encoders).join();

/** A file below this size is sent in one packet however it is encoded. */
const minBytes = 256;

/**
 * Compresses files with brotli 11, gzip 9 and zstd 19, each where that is smaller. What was compressed before comes from `cacheFolder`, found by
 * the hash of the bytes; what this run did not need is removed from there.
 *
 * @returns the encodings of each file, in the same order
 */
export async function compressAll(
  files: readonly Uint8Array[],
  cacheFolder: string,
  onFile: (done: number) => void = () => {},
): Promise<Partial<Record<Compressed, Uint8Array>>[]> {
  const shelf = new Shelf(cacheFolder);
  const results: Partial<Record<Compressed, Uint8Array>>[] = Array.from({ length: files.length });
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < files.length; index = next++) {
      results[index] = await compressOne(files[index] ?? new Uint8Array(), shelf);
      onFile(++done);
    }
  };
  // Compression itself runs on the thread pool: one job a core keeps them all busy.
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), files.length) }, work));
  shelf.save();
  return results;
}

async function compressOne(
  bytes: Uint8Array,
  shelf: Shelf,
): Promise<Partial<Record<Compressed, Uint8Array>>> {
  const variants: Partial<Record<Compressed, Uint8Array>> = {};
  if (bytes.length < minBytes) return variants;
  const digest = hash("sha256", bytes);
  const memory = shelf.of(digest);
  for (const { encoding, compress } of methods) {
    const key = `${encoding} ${digest}`;
    let compressed = memory.recallBytes(key);
    if (compressed === undefined) {
      compressed = await compress(bytes);
      memory.keepBytes(key, compressed);
    }
    if (compressed.length < bytes.length) variants[encoding] = compressed;
  }
  return variants;
}

/** Sixteen memories by the first digit of a hash, so that one new file does not write all of them again. */
class Shelf {
  readonly #memories = new Map<string, StoredMemory>();

  constructor(folder: string) {
    for (const digit of "0123456789abcdef")
      this.#memories.set(digit, openMemory(join(folder, `compressed-${digit}.memory`), stamp));
  }

  of(digest: string): StoredMemory {
    const memory = this.#memories.get(digest.charAt(0));
    if (memory === undefined) throw new TypeError("not a hexadecimal digest");
    return memory;
  }

  save(): void {
    for (const memory of this.#memories.values()) memory.save();
  }
}
