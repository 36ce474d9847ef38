import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { ProbeRequest, ProbeResponse } from "../../probes/probe.ts";
import { isSuccess, see, withoutPages } from "../shared.ts";
import { judgeBaits, listenerThatHears } from "./baits.ts";
import type { Bait } from "./baits.ts";
import { answerTo, firstLine, readByHand, whyUnserved, write } from "./by-hand.ts";
import type { ByHand, Lines } from "./by-hand.ts";

/** What is said before any route is found: the host that is asked, the whole address, and what is spoken from then on. */
export const noTunnels: Check = {
  name: "no request line and no Host makes the stack ask another server",
  kind: "live",
  attack: { kind: "ssrf", promise: "origin", per: "site" },
  isActive: true,
  isSupporting: true,
  run: async (context, tally) => {
    const listener = await listenerThatHears(context, tally);
    const honest = await readByHand(context);
    if (listener === undefined || (await noSite(context, tally, honest)) !== undefined) return undefined;
    const before = listener.hits.length;
    const baits = [
      ...(await baitByHand(context, tally, listener.port)),
      ...(await baitStream(context, listener.port)),
    ];
    await expectNoOtherProtocol(context, tally, honest);
    // Whoever answers nobody any more has not refused.
    const reason = await noSite(context, tally, honest);
    const unserved = `${reason}, once addresses of ours had been in request lines`;
    const judged = reason === undefined ? baits : baits.map((bait) => ({ ...bait, unserved }));
    return () => judgeBaits(context, tally, listener, before, judged);
  },
};

/** Why who is honest is not served over a connection like those that are tried. Undefined: who is honest is. */
async function noSite(context: AuditContext, tally: Tally, honest: ByHand): Promise<string | undefined> {
  if (honest.about !== "a page" || withoutPages(context) === undefined)
    return whyUnserved(context, tally, honest);
  const reason =
    "there is no page, and no route that may be read: no honest request shows that anybody is served";
  tally.miss(reason);
  return reason;
}

/** A request that leads to another server, as it is written down. */
interface Line {
  readonly what: string;
  readonly first: string;
  readonly lines: Lines;
  /** Said at once by who expects that a tunnel is opened. */
  readonly behind?: string;
}

const closing = ["connection", "close"] as const;
const webSocket: Lines = [
  ["connection", "Upgrade"],
  ["upgrade", "websocket"],
  ["sec-websocket-version", "13"],
  ["sec-websocket-key", "Y3VydGFpbndhbGwtYXVkaXQ="],
];
/** HTTP/2 without TLS: who passes that on has no part in what is said then. @see RFC 7540 §3.2 */
const plainHttp2: Lines = [
  ["connection", "Upgrade, HTTP2-Settings"],
  ["upgrade", "h2c"],
  ["http2-settings", "AAMAAABkAAQAAP__"],
];

function linesTo(mark: string, ours: string, host: string): Line[] {
  const [own, others] = [["host", host] as const, ["host", ours] as const];
  const whole = `http://${ours}/${mark}`;
  return [
    { what: "the whole address of another server", first: `GET ${whole} HTTP/1.1`, lines: [own, closing] },
    { what: "another server's name as Host", first: `GET /${mark} HTTP/1.1`, lines: [others, closing] },
    { what: "a path that begins with @", first: `GET @${ours}/${mark} HTTP/1.1`, lines: [own, closing] },
    {
      what: "a tunnel",
      first: `CONNECT ${ours} HTTP/1.1`,
      lines: [others],
      behind: write(`GET /${mark} HTTP/1.1`, [others, closing]),
    },
    {
      what: "a WebSocket to another server, by its Host",
      first: `GET /${mark} HTTP/1.1`,
      lines: [others, ...webSocket],
    },
    {
      what: "a WebSocket to another server, by its address",
      first: `GET ${whole} HTTP/1.1`,
      lines: [own, ...webSocket],
    },
    {
      what: "HTTP/2 without TLS, to another server",
      first: `GET /${mark} HTTP/1.1`,
      lines: [others, ...plainHttp2],
    },
  ];
}

async function baitByHand(context: AuditContext, tally: Tally, port: number): Promise<Bait[]> {
  const baits: Bait[] = [];
  for (const index of linesTo("", "", "").keys()) {
    const mark = context.mark();
    const line = linesTo(mark, `127.0.0.1:${port}`, context.target.host)[index];
    if (line === undefined) continue;
    const { what, first, lines, behind = "" } = line;
    const response = await answerTo(context, write(first, lines, behind));
    const [method = "", target = ""] = first.split(" ");
    const path = target.startsWith("/") ? target : `/${target}`;
    const exchange = response === undefined ? undefined : { request: { method, path }, response };
    baits.push({ mark, what, exchange, sentAt: context.now() });
    if (exchange !== undefined && opensTunnel(method, exchange.response))
      tally.fail(see(context, `${what} is opened`, exchange));
  }
  return baits;
}

const opensTunnel = (method: string, { status }: ProbeResponse): boolean =>
  status === 101 || (method === "CONNECT" && isSuccess(status));

/** HTTP/2 has no request line: the host that is asked stands in a field of its own. @see RFC 9113 §8.3.1 */
async function baitStream(context: AuditContext, port: number): Promise<Bait[]> {
  if (!context.protocols.includes("h2")) return [];
  const mark = context.mark();
  const request: ProbeRequest = {
    method: "GET",
    path: `/${mark}`,
    headers: [[":authority", `127.0.0.1:${port}`]],
    protocol: "h2",
  };
  const response = await context.wire.send(request).catch(() => undefined);
  const exchange = response === undefined ? undefined : { request, response };
  return [{ mark, what: "another server's name as :authority", exchange, sentAt: context.now() }];
}

/** What is spoken after a change of protocol, nobody looks at: a contract declares none. */
async function expectNoOtherProtocol(context: AuditContext, tally: Tally, honest: ByHand): Promise<void> {
  const others = honest.lines.filter(([name]) => name !== "connection");
  for (const [name, lines] of [
    ["WebSocket", webSocket],
    ["HTTP/2 without TLS", plainHttp2],
  ] as const) {
    const response = await answerTo(context, write(firstLine(honest), [...others, ...lines]));
    const about = `${honest.about}: that asks for ${name}, and goes on as HTTP/1.1`;
    if (response === undefined) tally.pass({ kind: "measurement", about, value: "the target hangs up" });
    else tally.expect(response.status !== 101, see(context, about, { request: honest.request, response }));
  }
}
