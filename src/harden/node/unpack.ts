import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from "node:zlib";
import type { Packing, Unpack, Unpacked } from "../leaks/types.ts";

/** What is cut short still shows what it holds up to there. */
const partial = { finishFlush: constants.Z_SYNC_FLUSH };

const unpackers: Record<Packing, (bytes: Uint8Array, maxOutputLength: number) => Uint8Array> = {
  gzip: (bytes, maxOutputLength) => gunzipSync(bytes, { ...partial, maxOutputLength }),
  zlib: (bytes, maxOutputLength) => inflateSync(bytes, { ...partial, maxOutputLength }),
  deflate: (bytes, maxOutputLength) => inflateRawSync(bytes, { ...partial, maxOutputLength }),
  brotli: (bytes, maxOutputLength) =>
    brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength }),
  zstd: (bytes, maxOutputLength) =>
    zstdDecompressSync(bytes, { finishFlush: constants.ZSTD_e_flush, maxOutputLength }),
};

/** Unpacks with Node's zlib, brotli and zstd; see {@link Unpack}. */
export const unpack: Unpack = (packing, bytes, maxBytes): Unpacked => {
  if (maxBytes <= 0) return "too-large";
  try {
    return unpackers[packing](bytes, maxBytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "broken";
  }
};
