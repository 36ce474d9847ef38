import { CurtainwallError, sha256, toHex, printable } from "../../shared/index.ts";
import { checkOf } from "./encode.ts";
import { detachedMagic, endMagic, invalidRelease, magic, trailerLength, unshared } from "./format.ts";
import type { Digest, Release, ReleaseManifest } from "./format.ts";
import { parseManifest } from "./manifest.ts";
import type { Blob } from "./manifest.ts";

/** Blobs, and bytes of them, that are hashed at once: hashing waits for threads of its own, which work on copies. */
const hashedAtOnce = { blobs: 16, bytes: 33_554_432 };

const digestOfCopy: Digest = (bytes) => sha256(unshared(bytes));

/**
 * Reads a release and checks every byte of it. That proves that it is whole and unchanged since it was written, not who wrote it:
 * for that see `acceptRelease`.
 *
 * @param digest what hashes files. Default: Web Crypto, which copies each of them, twice if they are shared
 * @throws {CurtainwallError} `RELEASE_FORMAT_INVALID` when it is no release, is cut short, or anything but a file's bytes was changed;
 *   `RELEASE_DIGEST_MISMATCH` when a file's bytes are not those that the manifest names.
 */
export async function decodeRelease(pack: Uint8Array, digest: Digest = digestOfCopy): Promise<Release> {
  const index = await readIndex({
    size: pack.length,
    read: (offset, length) => unshared(pack.subarray(offset, offset + length)),
  });
  if (index.isDetached) throw invalidRelease("it is a manifest without its files");
  const body = pack.subarray(magic.length, magic.length + index.bodyLength);
  await assertBlobs(index, body, digest);
  return { manifest: index.manifest, digest: index.digest, body, signatures: index.signatures };
}

/** Something that a release's parts can be read from: a file, memory. */
export interface ReleaseSource {
  readonly size: number;
  /** May give fewer bytes than asked for, if there are no more. */
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>;
}

/** What a release says of itself; its files' bytes are not looked at. */
export type ReleaseIndex = Omit<Release, "body">;

/**
 * Reads a release's manifest and signatures from its end, and leaves its files where they are. Takes a detached manifest too.
 *
 * @throws {CurtainwallError} `RELEASE_FORMAT_INVALID`
 */
export async function readReleaseIndex(source: ReleaseSource): Promise<ReleaseIndex> {
  const { manifest, digest, signatures } = await readIndex(source);
  return { manifest, digest, signatures };
}

/**
 * Cuts a release's files off: what is left tells everything about them, under the same name and the same signatures.
 *
 * @param signatures to put in place of its own
 * @throws {CurtainwallError} `RELEASE_FORMAT_INVALID`
 */
export async function detachManifest(source: ReleaseSource, signatures?: string): Promise<Uint8Array> {
  const index = await readIndex(source);
  const signed = new TextEncoder().encode(signatures ?? index.signatures);
  const trailer = index.trailer.slice();
  new DataView(trailer.buffer).setUint32(12, signed.length);
  trailer.set(await checkOf(signed, trailer), trailerLength - endMagic.length - 32);
  const parts = [detachedMagic, index.json, signed, trailer];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

interface OpenIndex extends ReleaseIndex {
  isDetached: boolean;
  bodyLength: number;
  blobs: readonly Blob[];
  json: Uint8Array;
  trailer: Uint8Array;
}

async function readIndex({ size, read }: ReleaseSource): Promise<OpenIndex> {
  const isDetached = await readMagic(read);
  const head = isDetached ? detachedMagic : magic;
  const trailer = await read(Math.max(size - trailerLength, 0), trailerLength);
  const endAt = trailerLength - endMagic.length;
  if (size < head.length + trailerLength || !begins(trailer.subarray(endAt), endMagic))
    throw invalidRelease("it is cut short");
  const view = new DataView(trailer.buffer, trailer.byteOffset);
  const bodyLength = Number(view.getBigUint64(0));
  const manifestLength = view.getUint32(8);
  const signedLength = view.getUint32(12);
  const present = isDetached ? 0 : bodyLength;
  if (head.length + present + manifestLength + signedLength + trailerLength !== size)
    throw invalidRelease("its parts are not as long as it says");
  const json = await read(head.length + present, manifestLength);
  const signed = await read(head.length + present + manifestLength, signedLength);
  const digest = toHex(await sha256(json));
  if (toHex(trailer.subarray(16, endAt)) !== digest + toHex(await checkOf(signed, trailer)))
    throw invalidRelease("its manifest, its signatures or its end were changed after it was built");
  const signatures = new TextDecoder().decode(signed);
  return { ...parseManifest(json, bodyLength), digest, signatures, isDetached, bodyLength, json, trailer };
}

async function readMagic(read: ReleaseSource["read"]): Promise<boolean> {
  const head = await read(0, Math.max(magic.length, detachedMagic.length));
  if (begins(head, magic)) return false;
  if (begins(head, detachedMagic)) return true;
  throw invalidRelease(
    "it does not begin like a release",
    "Build it with this version: npx curtainwall build",
  );
}

const begins = (bytes: Uint8Array, start: Uint8Array): boolean =>
  start.every((byte, index) => bytes[index] === byte);

/** Checks all bytes, also those that no file names: what is in a release was put there by its builder. */
async function assertBlobs(
  { blobs, manifest }: Pick<OpenIndex, "blobs" | "manifest">,
  body: Uint8Array,
  digest: Digest,
): Promise<void> {
  for (let from = 0; from < blobs.length;) {
    const some = takeSome(blobs, from);
    await Promise.all(some.map((blob) => assertBlob(blob, body, manifest, digest)));
    from += some.length;
  }
}

/** One at least. */
function takeSome(blobs: readonly Blob[], from: number): readonly Blob[] {
  let to = from + 1;
  let bytes = blobs[from]?.length ?? 0;
  while (to < blobs.length && to - from < hashedAtOnce.blobs) {
    bytes += blobs[to]?.length ?? 0;
    if (bytes > hashedAtOnce.bytes) break;
    to++;
  }
  return blobs.slice(from, to);
}

async function assertBlob(
  blob: Blob,
  body: Uint8Array,
  { files }: ReleaseManifest,
  digest: Digest,
): Promise<void> {
  const bytes = body.subarray(blob.offset, blob.offset + blob.length);
  if (toHex(await digest(bytes)) === blob.sha256) return;
  const owner = files.flatMap(({ path, variants }) =>
    variants
      .filter(({ sha256: named }) => named === blob.sha256)
      .map(({ encoding }) => `${path} (${encoding})`),
  );
  throw new CurtainwallError(
    "RELEASE_DIGEST_MISMATCH",
    `The release's bytes of ${printable(owner[0] ?? "a part that no file names")} are not those that its manifest names.`,
    { hint: "It was changed or damaged after it was built. Build it again: npx curtainwall build" },
  );
}
