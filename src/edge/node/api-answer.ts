/**
 * How many bytes an API answer's body takes. A text with as many bytes as characters is ASCII, which can be written as
 * Latin-1: in one piece with the headers, without a copy of its own.
 */
export function bodyLength(body: Uint8Array | string | undefined): number {
  if (body === undefined) return 0;
  return typeof body === "string" ? Buffer.byteLength(body) : body.length;
}

/** An API answer's headers with the content-length, unless it is there or the status has none. */
export function withContentLength(status: number, headers: readonly string[], length: number): string[] {
  if (status === 204 || status === 304) return [...headers];
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]?.length === 14 && headers[at] === "content-length") return [...headers];
  }
  return [...headers, "content-length", String(length)];
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
