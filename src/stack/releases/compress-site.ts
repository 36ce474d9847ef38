import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, zstdDecompress } from "node:zlib";
import type { Header } from "../../contract/index.ts";
import { written } from "../../harden/node.ts";
import type { HardenedFile } from "../../harden/node.ts";
import type { Compression, DeclaredEncoding } from "../../hosts/index.ts";
import { createCompressor } from "../../shared/node.ts";

/** The compressed forms of a site's contents, by the SHA-256 of the plain bytes. */
export type SiteEncodings = ReadonlyMap<string, readonly DeclaredEncoding[]>;

const expanders: Readonly<
  Record<Compression, (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>>
> = { br: promisify(brotliDecompress), gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };

/** Types whose bytes are not compressed already. */
const worthwhile =
  /^(?:text\/|application\/(?:[\w.+-]*(?:json|xml)|javascript|wasm|vnd\.ms-fontobject)|image\/(?:svg\+xml|x-icon|bmp)|font\/(?:ttf|otf))/;

/**
 * Compresses a hardened site's files for hosts that send forms made before, and lays the smaller ones beside them, under their SHA-256.
 * Equal contents once, as many at a time as there are cores: zlib has threads of its own. What was made before comes from `cacheFolder`,
 * and is sent only if it expands to the very bytes: whoever can write to a cache must not be able to change a site.
 */
export async function compressSite(
  files: readonly HardenedFile[],
  blobs: string,
  cacheFolder: string,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<SiteEncodings> {
  const compressor = createCompressor(cacheFolder);
  const contents = [
    ...new Set(files.filter(({ headers }) => worthwhile.test(typeOf(headers))).map(({ sha256 }) => sha256)),
  ];
  const encodings = new Map<string, readonly DeclaredEncoding[]>();
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let sha256 = contents[next++]; sha256 !== undefined; sha256 = contents[next++]) {
      const bytes = readFileSync(join(blobs, sha256));
      const forms = Object.entries(await compressor.compress(bytes, sha256)) as [Compression, Uint8Array][];
      const kept: DeclaredEncoding[] = [];
      for (const [encoding, form] of forms) {
        if (form.length >= bytes.length || !(await isFormOf(form, encoding, bytes))) continue;
        const digest = createHash("sha256").update(form).digest("hex");
        written(() => writeFileSync(join(blobs, digest), form));
        kept.push({ encoding, sha256: digest });
      }
      encodings.set(sha256, kept);
      onProgress(++done, contents.length);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  compressor.forgetRest();
  return encodings;
}

async function isFormOf(form: Uint8Array, encoding: Compression, bytes: Uint8Array): Promise<boolean> {
  try {
    const expanded = await expanders[encoding](form, { maxOutputLength: bytes.length });
    return Buffer.compare(expanded, bytes) === 0;
  } catch {
    return false;
  }
}

const typeOf = (headers: readonly Header[]): string =>
  headers.find(([name]) => name === "content-type")?.[1] ?? "";
