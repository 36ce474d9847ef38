import type { ForwardedRequest } from "../types.ts";

/**
 * What an answer is found again by: all that the upstream can see of a request. The target is the one that was written anew from checked
 * values; headers and cookies are those that the route declares, as they are sent; the caller is all that is known
 * of it, of which its assertion says a part. There is no other
 * input, so none that could be forgotten here: an upstream is sent nothing else of a client's (RFC 9111 §2, "cache key").
 *
 * No target has a line break in it, and JSON writes none, so that no two requests have one key by accident.
 */
export function keyOf({ route, target, headers, caller }: ForwardedRequest): string {
  const sent = headers === undefined ? "" : JSON.stringify(headers);
  return `${route.key}\n${target}\n${sent}\n${caller === undefined ? "" : JSON.stringify(caller)}`;
}

/** A target's path: what it is made old by. */
export function pathOf(target: string): string {
  const end = target.indexOf("?");
  return end < 0 ? target : target.slice(0, end);
}
