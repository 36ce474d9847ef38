import type { ForgedToken } from "./forge.ts";

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const prefix = "cwk_";
const keyLetters = 46;

/** Text with the form of an API key that nobody made. */
export function inventedKey(): string {
  const drawn = crypto.getRandomValues(new Uint8Array(keyLetters));
  return prefix + [...drawn].map((byte) => letters[byte % letters.length] ?? "0").join("");
}

/** API keys that were never given out, made from one that was: its name with another secret, its secret with another name, and parts of it. */
export function forgedKeys(key: string): ForgedToken[] {
  const another = inventedKey();
  const nameEnd = prefix.length + 8;
  const changed = (at: number): string =>
    `${key.slice(0, at)}${key[at] === "A" ? "B" : "A"}${key.slice(at + 1)}`;
  return [
    { name: "unknown", value: another },
    { name: "changed in its name", value: changed(prefix.length) },
    { name: "changed in its secret", value: changed(nameEnd + 4) },
    { name: "changed in its last letter", value: changed(key.length - 1) },
    { name: "of its name with another secret", value: key.slice(0, nameEnd) + another.slice(nameEnd) },
    { name: "cut off after its name", value: key.slice(0, nameEnd) },
    { name: "followed by more", value: `${key}A` },
    { name: "in capitals", value: key.toUpperCase() },
  ];
}
