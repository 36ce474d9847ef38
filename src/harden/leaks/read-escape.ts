/** Character references for ASCII, without `&` and `;`. What else HTML names is no part of a secret. */
const named: Readonly<Record<string, number>> = {
  Tab: 0x09,
  NewLine: 0x0a,
  excl: 0x21,
  quot: 0x22,
  QUOT: 0x22,
  num: 0x23,
  dollar: 0x24,
  percnt: 0x25,
  amp: 0x26,
  AMP: 0x26,
  apos: 0x27,
  lpar: 0x28,
  rpar: 0x29,
  ast: 0x2a,
  midast: 0x2a,
  plus: 0x2b,
  comma: 0x2c,
  period: 0x2e,
  sol: 0x2f,
  colon: 0x3a,
  semi: 0x3b,
  lt: 0x3c,
  LT: 0x3c,
  equals: 0x3d,
  gt: 0x3e,
  GT: 0x3e,
  quest: 0x3f,
  commat: 0x40,
  lsqb: 0x5b,
  lbrack: 0x5b,
  bsol: 0x5c,
  rsqb: 0x5d,
  rbrack: 0x5d,
  Hat: 0x5e,
  lowbar: 0x5f,
  UnderBar: 0x5f,
  grave: 0x60,
  DiacriticalGrave: 0x60,
  lcub: 0x7b,
  lbrace: 0x7b,
  verbar: 0x7c,
  vert: 0x7c,
  VerticalLine: 0x7c,
  rcub: 0x7d,
  rbrace: 0x7d,
};

const controls: Readonly<Record<number, number>> = {
  0x30: 0x00,
  0x62: 0x08,
  0x66: 0x0c,
  0x6e: 0x0a,
  0x72: 0x0d,
  0x74: 0x09,
  0x76: 0x0b,
};

/** Digits that are read, leading zeros among them: no escape reaches {@link escapeUnit}. */
const longestEscape = 1000;

const percent = 0x25;
const ampersand = 0x26;
const backslash = 0x5c;

/** Bytes that an escape begins with. */
export const escapeStarts: Uint8Array = table([percent, ampersand, backslash]);

function table(bytes: readonly number[]): Uint8Array {
  const flags = new Uint8Array(256);
  for (const byte of bytes) flags[byte] = 1;
  return flags;
}

/** The value of a hexadecimal digit, or -1. */
export function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Reads the escape that stands at a byte: of URLs, of JavaScript and JSON, of HTML, or of CSS.
 *
 * @returns the character's code × {@link escapeUnit} + the escape's length; 0 if none stands there. (One number, since this runs for every `&`.)
 */
export function readEscape(bytes: Uint8Array, at: number, css: boolean): number {
  const start = bytes[at];
  if (start === percent) return readPercent(bytes, at);
  if (start === ampersand) return readReference(bytes, at);
  if (start !== backslash) return 0;
  const ofStyle = css ? readStyleEscape(bytes, at) : 0;
  return ofStyle === 0 ? readScriptEscape(bytes, at) : ofStyle;
}

/** Escapes are shorter: leading zeros make them long. */
export const escapeUnit = 1024;
/** The code of an escape that stands for nothing. */
export const noCharacter = 0x110000;

const packed = (code: number, length: number): number => code * escapeUnit + length;

function readPercent(bytes: Uint8Array, at: number): number {
  if (bytes[at + 1] === 0x75) {
    const code = readHex(bytes, at + 2, 4);
    return code < 0 ? 0 : packed(code, 6);
  }
  const code = readHex(bytes, at + 1, 2);
  return code < 0 ? 0 : packed(code, 3);
}

/** Exactly so many digits, or -1. */
function readHex(bytes: Uint8Array, at: number, digits: number): number {
  let code = 0;
  for (let index = at; index < at + digits; index++) {
    const value = hexValue(bytes[index]);
    if (value < 0) return -1;
    code = code * 16 + value;
  }
  return code;
}

function readScriptEscape(bytes: Uint8Array, at: number): number {
  const kind = bytes[at + 1];
  if (kind === undefined) return 0;
  if (kind === 0x78) {
    const code = readHex(bytes, at + 2, 2);
    return code < 0 ? 0 : packed(code, 4);
  }
  if (kind === 0x75) return bytes[at + 2] === 0x7b ? readBraced(bytes, at) : readUnit(bytes, at);
  if (kind >= 0x30 && kind <= 0x37) return readOctal(bytes, at);
  // A line that goes on: ECMA-262 §12.9.4, and CSS Syntax §4.3.5.
  if (kind === 0x0a) return packed(noCharacter, 2);
  if (kind === 0x0d) return packed(noCharacter, bytes[at + 2] === 0x0a ? 3 : 2);
  return packed(controls[kind] ?? kind, 2);
}

/** `\u{41}`, with any leading zeros. */
function readBraced(bytes: Uint8Array, at: number): number {
  let code = 0;
  for (let index = at + 3; index < at + longestEscape; index++) {
    if (bytes[index] === 0x7d) return index === at + 3 ? 0 : packed(code, index + 1 - at);
    const value = hexValue(bytes[index]);
    if (value < 0) return 0;
    code = Math.min(code * 16 + value, 0x10ffff);
  }
  return 0;
}

/** `\u0041`, or both halves of a surrogate pair. */
function readUnit(bytes: Uint8Array, at: number): number {
  const code = readHex(bytes, at + 2, 4);
  if (code < 0) return 0;
  if (code >= 0xd800 && code < 0xdc00 && bytes[at + 6] === backslash && bytes[at + 7] === 0x75) {
    const low = readHex(bytes, at + 8, 4);
    if (low >= 0xdc00 && low < 0xe000) return packed(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), 12);
  }
  return packed(code, 6);
}

function readOctal(bytes: Uint8Array, at: number): number {
  let code = 0;
  let index = at + 1;
  for (; index < at + 4; index++) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7 || code * 8 + digit > 255) break;
    code = code * 8 + digit;
  }
  return packed(code, index - at);
}

/** A backslash, one to six hexadecimal digits, and one white space that belongs to them. */
function readStyleEscape(bytes: Uint8Array, at: number): number {
  let code = 0;
  let index = at + 1;
  for (; index < at + 7; index++) {
    const value = hexValue(bytes[index]);
    if (value < 0) break;
    code = code * 16 + value;
  }
  if (index === at + 1 || code > 0x10ffff) return 0;
  if (bytes[index] === 0x20 || bytes[index] === 0x0a || bytes[index] === 0x09) index++;
  return packed(code, index - at);
}

function readReference(bytes: Uint8Array, at: number): number {
  return bytes[at + 1] === 0x23 ? readNumber(bytes, at) : readNamed(bytes, at);
}

/** `&#65;` or `&#x41;`; browsers accept both without the semicolon. */
function readNumber(bytes: Uint8Array, at: number): number {
  const hex = bytes[at + 2] === 0x78 || bytes[at + 2] === 0x58;
  const first = at + (hex ? 3 : 2);
  let code = 0;
  let index = first;
  for (; index < at + longestEscape; index++) {
    const value = hexValue(bytes[index]);
    if (value < 0 || (!hex && value > 9)) break;
    code = Math.min(code * (hex ? 16 : 10) + value, 0x110000);
  }
  if (index === first || code > 0x10ffff) return 0;
  return packed(code, index - at + (bytes[index] === 0x3b ? 1 : 0));
}

const longestName = Math.max(...Object.keys(named).map((name) => name.length));

function readNamed(bytes: Uint8Array, at: number): number {
  let name = "";
  for (let index = at + 1; index <= at + longestName + 1; index++) {
    const byte = bytes[index];
    if (byte === 0x3b) {
      const code = Object.hasOwn(named, name) ? named[name] : undefined;
      return code === undefined ? 0 : packed(code, index + 1 - at);
    }
    if (byte === undefined || (byte | 0x20) < 0x61 || (byte | 0x20) > 0x7a) return 0;
    name += String.fromCharCode(byte);
  }
  return 0;
}
