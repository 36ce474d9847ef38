import type { HmacOptions, Injector } from "../../contract/index.ts";
import { revealSecret, toBase64, toBase64Url, toHex } from "../../shared/index.ts";
import type { Inject, Outgoing } from "./outgoing.ts";

type HmacInjector = Extract<Injector, { kind: "hmac" }>;

const hashes = { sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" } as const;
const encoders = { hex: toHex, base64: toBase64, base64url: toBase64Url };
const encoder = new TextEncoder();
const empty = new Uint8Array();

/** Signs a request with HMAC over the parts that its service asks for (RFC 2104). The signature is bound to them, and is no secret. */
export function injectHmac(injector: HmacInjector, now: () => number): Inject {
  const { header, over, separator, algorithm, encoding, prefix, timestampHeader } = injector;
  const hash = hashes[algorithm];
  const encode = encoders[encoding];
  return async (outgoing, secret) => {
    const seconds = String(Math.floor(now() / 1000));
    if (over.includes("timestamp")) outgoing.headers.set(timestampHeader.toLowerCase(), seconds);
    const parts = await Promise.all(over.map((part) => partOf(part, outgoing, seconds, hash, encode)));
    const signature = await hmacBytes(
      hash,
      encoder.encode(revealSecret(secret)),
      join(parts, encoder.encode(separator)),
    );
    outgoing.headers.set(header.toLowerCase(), prefix + encode(signature));
    return [];
  };
}

async function partOf(
  part: HmacOptions["over"][number],
  { method, path, query, body = empty }: Outgoing,
  seconds: string,
  hash: string,
  encode: (bytes: Uint8Array) => string,
): Promise<Uint8Array> {
  switch (part) {
    case "method":
      return encoder.encode(method);
    case "path":
      return encoder.encode(path);
    case "target":
      return encoder.encode(query === "" ? path : `${path}?${query}`);
    case "timestamp":
      return encoder.encode(seconds);
    case "body":
      return body;
    case "body-digest":
      return encoder.encode(encode(new Uint8Array(await crypto.subtle.digest(hash, owned(body)))));
  }
}

function join(parts: readonly Uint8Array[], separator: Uint8Array): Uint8Array {
  const pieces = parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part]));
  const bytes = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** HMAC with a hash of Web Crypto. */
export async function hmacBytes(hash: string, key: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey("raw", owned(key), { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, owned(data)));
}

/** Web Crypto's types exclude memory that threads share; none of ours is. */
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => bytes as Uint8Array<ArrayBuffer>;
