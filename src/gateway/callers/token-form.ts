import { parseJsonBody } from "../../shared/index.ts";

/** Decoders forgive padding, blanks and idle bits, by which one token could be written in any number of ways. */
const part = "(?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?";
const compactForm = new RegExp(`^(?=[^.])${part}\\.(?=[^.])${part}\\.(?=.)${part}$`);

const maxKeyIdLength = 255;

/** Header or claims of a token: names and values, none twice. */
export type Members = Readonly<Record<string, unknown>>;

/** Whether a text is a signed token in the one spelling that there is of it. */
export const isCompact = (text: string): boolean => compactForm.test(text);

/** A token whose form is right, taken apart; nothing of it is believed yet. */
export interface TokenParts {
  readonly header: Members;
  readonly claims: Members;
  /** What the signature is of: header and claims as they were written. */
  readonly signed: string;
  readonly signature: Uint8Array;
}

/**
 * Takes a token apart, or says why it is not one that every reader would understand alike, before any of it is believed: its three parts in
 * their one base64url form; header and claims an object each, in UTF-8, no name twice, no number that would be rounded; and
 * nothing in the header that changes what is signed (`b64`) or must be understood (`crit`).
 *
 * @returns words that hold nothing of the token, if it is not
 * @see RFC 7515 §3.1 (compact form), §4 (duplicate header names), §4.1.11 (`crit`), RFC 7519 §4 (duplicate claims), RFC 7797 §7 (`b64`)
 */
export function readToken(token: string): TokenParts | string {
  if (!isCompact(token)) return "it is not a signed token";
  const [first = "", second = "", third = ""] = token.split(".");
  const header = readHeader(first);
  if (typeof header === "string") return header;
  const claims = readObject(second);
  if (typeof claims === "string") return `its claims are ${claims}`;
  const signature = Uint8Array.fromBase64(third, { alphabet: "base64url" });
  return { header, claims, signed: token.slice(0, first.length + 1 + second.length), signature };
}

/** Reads a token's header, or says what is wrong with it. */
export function readHeader(encoded: string): Members | string {
  const header = readObject(encoded);
  if (typeof header === "string") return `its header is ${header}`;
  if (Object.hasOwn(header, "crit")) return "its header asks for an extension";
  if (Object.hasOwn(header, "b64")) return "its header changes what is signed";
  if (Object.hasOwn(header, "kid") && !isKeyId(header.kid)) return "its header names a key in no usable form";
  return header;
}

/** Reads a part of a token, or says what it is instead of an object. */
export function readObject(encoded: string): Members | string {
  const { value, fault } = parseJsonBody(Uint8Array.fromBase64(encoded, { alphabet: "base64url" }));
  if (fault !== undefined) return faultWords[fault] ?? "not readable in one way only";
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Members)
    : "no object";
}

const faultWords: Readonly<Record<string, string>> = {
  malformed: "no JSON",
  "duplicate-key": "ambiguous: a name stands twice",
  "inexact-number": "ambiguous: a number would be rounded",
};

const isKeyId = (value: unknown): boolean =>
  typeof value === "string" && value !== "" && value.length <= maxKeyIdLength;
