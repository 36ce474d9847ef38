import { CurtainwallError, sha256, toHex } from "../shared/index.ts";
import type { Header } from "./security-headers.ts";

/** How a file's bytes are encoded in the release. */
export type Encoding = "identity" | "br" | "gzip";

/** Where one encoding of a file lies among the release's bytes. */
export interface ReleaseVariant {
  readonly encoding: Encoding;
  /** From the first byte after the manifest. */
  readonly offset: number;
  readonly length: number;
  /** SHA-256 of these bytes, hexadecimal. Also what the strong ETag is made of. */
  readonly sha256: string;
}

/** One file of a release. */
export interface ReleaseFile {
  /** Absolute URL path, decoded: `/`, `/about/`, `/assets/site.3f2a.css`. */
  readonly path: string;
  /** Every header of a 200 that is the same for all encodings: content-type, cache-control, vary and the security headers. Lower-case names. */
  readonly headers: readonly Header[];
  /** Identity first. */
  readonly variants: readonly ReleaseVariant[];
}

/** The table of contents of a release. */
export interface ReleaseManifest {
  readonly format: 1;
  /** Sorted by path. */
  readonly files: readonly ReleaseFile[];
  /** Path of the page that is sent with a 404, if the site has one. */
  readonly notFound?: string;
}

/** A file to be put into a release. */
export interface ReleaseInput {
  path: string;
  headers: readonly Header[];
  /** Identity must be among them. */
  bytes: Partial<Record<Encoding, Uint8Array>>;
}

/** A release that has been read and checked. */
export interface Release {
  readonly manifest: ReleaseManifest;
  /** SHA-256 of the manifest, hexadecimal: the release's name. */
  readonly digest: string;
  /** All variants' bytes; a variant's offset counts from here. */
  readonly body: Uint8Array;
}

const magic = new TextEncoder().encode("curtainwall-release 1\n");
const encodings: readonly Encoding[] = ["identity", "br", "gzip"];
const headerLength = magic.length + 4;

/**
 * Packs files into one release: magic, length of the manifest (32 bit, big endian), manifest as JSON, bytes. The same files
 * give the same release, byte for byte; equal bytes are stored once.
 */
export async function encodeRelease(
  inputs: readonly ReleaseInput[],
  options: { notFound?: string } = {},
): Promise<Uint8Array> {
  const blobs = new Map<string, { offset: number; bytes: Uint8Array }>();
  let end = 0;
  const files: ReleaseFile[] = [];
  for (const input of [...inputs].sort((left, right) => (left.path < right.path ? -1 : 1))) {
    const variants: ReleaseVariant[] = [];
    for (const encoding of encodings) {
      const bytes = input.bytes[encoding];
      if (bytes === undefined) continue;
      const digest = toHex(await sha256(bytes));
      let blob = blobs.get(digest);
      if (blob === undefined) {
        blob = { offset: end, bytes };
        blobs.set(digest, blob);
        end += bytes.length;
      }
      variants.push({ encoding, offset: blob.offset, length: bytes.length, sha256: digest });
    }
    files.push({ path: input.path, headers: input.headers, variants });
  }
  const manifest: ReleaseManifest = { format: 1, files, ...options };
  const json = new TextEncoder().encode(JSON.stringify(manifest));
  const pack = new Uint8Array(headerLength + json.length + end);
  pack.set(magic);
  new DataView(pack.buffer).setUint32(magic.length, json.length);
  pack.set(json, headerLength);
  for (const { offset, bytes } of blobs.values()) pack.set(bytes, headerLength + json.length + offset);
  return pack;
}

/**
 * Reads a release and checks every byte of it against its manifest.
 *
 * @throws {CurtainwallError} `RELEASE_FORMAT_INVALID` when it is no release, is cut short, or its manifest is malformed;
 *   `RELEASE_DIGEST_MISMATCH` when a file's bytes are not those that the manifest names.
 */
export async function decodeRelease(pack: Uint8Array): Promise<Release> {
  if (pack.length < headerLength || !magic.every((byte, index) => pack[index] === byte)) {
    throw invalid("it does not begin like a release", "Build it with this version: npx curtainwall build");
  }
  const manifestLength = new DataView(pack.buffer, pack.byteOffset).getUint32(magic.length);
  const json = pack.subarray(headerLength, headerLength + manifestLength);
  if (json.length < manifestLength) throw invalid("it is cut short");
  const manifest = parseManifest(json);
  const body = pack.subarray(headerLength + manifestLength);
  let end = 0;
  for (const file of manifest.files) {
    for (const variant of file.variants) {
      await assertBytes(file.path, variant, body);
      end = Math.max(end, variant.offset + variant.length);
    }
  }
  if (end < body.length) throw invalid("it goes on after the last file that its manifest names");
  return { manifest, digest: toHex(await sha256(unshared(json))), body };
}

async function assertBytes(path: string, variant: ReleaseVariant, body: Uint8Array): Promise<void> {
  const bytes = body.subarray(variant.offset, variant.offset + variant.length);
  if (bytes.length !== variant.length) throw invalid(`it is cut short inside ${path}`);
  if (toHex(await sha256(unshared(bytes))) !== variant.sha256) {
    throw new CurtainwallError(
      "RELEASE_DIGEST_MISMATCH",
      `The release's bytes of ${path} (${variant.encoding}) are not those that its manifest names.`,
      {
        hint: "It was changed or damaged after it was built. Build it again: npx curtainwall build",
      },
    );
  }
}

/** The bytes, copied if they lie in shared memory: Web Crypto and TextDecoder don't read from there. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
}

function invalid(what: string, hint?: string): CurtainwallError {
  return new CurtainwallError(
    "RELEASE_FORMAT_INVALID",
    `The release can't be read: ${what}.`,
    hint === undefined ? {} : { hint },
  );
}

const isText = (value: unknown): value is string => typeof value === "string";
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
/** A field name, in lower case (RFC 9110 §5.1). */
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** A field value without control characters (RFC 9110 §5.5). */
const headerValue = /^[\u0020-\u007e\u0080-\u00ff]*$/;

function parseManifest(json: Uint8Array): ReleaseManifest {
  let value: ReleaseManifest;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(unshared(json)));
  } catch {
    throw invalid("its manifest is not JSON");
  }
  if (value?.format !== 1 || !Array.isArray(value.files))
    throw invalid("its manifest has another format", "Build it with this version: npx curtainwall build");
  const paths = new Set<string>();
  for (const file of value.files) {
    if (!isWellFormed(file) || paths.has(file.path))
      throw invalid(`its manifest's entry ${JSON.stringify(file?.path)} is malformed`);
    paths.add(file.path);
  }
  if (value.notFound !== undefined && !paths.has(value.notFound))
    throw invalid("its manifest names a 404 page that it does not hold");
  return value;
}

function isWellFormed(file: ReleaseFile): boolean {
  return (
    isText(file?.path) &&
    file.path.startsWith("/") &&
    Array.isArray(file.headers) &&
    Array.isArray(file.variants) &&
    file.headers.every(
      (header) =>
        isText(header?.[0]) && isText(header[1]) && headerName.test(header[0]) && headerValue.test(header[1]),
    ) &&
    file.variants[0]?.encoding === "identity" &&
    new Set(file.variants.map((variant) => variant?.encoding)).size === file.variants.length &&
    file.variants.every(
      (variant) =>
        encodings.includes(variant?.encoding) &&
        isCount(variant.offset) &&
        isCount(variant.length) &&
        isText(variant.sha256),
    )
  );
}
