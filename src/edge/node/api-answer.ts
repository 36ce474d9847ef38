/** Copies an API answer's headers and adds the content-length, unless it is there or the status has none. */
export function withContentLength(
  status: number,
  headers: readonly string[],
  body: Uint8Array | string | undefined,
): string[] {
  const lines = headers.slice();
  if (status === 204 || status === 304) return lines;
  for (let at = 0; at < lines.length; at += 2) {
    if (lines[at]?.length === 14 && lines[at] === "content-length") return lines;
  }
  const length = body === undefined ? 0 : typeof body === "string" ? Buffer.byteLength(body) : body.length;
  lines.push("content-length", String(length));
  return lines;
}
