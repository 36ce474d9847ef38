import type { ProbeRequest, Protocol } from "../probes/probe.ts";

/** What HTTP/2 has no place for: what is about one connection, and what says where a body ends. */
const http1Alone = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Longer ones are refused over HTTP/2 by ending a stream, or the whole connection: no answer, and nothing to judge. */
const maxHeaderLength = 4000;

const visible = /^[\t\x20-\x7e]*$/;
const token = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Tells whether HTTP/2 says the same. What stands twice, what no client of it sends and what is in one place of the target alone is left to
 * HTTP/1.1, where it is known to go out as it was written.
 */
export function canBeHttp2({ method, path, headers = [], at }: ProbeRequest): boolean {
  const names = headers.map(([name]) => name.toLowerCase());
  return (
    at === undefined &&
    /^[A-Z]+$/.test(method) &&
    method !== "CONNECT" &&
    /^\/[\x21-\x7e]*$/.test(path) &&
    headers.reduce((sum, header) => sum + header.join().length, 0) <= maxHeaderLength &&
    new Set(names).size === names.length &&
    names.every((name) => token.test(name) && !http1Alone.has(name)) &&
    headers.every(([, value]) => visible.test(value) && value.trim() === value)
  );
}

/**
 * Gives each of several protocols its turn, always in the same order, which is as good as drawn: in one that comes again, a check that asks two or
 * three questions each time would put one of them over one protocol alone.
 */
export function createTurns(
  protocols: readonly [Protocol, ...Protocol[]],
): (request: ProbeRequest, name: string) => Protocol {
  const counts = new Map<string, number>();
  const [first, second = first] = protocols;
  return (request, name) => {
    if (second === first || !canBeHttp2(request)) return "http/1.1";
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return mixedBit(count) ? second : first;
  };
}

/** A bit of a number, mixed as MurmurHash3 ends. */
function mixedBit(count: number): boolean {
  let bits = Math.imul(count ^ (count >>> 16) ^ 0x9e37, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return ((bits ^ (bits >>> 16)) & 1) === 1;
}
