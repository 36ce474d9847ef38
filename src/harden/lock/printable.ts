/**
 * Makes a text from a page harmless to a terminal and to a reader: control characters, and those that turn the order of letters around
 * or can't be seen, are written as their code.
 */
export function printable(text: string, maxLength = 400): string {
  const shown = text
    .slice(0, maxLength)
    .replaceAll(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return text.length > maxLength ? `${shown}… (${text.length} characters)` : shown;
}
