const hexDigits = "0123456789abcdef";

/** Writes bytes as unpadded base64url (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Writes bytes as base64 (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Reads base64, padded or not, in either alphabet but not in both. Undefined for anything that {@link toBase64} would write otherwise. */
export function fromBase64(text: string): Uint8Array | undefined {
  const plain = text
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(plain) || (/[-_]/.test(text) && /[+/]/.test(text))) return undefined;
  if (plain.length % 4 === 1) return undefined;
  const bytes = Uint8Array.from(atob(plain), (character) => character.charCodeAt(0));
  // Bits beyond the last byte would make two texts of one value.
  return toBase64(bytes).replace(/=+$/, "") === plain ? bytes : undefined;
}

/** Writes bytes as lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15);
  return text;
}

/** SHA-256 of the bytes, or of the text's UTF-8. */
export async function sha256(data: Uint8Array | string): Promise<Uint8Array> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}
