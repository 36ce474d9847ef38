import { connect } from "node:net";
import type { Socket } from "node:net";

/** A connection to the store that hosts count in, and what counters' names are hashed with there. */
export interface EgressRedis {
  readonly socket: Socket;
  readonly seed: readonly [number, number];
}

/** `+READY` and 16 digits, or `-` and why not. */
const greeting = /^(?:\+READY ([0-9a-f]{8})([0-9a-f]{8})|-([A-Z]{1,40}))\r\n$/;
const longestGreeting = 64;

/**
 * Connects to the store by way of egress, which opens the connection and says the password. Resolves once it has; rejects with the word that
 * it says otherwise as `code`.
 */
export function openRedisThroughEgress(path: string): Promise<EgressRedis> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    const fail = (code: string): void => {
      socket.destroy();
      reject(Object.assign(new Error("no connection to the store"), { code }));
    };
    const onError = (error: Error): void => fail((error as { code?: string }).code ?? "UNKNOWN");
    const onEnd = (): void => fail("EGRESSAWAY");
    function take(part: Buffer): void {
      const line = part.indexOf(10);
      text += part.toString("latin1", 0, line < 0 ? part.length : line + 1);
      if (line < 0 && text.length < longestGreeting) return;
      const [, high, low, fault] = greeting.exec(text) ?? [];
      if (high === undefined || low === undefined) return fail(fault ?? "NOREDIS");
      socket.pause();
      socket.off("data", take).off("error", onError).off("end", onEnd);
      if (line + 1 < part.length) socket.unshift(part.subarray(line + 1));
      resolve({ socket, seed: [Number.parseInt(high, 16), Number.parseInt(low, 16)] });
    }
    socket.on("data", take).on("error", onError).on("end", onEnd);
  });
}
