import type { ServerResponse } from "node:http";
import type { Client } from "./client.ts";

/** What TLS holds of one answer at most, besides what the kernel took. */
const partBytes = 262_144;

/**
 * Ends an answer of HTTP/1.1 with its body. TLS encrypts all that it is given at once and keeps what the client does not read: a large
 * body goes in parts, each when the one before has left, so that who asks for a film and stops reading holds a part of it in memory.
 */
export function endWithBody(client: Client, response: ServerResponse, body: Uint8Array): void {
  if (body.length <= partBytes) {
    response.end(body);
    return;
  }
  let at = 0;
  client.unsent += body.length;

  function sendPart(): void {
    if (response.destroyed) return;
    const part = body.subarray(at, at + partBytes);
    at += part.length;
    client.unsent -= part.length;
    if (at === body.length) response.end(part);
    else if (response.write(part)) setImmediate(sendPart);
    else response.once("drain", sendPart);
  }
  sendPart();
}
