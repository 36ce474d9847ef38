import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from "node:zlib";
import type { Encoding } from "../../contract/index.ts";
import { sha256, toHex } from "../../shared/index.ts";

type Compressed = Exclude<Encoding, "identity">;

interface Method {
  readonly encoding: Compressed;
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array>;
  readonly expand: (bytes: Uint8Array, maxBytes: number) => Promise<Uint8Array>;
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
    expand: (bytes, maxOutputLength) => promisify(brotliDecompress)(bytes, { maxOutputLength }),
  },
  {
    encoding: "gzip",
    compress: (bytes) => promisify(gzip)(bytes, { level: 9 }),
    expand: (bytes, maxOutputLength) => promisify(gunzip)(bytes, { maxOutputLength }),
  },
];

/** A file below this size is sent in one packet however it is encoded. */
const minBytes = 256;

/**
 * Compresses files with brotli 11 and gzip 9, each where that is smaller. What was compressed before comes from `cacheFolder`,
 * found by the hash of the bytes and checked by expanding it; what this run did not need is removed from there.
 *
 * @returns the encodings of each file, in the same order
 */
export async function compressAll(
  files: readonly Uint8Array[],
  cacheFolder: string,
  onFile: (done: number) => void = () => {},
): Promise<Partial<Record<Compressed, Uint8Array>>[]> {
  await mkdir(cacheFolder, { recursive: true });
  const used = new Set<string>();
  const results: Partial<Record<Compressed, Uint8Array>>[] = Array.from({ length: files.length });
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < files.length; index = next++) {
      results[index] = await compressOne(files[index] ?? new Uint8Array(), cacheFolder, used);
      onFile(++done);
    }
  };
  // Compression itself runs on the thread pool: one job a core keeps them all busy.
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), files.length) }, work));
  await removeUnused(cacheFolder, used);
  return results;
}

async function compressOne(
  bytes: Uint8Array,
  folder: string,
  used: Set<string>,
): Promise<Partial<Record<Compressed, Uint8Array>>> {
  const variants: Partial<Record<Compressed, Uint8Array>> = {};
  if (bytes.length < minBytes) return variants;
  const digest = toHex(await sha256(bytes));
  for (const method of methods) {
    const name = `${digest}.${method.encoding}`;
    used.add(name);
    const compressed =
      (await fromCache(join(folder, name), bytes, method)) ??
      (await compressAnew(folder, name, bytes, method));
    if (compressed.length < bytes.length) variants[method.encoding] = compressed;
  }
  return variants;
}

async function fromCache(
  path: string,
  bytes: Uint8Array,
  { expand }: Method,
): Promise<Uint8Array | undefined> {
  try {
    const compressed = await readFile(path);
    const expanded = await expand(compressed, bytes.length);
    return Buffer.compare(expanded, bytes) === 0 ? compressed : undefined;
  } catch {
    // Absent, or damaged: it is made anew.
    return undefined;
  }
}

async function compressAnew(
  folder: string,
  name: string,
  bytes: Uint8Array,
  { compress }: Method,
): Promise<Uint8Array> {
  const compressed = await compress(bytes);
  const part = join(folder, `${name}.${crypto.randomUUID()}.part`);
  await writeFile(part, compressed);
  await rename(part, join(folder, name));
  return compressed;
}

async function removeUnused(folder: string, used: ReadonlySet<string>): Promise<void> {
  const ours = /^[0-9a-f]{64}\.(?:br|gzip)$/;
  for (const name of await readdir(folder)) {
    if (ours.test(name) && !used.has(name)) await rm(join(folder, name), { force: true });
  }
}
