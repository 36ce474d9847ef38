import { hash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip, zstdCompress } from "node:zlib";

/** How bytes are compressed, as Content-Encoding names it. */
export type Compressed = "br" | "gzip" | "zstd";

/** The smaller forms of some bytes. */
export type CompressedForms = Readonly<Partial<Record<Compressed, Uint8Array>>>;

/** Compresses one file after another, and remembers what it made. */
export interface Compressor {
  /** What compresses, by encoding. Other versions write other bytes of the same meaning. */
  readonly encoders: Readonly<Record<Compressed, string>>;
  /**
   * The forms that are smaller than the bytes; none for few bytes and for very many.
   *
   * @param sha256 of the bytes, hexadecimal
   */
  compress(bytes: Uint8Array, sha256: string): Promise<CompressedForms>;
  /** Forgets what was not asked for since this compressor was made. */
  forgetRest(): void;
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
    encoder: `zstd ${process.versions.zstd}, level 19, of known size`,
    // Without the size it makes ready for 8 MB: 48 ms a page, nearly all of it the system's.
    run: (bytes) =>
      promisify(zstdCompress)(bytes, {
        pledgedSrcSize: bytes.length,
        params: { [constants.ZSTD_c_compressionLevel]: 19 },
      }),
  },
];

const encoders = Object.fromEntries(
  methods.map(({ encoding, encoder }) => [encoding, encoder]),
) as Compressor["encoders"];

/** A file below this size is sent in one packet however it is encoded. */
const minBytes = 256;
/** Above it, the best compression takes minutes and as much memory again. */
const maxBytes = 33_554_432;
const prefix = "packed-";

/**
 * Creates a compressor (brotli 11, gzip 9, zstd 19) that keeps what it made in a folder: a file for each content, found by its hash, so
 * that nothing but the list of names stays in memory.
 */
export function createCompressor(folder: string): Compressor {
  const stamp = hash("sha256", Object.values(encoders).join()).slice(0, 16);
  const shelf = join(folder, prefix + stamp);
  const used = new Set<string>();
  return {
    encoders,
    async compress(bytes, sha256) {
      if (bytes.length < minBytes || bytes.length > maxBytes) return {};
      used.add(sha256);
      const place = join(shelf, sha256.slice(0, 2), sha256);
      const kept = readKept(place);
      if (kept !== undefined) return kept;
      const smaller: Uint8Array[] = [];
      // One after the other: each takes memory of its own, and other files keep the other cores busy.
      for (const { run } of methods) {
        const form = await run(bytes);
        smaller.push(form.length < bytes.length ? form : new Uint8Array(0));
      }
      keep(place, smaller);
      return named(smaller);
    },
    forgetRest() {
      for (const name of namesIn(folder)) if (isOutdated(name, prefix + stamp)) remove(join(folder, name));
      for (const part of namesIn(shelf))
        for (const name of namesIn(join(shelf, part))) if (!used.has(name)) remove(join(shelf, part, name));
    },
  };
}

/** A shelf of other encoders, or what compressors before this one kept. */
const isOutdated = (name: string, current: string): boolean =>
  (name.startsWith(prefix) && name !== current) || /^compressed-[0-9a-f]\.memory$/.test(name);

/** It is only remembered to save time: what can't be removed stays. */
function remove(place: string): void {
  try {
    rmSync(place, { recursive: true, force: true });
  } catch {}
}

const named = (forms: readonly Uint8Array[]): CompressedForms =>
  Object.fromEntries(
    methods.flatMap(({ encoding }, index) => {
      const form = forms[index];
      return form === undefined || form.length === 0 ? [] : [[encoding, form]];
    }),
  );

/** SHA-256 of what follows; the length of each form; the forms. */
const digestBytes = 32;
const headBytes = digestBytes + 4 * methods.length;

function keep(place: string, forms: readonly Uint8Array[]): void {
  const lengths = Buffer.alloc(4 * methods.length);
  for (const [index, form] of forms.entries()) lengths.writeUInt32BE(form.length, index * 4);
  const body = Buffer.concat([lengths, ...forms]);
  const part = `${place}.${crypto.randomUUID()}.part`;
  try {
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(part, Buffer.concat([hash("sha256", body, "buffer"), body]));
    renameSync(part, place);
  } catch {
    // Without it, the next build compresses again.
    remove(part);
  }
}

/** What was kept, unless it is absent or damaged. Read at once: the files are small, and waiting for each costs more than reading it. */
function readKept(place: string): CompressedForms | undefined {
  const bytes = readIfThere(place);
  if (bytes === undefined || bytes.length < headBytes) return undefined;
  const body = bytes.subarray(digestBytes);
  if (!hash("sha256", body, "buffer").equals(bytes.subarray(0, digestBytes))) return undefined;
  let at = 4 * methods.length;
  const forms = methods.map((_, index) => {
    const from = at;
    at += body.readUInt32BE(index * 4);
    return body.subarray(from, at);
  });
  return named(forms);
}

function readIfThere(place: string): Buffer | undefined {
  try {
    return readFileSync(place);
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
