import { sha256, toHex } from "../../shared/index.ts";
import { checkedTrailerLength, encodings, endMagic, magic, trailerLength } from "./format.ts";
import type { Digest, Encoding, ReleaseExtras, ReleaseInput } from "./format.ts";
import { createManifestBuilder } from "./manifest.ts";

/** Takes a pack's bytes in their order: a file, a socket, memory. */
export type ReleaseSink = (bytes: Uint8Array) => void | Promise<void>;

/** Writes one release; made by {@link createReleaseWriter}. */
export interface ReleaseWriter {
  /**
   * Puts a file into the release. Its bytes go to the sink at once, unless equal ones have; none are kept. Wait for one before the
   * next: the order of the files decides where bytes lie, so that the same files in the same order give the same pack.
   *
   * @throws {CurtainwallError} `RELEASE_FORMAT_INVALID` for a path that is there already, a malformed header, no identity
   */
  add(input: ReleaseInput): Promise<void>;
  /** Writes what is left: the manifest, what says where it lies, and what notices any change. */
  finish(extras?: ReleaseExtras & { signatures?: string }): Promise<WrittenRelease>;
}

/** What a {@link ReleaseWriter} has written. */
export interface WrittenRelease {
  /** SHA-256 of the manifest, hexadecimal: the release's name. */
  readonly digest: string;
  /** Of the whole pack. */
  readonly bytes: number;
  readonly files: number;
}

/**
 * Creates a writer of a pack: magic, bytes, manifest, signatures, trailer. What it keeps grows with the number of files, not with
 * their size.
 *
 * @param digest SHA-256; one that answers at once spares a wait for each of a site's thousands of parts
 */
export function createReleaseWriter(sink: ReleaseSink, digest: Digest = sha256): ReleaseWriter {
  const manifest = createManifestBuilder();
  let bodyLength = 0;
  let files = 0;
  let begun = false;

  async function begin(): Promise<void> {
    if (begun) return;
    begun = true;
    await sink(magic);
  }

  return {
    async add({ path, headers, bytes }) {
      await begin();
      const blobs: Partial<Record<Encoding, number>> = {};
      for (const encoding of encodings) {
        const content = bytes[encoding];
        if (content === undefined) continue;
        const { index, isNew } = manifest.addBlob(toHex(await digest(content)), content.length);
        blobs[encoding] = index;
        if (!isNew) continue;
        bodyLength += content.length;
        await sink(content);
      }
      manifest.addFile(path, headers, blobs);
      files++;
    },
    async finish({ signatures = "", ...extras } = {}) {
      await begin();
      const json = manifest.finish(extras);
      const signed = new TextEncoder().encode(signatures);
      const name = await digest(json);
      const trailer = await makeTrailer({ bodyLength, manifestLength: json.length, digest: name, signed });
      for (const part of [json, signed, trailer]) await sink(part);
      const bytes = magic.length + bodyLength + json.length + signed.length + trailer.length;
      return { digest: toHex(name), bytes, files };
    },
  };
}

interface TrailerFacts {
  bodyLength: number;
  manifestLength: number;
  digest: Uint8Array;
  signed: Uint8Array;
}

async function makeTrailer({
  bodyLength,
  manifestLength,
  digest,
  signed,
}: TrailerFacts): Promise<Uint8Array> {
  const trailer = new Uint8Array(trailerLength);
  const view = new DataView(trailer.buffer);
  view.setBigUint64(0, BigInt(bodyLength));
  view.setUint32(8, manifestLength);
  view.setUint32(12, signed.length);
  trailer.set(digest, 16);
  trailer.set(await checkOf(signed, trailer), checkedTrailerLength);
  trailer.set(endMagic, trailerLength - endMagic.length);
  return trailer;
}

/** What the trailer says of itself and of the signatures: nothing before it covers those bytes. */
export function checkOf(signed: Uint8Array, trailer: Uint8Array): Promise<Uint8Array> {
  const covered = new Uint8Array(signed.length + checkedTrailerLength);
  covered.set(signed);
  covered.set(trailer.subarray(0, checkedTrailerLength), signed.length);
  return sha256(covered);
}

/**
 * Packs files into one release, in memory. The same files give the same release, byte for byte, in whatever order they come; equal
 * bytes are stored once. For a large site see {@link createReleaseWriter}.
 *
 * @throws {CurtainwallError} `RELEASE_FORMAT_INVALID` for a path that is there twice, a malformed header, no identity
 */
export async function encodeRelease(
  inputs: readonly ReleaseInput[],
  extras: ReleaseExtras & { signatures?: string } = {},
  digest?: Digest,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const writer = createReleaseWriter((bytes) => void chunks.push(bytes), digest);
  for (const input of [...inputs].sort((left, right) => (left.path < right.path ? -1 : 1)))
    await writer.add(input);
  const { bytes } = await writer.finish(extras);
  const pack = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    pack.set(chunk, at);
    at += chunk.length;
  }
  return pack;
}
