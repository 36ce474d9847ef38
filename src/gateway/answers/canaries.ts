/**
 * Tells whether a text, or a value read from it, has one of the marks in it that nobody may read. A mark is written in letters that no
 * encoding changes, but JSON may escape any of them, so a text with escapes is looked at as it is read too.
 */
export function hasCanary(text: string, canaries: readonly string[]): boolean {
  if (canaries.some((canary) => text.includes(canary))) return true;
  return text.includes("\\u") && canaries.some((canary) => unescapedAscii(text).includes(canary));
}

const unescapedAscii = (text: string): string =>
  text.replaceAll(/\\u00([2-7][0-9a-fA-F])/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
