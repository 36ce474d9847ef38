import { toBase64, toHex } from "../../shared/index.ts";
import { decodeEscapes } from "./escapes.ts";
import { whyNotSearchable } from "./searchable.ts";
import type { LeakEncoding } from "./types.ts";

/** One way in which bytes may show a value. */
export interface ValueForm {
  readonly bytes: Uint8Array;
  readonly encodings: readonly LeakEncoding[];
}

const encoder = new TextEncoder();
/** Pieces of a longer value: shorter ones may stand elsewhere by chance. */
const shortestPiece = 16;
/** Of a value this long, its pieces are looked for: a part of a key is a leak too. */
const longestWhole = 120;

/**
 * The texts to look for, for one value: itself; the lines of one with several; the texts inside one that is JSON; the password in a URL;
 * pieces of a long one.
 */
export function piecesOf(value: string): string[] {
  const whole = value.trim();
  if (/[\r\n]/.test(whole)) return jsonPieces(whole) ?? unique(whole.split(/[\r\n]+/).flatMap(linePieces));
  const parts = [...(jsonPieces(whole) ?? [whole]), ...passwordOf(whole)];
  return unique(parts.flatMap((part) => (part.length > longestWhole ? chunks(part) : [part])));
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

function linePieces(line: string): string[] {
  const text = line.trim();
  if (text.length < shortestPiece || /^-----(?:BEGIN|END) /.test(text)) return [];
  return text.length > longestWhole ? chunks(text) : [text];
}

function chunks(text: string): string[] {
  const size = longestWhole / 2;
  const count = Math.max(1, Math.floor(text.length / size));
  return Array.from({ length: count }, (_, index) => text.slice(index * size, (index + 1) * size));
}

/** The texts in a value that is JSON, like a service account's key file, which may be published apart. */
function jsonPieces(value: string): string[] | undefined {
  if (!/^[{[]/.test(value)) return undefined;
  try {
    const texts: string[] = [];
    JSON.parse(value, (_, member: unknown) => {
      if (typeof member === "string") texts.push(member);
      return member;
    });
    const secret = texts.filter((text) => text.length >= shortestPiece && !/^https?:\/\/[^@]*$/.test(text));
    return unique(secret.flatMap((text) => (text === value ? [text] : piecesOf(text))));
  } catch {
    return undefined;
  }
}

/** The password in an address like `postgres://user:password@host/`. */
function passwordOf(value: string): string[] {
  const password = /^[a-z][\w+.-]*:\/\//i.test(value) ? URL.parse(value)?.password : undefined;
  if (password === undefined || password === "") return [];
  return [decoded(password), password].filter((text) => whyNotSearchable(text) === undefined);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The fixed forms of a text: what each decoding of a file shows once it is decoded is found there; these are looked for as they are, so
 * that also a short value is found, at any alignment, between other digits.
 */
export function formsOf(text: string): ValueForm[] {
  const bytes = encoder.encode(text);
  const forms: ValueForm[] = [
    { bytes, encodings: [] },
    { bytes: encoder.encode(Array.from(text).toReversed().join("")), encodings: ["reversed"] },
    { bytes: encoder.encode(toHex(bytes)), encodings: ["hex"] },
    { bytes: encoder.encode(toHex(bytes).toUpperCase()), encodings: ["hex"] },
    { bytes: wide(text, true), encodings: ["utf-16"] },
    { bytes: wide(text, false), encodings: ["utf-16"] },
    ...[0, 1, 2].flatMap((shift) => base64Forms(bytes, shift)),
    ...unescaped(bytes),
  ];
  const seen = new Set<string>();
  return forms.filter((form) => {
    const key = toHex(form.bytes);
    return seen.size < seen.add(key).size;
  });
}

/** The base64 digits that depend on these bytes alone, when so many bytes (modulo 3) stand before them. */
function base64Forms(bytes: Uint8Array, shift: number): ValueForm[] {
  const shifted = new Uint8Array(shift + bytes.length);
  shifted.set(bytes, shift);
  const digits = toBase64(shifted).slice(
    Math.ceil((shift * 8) / 6),
    Math.floor(((shift + bytes.length) * 8) / 6),
  );
  const url = digits.replaceAll("+", "-").replaceAll("/", "_");
  return [digits, url].map((form) => ({ bytes: encoder.encode(form), encodings: ["base64"] as const }));
}

function wide(text: string, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < text.length; index++)
    view.setUint16(index * 2, text.charCodeAt(index), littleEndian);
  return bytes;
}

/** A value that has something like an escape in it is decoded with the text around it. */
function unescaped(bytes: Uint8Array): ValueForm[] {
  const relevant = new Uint8Array(256).fill(1);
  const decoded = decodeEscapes(bytes, { relevant, reach: bytes.length, css: false });
  return decoded === undefined ? [] : [{ bytes: decoded.bytes.slice(0, -4), encodings: [] }];
}
