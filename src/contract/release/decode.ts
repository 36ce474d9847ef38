import { CurtainwallError, sha256, toHex } from "../../shared/index.ts";
import { checkOf } from "./encode.ts";
import { endMagic, invalidRelease, magic, trailerLength, unshared } from "./format.ts";
import type { Release, ReleaseManifest } from "./format.ts";
import { parseManifest } from "./manifest.ts";
import type { Blob } from "./manifest.ts";

/** Blobs that are hashed at once: hashing waits for threads of its own. */
const hashedAtOnce = 16;

/**
 * Reads a release and checks every byte of it. That proves that it is whole and unchanged since it was written, not who wrote it:
 * for that see `acceptRelease`.
 *
 * @throws {CurtainwallError} `RELEASE_FORMAT_INVALID` when it is no release, is cut short, or anything but a file's bytes was changed;
 *   `RELEASE_DIGEST_MISMATCH` when a file's bytes are not those that the manifest names.
 */
export async function decodeRelease(pack: Uint8Array): Promise<Release> {
  const { json, signed, body, digest } = await openPack(pack);
  const { manifest, blobs } = parseManifest(json, body.length);
  await assertBlobs(blobs, body, manifest);
  return { manifest, digest, body, signatures: new TextDecoder().decode(unshared(signed)) };
}

interface OpenPack {
  json: Uint8Array;
  signed: Uint8Array;
  body: Uint8Array;
  digest: string;
}

/** Finds the parts of a pack from its end, and checks all but the body. */
async function openPack(pack: Uint8Array): Promise<OpenPack> {
  if (!magic.every((byte, index) => pack[index] === byte))
    throw invalidRelease(
      "it does not begin like a release",
      "Build it with this version: npx curtainwall build",
    );
  const trailerAt = pack.length - trailerLength;
  const trailer = unshared(pack.subarray(Math.max(trailerAt, 0)));
  const endAt = trailerLength - endMagic.length;
  if (trailerAt < magic.length || !endMagic.every((byte, index) => trailer[endAt + index] === byte))
    throw invalidRelease("it is cut short");
  const view = new DataView(trailer.buffer, trailer.byteOffset);
  const bodyLength = Number(view.getBigUint64(0));
  const manifestLength = view.getUint32(8);
  const signedLength = view.getUint32(12);
  if (magic.length + bodyLength + manifestLength + signedLength !== trailerAt)
    throw invalidRelease("its parts are not as long as it says");
  const signedAt = trailerAt - signedLength;
  const json = pack.subarray(signedAt - manifestLength, signedAt);
  const signed = pack.subarray(signedAt, trailerAt);
  const digest = toHex(await sha256(unshared(json)));
  const checks = toHex(trailer.subarray(16, endAt));
  if (checks !== digest + toHex(await checkOf(signed, trailer)))
    throw invalidRelease("its manifest, its signatures or its end were changed after it was built");
  return { json, signed, body: pack.subarray(magic.length, magic.length + bodyLength), digest };
}

/** Checks all bytes, also those that no file names: what is in a release was put there by its builder. */
async function assertBlobs(
  blobs: readonly Blob[],
  body: Uint8Array,
  manifest: ReleaseManifest,
): Promise<void> {
  for (let from = 0; from < blobs.length; from += hashedAtOnce)
    await Promise.all(blobs.slice(from, from + hashedAtOnce).map((blob) => assertBlob(blob, body, manifest)));
}

async function assertBlob(blob: Blob, body: Uint8Array, { files }: ReleaseManifest): Promise<void> {
  const bytes = unshared(body.subarray(blob.offset, blob.offset + blob.length));
  if (toHex(await sha256(bytes)) === blob.sha256) return;
  const owner = files.flatMap(({ path, variants }) =>
    variants
      .filter(({ sha256: digest }) => digest === blob.sha256)
      .map(({ encoding }) => `${path} (${encoding})`),
  );
  throw new CurtainwallError(
    "RELEASE_DIGEST_MISMATCH",
    `The release's bytes of ${owner[0] ?? "a part that no file names"} are not those that its manifest names.`,
    { hint: "It was changed or damaged after it was built. Build it again: npx curtainwall build" },
  );
}
