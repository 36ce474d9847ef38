/** What a delivery says of its signature. */
export interface SignedDelivery {
  /** When it was signed, in seconds since 1970. Undefined: the scheme signs no time. */
  readonly timestamp: number | undefined;
  /** What is signed before the body. */
  readonly prefix: string;
  /** Each of 32 bytes; one of them must be right. */
  readonly signatures: readonly Uint8Array[];
  /** What the sender calls it, alike each time it is sent again. Undefined: the scheme has no such name that is signed. */
  readonly id: string | undefined;
}

/** How a sender signs: with HMAC-SHA256, all of them, but each over something else and written in its own way. */
export interface WebhookScheme {
  /** The headers that it needs, lower-case. */
  readonly headers: readonly string[];
  /** Reads a delivery's headers. A text says what is wrong with them, for the log. */
  read(header: (name: string) => string | undefined): SignedDelivery | string;
  /** The key that a secret's value stands for. Undefined: it is none of this scheme. */
  keyOf(value: string): Uint8Array | undefined;
}

/** A header is longer only if somebody tries something. */
const maxHeaderLength = 2048;
/** As many as a sender could need while it changes its key, and some more. */
const maxSignatures = 8;
const timestampGrammar = /^[1-9]\d{0,11}$/;
const hexGrammar = /^[0-9a-f]{64}$/;

/** A header as it came. A text in `fault` if it is not there, or too long. */
export function readHeader(
  header: (name: string) => string | undefined,
  name: string,
): { readonly text: string; readonly fault: undefined } | { readonly fault: string } {
  const text = header(name);
  if (text === undefined || text === "") return { fault: `no ${name}` };
  if (text.length > maxHeaderLength) return { fault: `${name} is too long` };
  return { text, fault: undefined };
}

/** Seconds since 1970, without a sign, a fraction or zeros before it: the text is signed, and must not have two ways to be read. */
export function readTimestamp(text: string | undefined): number | undefined {
  return text !== undefined && timestampGrammar.test(text) ? Number(text) : undefined;
}

/** An HMAC-SHA256 in lower-case hexadecimal. */
export function readHexSignature(text: string): Uint8Array | undefined {
  if (!hexGrammar.test(text)) return undefined;
  return Uint8Array.from({ length: 32 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  );
}

/** Those that are signatures. A text: there is none, or too many to try. */
export function usable(signatures: readonly (Uint8Array | undefined)[]): readonly Uint8Array[] | string {
  const found = signatures.filter((signature) => signature?.length === 32) as Uint8Array[];
  if (found.length === 0) return "no signature of a kind that counts";
  return found.length > maxSignatures ? "too many signatures" : found;
}

/** A key that is used as its text. */
export function keyOfText(value: string): Uint8Array | undefined {
  return value === "" ? undefined : new TextEncoder().encode(value);
}
