import type { Writable } from "node:stream";

/** What is handed over at once. */
export const smallBytes = 262_144;

/**
 * Ends an answer with a large body, in parts, each when the one before has left, so that who asks for a film and stops reading holds a part
 * of it: TLS encrypts at once all that it is given and keeps what the client does not read, and an HTTP/2 session of node that holds ten
 * megabytes refuses every other request, also after the client has cancelled the one for the film.
 *
 * @param onPart told how many bytes are handed over, before they are
 */
export function endInParts(
  answer: Writable,
  body: Uint8Array,
  onPart: (bytes: number) => void = () => {},
): void {
  let at = 0;

  function sendPart(): void {
    if (answer.destroyed) return;
    const part = body.subarray(at, at + smallBytes);
    at += part.length;
    onPart(part.length);
    if (at === body.length) answer.end(part);
    else if (answer.write(part)) setImmediate(sendPart);
    else answer.once("drain", sendPart);
  }
  sendPart();
}
