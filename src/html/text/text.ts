/** What the standards call ASCII white space (Infra §4.5), which is all that HTML ever skips. */
export function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b);
}

/** The tokens of an attribute such as `rel` or `ping`, in their order. */
export function spaceSeparated(value: string): string[] {
  return value.split(/[\t\n\f\r ]+/).filter((token) => token !== "");
}

/** Removes what the URL parser removes at both ends: C0 controls and spaces. */
export function trimAddress(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && value.charCodeAt(from) <= 0x20) from++;
  while (to > from && value.charCodeAt(to - 1) <= 0x20) to--;
  return from === 0 && to === value.length ? value : value.slice(from, to);
}

/** Newlines as the input stream of a browser has them. */
export function withNewlines(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}
