/** A way to pack files that is recognised, and not looked into. */
interface Format {
  readonly name: string;
  /** How a packed file begins. */
  readonly begins: readonly number[];
  /** What has to follow, where the beginning alone is too short to be told from other bytes. */
  readonly and?: (bytes: Uint8Array, at: number) => boolean;
  /** Found behind other bytes as well, as programs find it there. The others could stand there by chance. */
  readonly isFoundAnywhere?: boolean;
}

const letters = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
const holds = (bytes: Uint8Array, at: number, wanted: readonly number[]): boolean =>
  wanted.every((byte, index) => bytes[at + index] === byte);

/** A block's number, pi; or, of nothing that is packed, the end's, its square root. */
const bzip2Blocks = [
  [0x31, 0x41, 0x59, 0x26, 0x53, 0x59],
  [0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
];

/** @see the formats' own descriptions: tukaani.org/xz, the 7-Zip SDK, RARLAB's technote, lz4_Frame_format.md, the lzip manual */
const formats: readonly Format[] = [
  { name: "xz", begins: [0xfd, ...letters("7zXZ"), 0], isFoundAnywhere: true },
  { name: "7z", begins: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], isFoundAnywhere: true },
  { name: "RAR", begins: [...letters("Rar!"), 0x1a, 0x07], isFoundAnywhere: true },
  ...Array.from({ length: 9 }, (_, level) => ({
    name: "bzip2",
    begins: letters(`BZh${level + 1}`),
    and: (bytes: Uint8Array, at: number) => bzip2Blocks.some((block) => holds(bytes, at + 4, block)),
    isFoundAnywhere: true,
  })),
  {
    name: "lzip",
    begins: letters("LZIP"),
    // Its version, and the power of two of its dictionary.
    and: (bytes, at) => (bytes[at + 4] ?? 9) <= 1 && ((bytes[at + 5] ?? 0) & 31) >= 12,
    isFoundAnywhere: true,
  },
  { name: "lzop", begins: [0x89, ...letters("LZO"), 0, 0x0d, 0x0a, 0x1a, 0x0a], isFoundAnywhere: true },
  { name: "LZ4", begins: [0x04, 0x22, 0x4d, 0x18] },
  { name: "LZ4", begins: [0x02, 0x21, 0x4c, 0x18] },
  // Its usual properties, a dictionary of a power of two, and a size that is unknown or below a terabyte.
  {
    name: "LZMA",
    begins: [0x5d, 0, 0],
    and: (bytes, at) =>
      [0, 0xff].includes(bytes[at + 12] ?? 1) &&
      holds(bytes, at + 10, [bytes[at + 12]!, bytes[at + 12]!]) &&
      isPowerOfTwo((bytes[at + 3] ?? 0) | ((bytes[at + 4] ?? 0) << 8)),
  },
  { name: "compress (.Z)", begins: [0x1f, 0x9d], and: (bytes, at) => ((bytes[at + 2] ?? 0) & 0x60) === 0 },
  { name: "a cabinet", begins: [...letters("MSCF"), 0, 0, 0, 0] },
  { name: "xar", begins: [...letters("xar!"), 0, 0x1c] },
  { name: "Snappy", begins: [0xff, 0x06, 0, 0, ...letters("sNaPpY")] },
  { name: "SquashFS", begins: letters("hsqs"), and: (bytes, at) => bytes[at + 28] === 4 },
];

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}

/** The first four bytes of those that are found anywhere; together with {@link unopenedAt} they say where one begins. */
export const unopenedMarks: readonly (readonly number[])[] = formats
  .filter(({ isFoundAnywhere }) => isFoundAnywhere)
  .map(({ begins }) => begins.slice(0, 4));

/** Which way of packing that is not looked into begins at a byte. */
export function unopenedAt(bytes: Uint8Array, at: number): string | undefined {
  return formats.find(
    ({ begins, and, isFoundAnywhere }) =>
      (at === 0 || isFoundAnywhere === true) && holds(bytes, at, begins) && (and?.(bytes, at) ?? true),
  )?.name;
}
