import type { IncomingMessage } from "node:http";
import { Refused } from "../errors.ts";

/** Memory that bodies on their way may take. */
export interface BodyBudget {
  /** False: there is no more, for all or for this caller. What was taken is to be given back all the same. */
  take(caller: string, bytes: number): boolean;
  give(caller: string, bytes: number): void;
}

/** One caller may have a quarter of it at most, so that nobody is kept from sending by another's flood. */
export function createBodyBudget(totalBytes: number): BodyBudget {
  const taken = new Map<string, number>();
  let left = totalBytes;
  const change = (caller: string, bytes: number): number => {
    left -= bytes;
    const now = (taken.get(caller) ?? 0) + bytes;
    if (now > 0) taken.set(caller, now);
    else taken.delete(caller);
    return now;
  };
  return {
    take: (caller, bytes) => change(caller, bytes) <= totalBytes / 4 && left >= 0,
    give: (caller, bytes) => void change(caller, -bytes),
  };
}

/**
 * Reads a request's body whole, so that a caller that is slow to send it holds no connection to a service. What it takes of the budget
 * is given back by whoever asked.
 *
 * @param take takes of the budget
 * @returns undefined if there is none
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  take: (bytes: number) => boolean,
): Promise<Uint8Array | undefined> {
  const { "content-length": length, "transfer-encoding": coding } = request.headers;
  if (coding === undefined && (length === undefined || length === "0")) return nothing;
  if (Number(length) > maxBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const fail = (fault: Refused): void => {
      chunks.length = 0;
      request.removeAllListeners("data").pause();
      reject(fault);
    };
    request.on("data", (chunk: Uint8Array) => {
      size += chunk.length;
      chunks.push(chunk);
      const isRoom = take(chunk.length);
      if (size > maxBytes) fail(tooLarge());
      else if (!isRoom) fail(new Refused("EGRESS_BUSY", "too much is on its way"));
    });
    request.on("end", () => resolve(size === 0 ? undefined : Buffer.concat(chunks, size)));
    request.on("close", () => {
      if (!request.complete) fail(new Refused("EGRESS_FAILED", "who asked has gone"));
    });
  });
}

const nothing = Promise.resolve(undefined);
const tooLarge = (): Refused =>
  new Refused("EGRESS_REQUEST_TOO_LARGE", "its body is larger than the contract permits");
