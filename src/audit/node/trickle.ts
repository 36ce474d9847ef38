import type { Socket } from "node:net";
import type { TrickleOptions, TrickleResult } from "../probes/probe.ts";
import { whenOpen } from "./connection.ts";
import { collect, unreachable } from "./response.ts";

const maxTrickleBytes = 4096;

/** Writes to a connection bit by bit, and sees when the server has enough: it closes it, or answers before all has come. */
export function trickle(socket: Socket, options: TrickleOptions, isSecure: boolean): Promise<TrickleResult> {
  const { head, drip, maxMs } = options;
  return new Promise((resolve, reject) => {
    const received = collect(maxTrickleBytes, () => undefined);
    let openedAt: number | undefined;
    let interval: NodeJS.Timeout | undefined;
    const finish = (ended: boolean): void => {
      clearInterval(interval);
      clearTimeout(giveUp);
      socket.destroy();
      if (openedAt === undefined) reject(unreachable("no connection"));
      else resolve({ ended, afterMs: performance.now() - openedAt, received: received.bytes() });
    };
    const giveUp = setTimeout(() => finish(false), maxMs);
    whenOpen(socket, isSecure, () => {
      openedAt = performance.now();
      socket.write(head);
      interval = setInterval(dripInto(socket, drip), 1000);
    });
    socket.on("data", (chunk: Uint8Array) => {
      received.add(chunk);
      // A moment later, so that the whole of a short answer is there.
      if (hasAnswer(received.bytes())) setTimeout(() => finish(true), 50);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => finish(true));
  });
}

function dripInto(socket: Socket, drip: Uint8Array): () => void {
  let count = 0;
  return () => {
    const at = count++ % drip.length;
    if (socket.writable) socket.write(drip.subarray(at, at + 1));
  };
}

/** A whole status line; HTTP/2 frames never look like one. */
const hasAnswer = (bytes: Uint8Array): boolean =>
  /^HTTP\/1\.[01] \d{3}[^\n]*\n/.test(Buffer.from(bytes).toString("latin1"));
