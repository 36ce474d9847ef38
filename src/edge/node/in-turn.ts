import type { ServerResponse } from "node:http";
import type { Client } from "./client.ts";

/** Requests of one connection that may wait for the one before them. */
const maxWaiting = 32;

const safe = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Tells whether a request of HTTP/1.1 may be answered now: not where it or the request before it may change something, and that one was not
 * answered yet. A client that sends a change and a look at it together means them in this order (RFC 9112 §9.3.2).
 *
 * @param before the answer that was begun last on the connection
 */
export function isInTurn(before: ServerResponse | undefined, response: ServerResponse): boolean {
  if (before === undefined || before.writableFinished || before.destroyed) return true;
  return isSafe(before) && isSafe(response);
}

const isSafe = ({ req }: ServerResponse): boolean => safe.has(req.method ?? "");

/** Calls `run` when the answer before it was given. False: too many wait already. */
export function waitForTurn(
  client: Client,
  before: ServerResponse | undefined,
  response: ServerResponse,
  run: () => void,
): boolean {
  if (client.waiting >= maxWaiting) return false;
  client.waiting++;
  before?.once("close", () => {
    client.waiting--;
    if (!response.destroyed) run();
  });
  return true;
}
