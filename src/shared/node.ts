export { createCompressor } from "./node/compressor.ts";
export type { Compressed, CompressedForms, Compressor } from "./node/compressor.ts";
