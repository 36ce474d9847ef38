/**
 * Shows the ends of a value, so that its owner recognises it: at most its first 3 and last 2 characters, never more than a quarter.
 */
export function mask(value: string): string {
  const characters = Array.from(value);
  const shown = Math.min(5, Math.floor(characters.length / 4));
  const head = Math.ceil(shown / 2);
  const tail = characters.slice(characters.length - (shown - head));
  return printable(`${characters.slice(0, head).join("")}…${tail.join("")}`);
}

/** Takes out what could steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\u2026]/g, "·");
}
