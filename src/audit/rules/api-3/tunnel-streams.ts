import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Exchange, ProbeRequest } from "../../probes/probe.ts";
import { reasonOf } from "../../check.ts";
import { isSuccess, see } from "../shared.ts";
import { judgeBaits, listenerThatHears } from "./baits.ts";
import type { Bait } from "./baits.ts";
import { isServed, readByHand, whyUnserved, write } from "./by-hand.ts";

/** HTTP/2 has no request line: the host that is asked, and what is to be spoken from then on, stand in fields of their own. */
export const noTunnelStreams: Check = {
  name: "no stream over HTTP/2 is a tunnel, or becomes a WebSocket",
  kind: "live",
  attack: { kind: "ssrf", promise: "origin", per: "site" },
  isActive: true,
  isSupporting: true,
  run: async (context, tally) => {
    if (!context.protocols.includes("h2")) return tally.notApplicable("the target speaks no HTTP/2");
    const listener = await listenerThatHears(context, tally);
    const honest = await readByHand(context);
    if (listener === undefined || !(await isServed(context, tally, honest))) return undefined;
    const before = listener.hits.length;
    const baits: Bait[] = [];
    for (const stream of streams) {
      const mark = context.mark();
      const request = stream.request(mark, `127.0.0.1:${listener.port}`, honest.request);
      const exchange = await answerTo(context, tally, stream.what, request);
      baits.push({ mark, what: stream.what, exchange, sentAt: context.now() });
      // The others would be left open as long.
      if (exchange === undefined && tally.broken > 0) break;
    }
    const reason = await whyUnserved(context, tally, honest);
    const unserved = `${reason}, once tunnels had been asked for over HTTP/2`;
    const judged = reason === undefined ? baits : baits.map((bait) => ({ ...bait, unserved }));
    return () => judgeBaits(context, tally, listener, before, judged);
  },
};

interface TunnelStream {
  readonly what: string;
  request(mark: string, ours: string, honest: ProbeRequest): ProbeRequest;
}

type Fields = readonly (readonly [name: string, value: string])[];

const webSocket: Fields = [
  [":protocol", "websocket"],
  ["sec-websocket-version", "13"],
];

/** What is said at once by who takes a tunnel for opened. */
const behind = (mark: string, ours: string): string => write(`GET /${mark} HTTP/1.1`, [["host", ours]]);

const connect = (path: string, headers: Fields, body: string): ProbeRequest => ({
  method: "CONNECT",
  path,
  headers,
  body,
  protocol: "h2",
  // A tunnel that is opened does not end.
  listen: { maxMs: 500, maxEvents: 1 },
});

/** @see RFC 9113 §8.5 (CONNECT), RFC 8441 §4 (WebSockets), RFC 9298 §3.4 (connect-udp) */
const streams: readonly TunnelStream[] = [
  {
    what: "a tunnel over HTTP/2",
    request: (mark, ours) => connect(`/${ours}`, [[":authority", ours]], behind(mark, ours)),
  },
  {
    what: "a tunnel over HTTP/2 to the stack's own machine, by its name",
    request: (mark, ours) =>
      connect(`/${ours}`, [[":authority", ours.replace("127.0.0.1", "localhost")]], behind(mark, ours)),
  },
  {
    what: "a WebSocket over HTTP/2 to another server",
    request: (mark, ours) => connect(`/${mark}`, [[":authority", ours], ...webSocket], behind(mark, ours)),
  },
  {
    what: "a WebSocket over HTTP/2 where an honest request is served",
    request: (mark, ours, { path, headers = [] }) =>
      connect(path, [...headers, ...webSocket], behind(mark, ours)),
  },
  {
    what: "another protocol over HTTP/2, to a host in the path",
    request: (mark, ours) => {
      const [host = "", port = ""] = ours.split(":");
      const path = `/.well-known/masque/udp/${host}/${port}/`;
      return connect(
        path,
        [
          [":protocol", "connect-udp"],
          ["capsule-protocol", "?1"],
        ],
        behind(mark, ours),
      );
    },
  },
];

/** Refused is a stream that has an answer which says so, or none and an end. Undefined: it has none. */
async function answerTo(
  context: AuditContext,
  tally: Tally,
  what: string,
  request: ProbeRequest,
): Promise<Exchange | undefined> {
  const startedAt = context.now();
  try {
    const exchange = { request, response: await context.wire.send(request) };
    if (isSuccess(exchange.response.status)) tally.fail(see(context, `${what} is opened`, exchange));
    return exchange;
  } catch (error) {
    const reason = reasonOf(error);
    const value = context.now() - startedAt;
    if (/no full answer within/.test(reason))
      tally.fail({ kind: "measurement", about: `${what} is left open`, value, unit: "ms" });
    return undefined;
  }
}
