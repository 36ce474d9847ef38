/** An API answer's body as bytes: headers and body are then written side by side, not joined into one text that is converted whole. */
export function bodyBytes(body: Uint8Array | string | undefined): Uint8Array | undefined {
  return typeof body === "string" ? Buffer.from(body) : body;
}

/** Copies an API answer's headers and adds the content-length, unless it is there or the status has none. */
export function withContentLength(status: number, headers: readonly string[], length: number): string[] {
  const lines = headers.slice();
  if (status === 204 || status === 304) return lines;
  for (let at = 0; at < lines.length; at += 2) {
    if (lines[at]?.length === 14 && lines[at] === "content-length") return lines;
  }
  lines.push("content-length", String(length));
  return lines;
}

// oxlint-disable-next-line no-control-regex -- control characters are what must not be there
const unsafeValue = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;

/**
 * Makes sure that an API answer's status and header values can be sent. Node does it for HTTP/1.1 and, but for names, not for
 * HTTP/2.
 *
 * @throws {TypeError}
 */
export function assertSendable(status: number, headers: readonly string[]): void {
  if (!(status >= 200 && status <= 599)) throw new TypeError(`${status} is no final status`);
  for (let at = 1; at < headers.length; at += 2) {
    if (unsafeValue.test(headers[at] as string))
      throw new TypeError("a header's value holds a control character");
  }
}
