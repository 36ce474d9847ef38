import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip, zstdCompress } from "node:zlib";
import type { Encoding } from "../../contract/index.ts";

type Compressed = Exclude<Encoding, "identity">;

/** The smaller forms of some bytes. */
export type Variants = Readonly<Partial<Record<Compressed, Uint8Array>>>;

/** Compresses one file after another, and remembers what it made. */
export interface Compressor {
  /** What compresses, by encoding; other versions write other bytes. */
  readonly encoders: Readonly<Record<Compressed, string>>;
  /** Forms that are smaller than the bytes; none for few bytes and for very many. */
  compress(bytes: Uint8Array, sha256: string): Promise<Variants>;
  /** Forgets what was not asked for since this compressor was made. */
  forgetRest(): Promise<void>;
}

interface Method {
  readonly encoding: Compressed;
  readonly encoder: string;
  readonly run: (bytes: Uint8Array) => Promise<Uint8Array>;
}

const methods: readonly Method[] = [
  {
    encoding: "br",
    encoder: `brotli ${process.versions.brotli}, quality 11`,
    run: (bytes) =>
      promisify(brotliCompress)(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: 11,
          [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
  },
  {
    encoding: "gzip",
    encoder: `zlib ${process.versions.zlib}, level 9`,
    run: (bytes) => promisify(gzip)(bytes, { level: 9 }),
  },
  {
    encoding: "zstd",
    encoder: `zstd ${process.versions.zstd}, level 19`,
    run: (bytes) =>
      promisify(zstdCompress)(bytes, {
        pledgedSrcSize: bytes.length,
        params: { [constants.ZSTD_c_compressionLevel]: 19 },
      }),
  },
];

/** A file below this size is sent in one packet however it is encoded. */
const minBytes = 256;
/** Above it, the best compression takes minutes and as much memory again. */
const maxBytes = 33_554_432;

/** Creates a compressor that keeps what it made in a folder, a file for each content, found by its hash. */
export function createCompressor(folder: string): Compressor {
  const stamp = digestOf(methods.map(({ encoder }) => encoder).join())
    .toString("hex")
    .slice(0, 16);
  const shelf = join(folder, `packed-${stamp}`);
  const used = new Set<string>();
  return {
    encoders: Object.fromEntries(methods.map(({ encoding, encoder }) => [encoding, encoder])) as Record<
      Compressed,
      string
    >,
    async compress(bytes, sha256) {
      if (bytes.length < minBytes || bytes.length > maxBytes) return {};
      used.add(sha256);
      const place = join(shelf, sha256.slice(0, 2), sha256);
      const kept = await readKept(place);
      if (kept !== undefined) return kept;
      const smaller: Uint8Array[] = [];
      // One after the other: each takes memory of its own, and other files keep the other cores busy.
      for (const { run } of methods) {
        const form = await run(bytes);
        smaller.push(form.length < bytes.length ? form : new Uint8Array(0));
      }
      await keep(place, smaller);
      return named(smaller);
    },
    async forgetRest() {
      for (const name of await namesIn(folder))
        if (name.startsWith("packed-") && join(folder, name) !== shelf)
          await rm(join(folder, name), { recursive: true, force: true });
      for (const part of await namesIn(shelf))
        for (const name of await namesIn(join(shelf, part)))
          if (!used.has(name)) await rm(join(shelf, part, name), { force: true });
    },
  };
}

const named = (forms: readonly Uint8Array[]): Variants =>
  Object.fromEntries(
    methods.flatMap(({ encoding }, index) => {
      const form = forms[index];
      return form === undefined || form.length === 0 ? [] : [[encoding, form]];
    }),
  );

const digestOf = (bytes: Uint8Array | string): Buffer => createHash("sha256").update(bytes).digest();

/** SHA-256 of what follows; the length of each form; the forms. */
const headBytes = 32 + 4 * methods.length;

async function keep(place: string, forms: readonly Uint8Array[]): Promise<void> {
  const lengths = Buffer.alloc(4 * methods.length);
  for (const [index, form] of forms.entries()) lengths.writeUInt32BE(form.length, index * 4);
  const body = Buffer.concat([lengths, ...forms]);
  const part = `${place}.${crypto.randomUUID()}.part`;
  try {
    await mkdir(join(place, ".."), { recursive: true });
    await writeFile(part, Buffer.concat([digestOf(body), body]));
    await rename(part, place);
  } catch {
    // It is only remembered to save time: without it, the next build compresses again.
    await rm(part, { force: true });
  }
}

/** What was kept, unless it is absent or damaged. */
async function readKept(place: string): Promise<Variants | undefined> {
  const bytes = await readFile(place).catch(() => undefined);
  if (bytes === undefined || bytes.length < headBytes) return undefined;
  const body = bytes.subarray(32);
  if (!digestOf(body).equals(bytes.subarray(0, 32))) return undefined;
  let at = 4 * methods.length;
  const forms = methods.map((_, index) => {
    const from = at;
    at += body.readUInt32BE(index * 4);
    return body.subarray(from, at);
  });
  return named(forms);
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
