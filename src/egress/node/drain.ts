import type { IncomingMessage } from "node:http";

/** What is still read of a body that nobody wants: to cut a caller off in the middle of it would lose it its answer. */
const mostBytes = 262_144;

/** Reads the rest of a request's body, to nobody. One that is long is cut. */
export function drain(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let left = mostBytes;
  request.on("data", (chunk: Uint8Array) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.resume();
}
