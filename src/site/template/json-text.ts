/** Writes data as JSON that can stand in a script element: no text in it ends the element, or a line of a script. Undefined when JSON can't say it. */
export function jsonText(data: unknown): string | undefined {
  return (JSON.stringify(data) as string | undefined)
    ?.replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}
