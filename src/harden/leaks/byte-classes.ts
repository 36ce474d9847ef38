/**
 * Kinds of bytes. Which bytes a value has tells much of a short one; which kinds it has tells next to nothing, and is enough to skip most of a
 * page.
 */
const byteClasses: readonly (readonly number[])[] = [
  range(0x61, 0x7a),
  range(0x41, 0x5a),
  range(0x30, 0x39),
  codesOf("-_"),
  codesOf("+/"),
  codesOf("!\"#$%&'()*,.:;<=>?@[\\]^`{|}~"),
  codesOf(" \t\r\n"),
  [0],
  [...range(0x01, 0x1f), 0x7f].filter((byte) => byte !== 0x09 && byte !== 0x0a && byte !== 0x0d),
  range(0x80, 0xff),
];

/** The numbers of the classes that some bytes are of. */
export function classesOf(bytes: Iterable<number>): number[] {
  const present = new Set(bytes);
  return byteClasses.flatMap((members, index) => (members.some((byte) => present.has(byte)) ? [index] : []));
}

/** By byte: whether it is of one of these classes. */
export function bytesOfClasses(classes: Iterable<number>): Uint8Array {
  const flags = new Uint8Array(256);
  for (const index of classes) for (const byte of byteClasses[index] ?? []) flags[byte] = 1;
  return flags;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function codesOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}
