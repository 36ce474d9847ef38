/** Shorter values stand in every text. */
const shortest = 8;
/** Bits that a value must hold at least, by how its own characters are distributed. */
const fewestBits = 20;

/**
 * Why a value can't be looked for; undefined if it can. A value like `true` or `localhost` would be found on every page, and no
 * finding would mean anything.
 */
export function whyNotSearchable(value: string): string | undefined {
  const characters = Array.from(value);
  if (characters.length < shortest) return `it is shorter than ${shortest} characters`;
  if (/^[a-z]+$/i.test(value) && characters.length <= 12) return "it looks like a word";
  if (/^[\d.,:\-+/ TZ]+$/.test(value) && characters.length <= 12)
    return "it looks like a number, a date or an address";
  if (/^(?:https?:\/\/)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::\d{1,5})?\/?$/.test(value))
    return "it is an address of this machine";
  if (bitsOf(characters) < fewestBits) return "it repeats a few characters";
  return undefined;
}

/** Shannon's entropy of a text's characters, times their number. */
export function bitsOf(characters: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= count * Math.log2(count / characters.length);
  return bits;
}
