import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { isUnnamed } from "../../probes/listener.ts";
import type { Listener } from "../../probes/listener.ts";
import type { Exchange, ProbeRequest, ProbeResponse } from "../../probes/probe.ts";
import { textPlaces } from "../../requests/text-places.ts";
import { formsFor } from "./ssrf-forms.ts";
import { firstHonestCall, isSuccess, see, withoutRoutes } from "../shared.ts";

/** A request that could have sent the stack to us. */
interface Bait {
  mark: string;
  what: string;
  exchange: Exchange;
  /** Said where a route served nobody: that it asks nobody shows nothing. */
  unserved?: string;
}

/** Headers that proxies, statistics and clumsy code follow. */
const followed: readonly (readonly [name: string, value: (url: string, host: string) => string])[] = [
  ["referer", (url) => url],
  ["x-forwarded-host", (_, host) => host],
  ["x-host", (_, host) => host],
  ["x-forwarded-server", (_, host) => host],
  ["forwarded", (_, host) => `host="${host}";proto=http`],
  ["x-original-url", (url) => url],
  ["x-rewrite-url", (url) => url],
  ["x-wap-profile", (url) => url],
  ["x-callback-url", (url) => url],
  ["x-forwarded-for", () => "127.0.0.1"],
  ["destination", (url) => url],
  ["from", (_, host) => `audit@${host}`],
  ["via", (_, host) => `1.1 ${host}`],
];

/** How long is waited for whoever was sent to us, once all was sent: longer for a target that takes long. */
const [patienceMs, mostPatienceMs] = [500, 5000];

/** Server-side request forgery: addresses of the audit's own, in everything that a request has. */
export const noForgedRequests: Check = {
  name: "no address in a request makes the stack ask it",
  kind: "live",
  attack: { kind: "ssrf", promise: "to", per: "route" },
  isActive: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    const listener = await listenerThatHears(context, tally);
    if (listener === undefined) return;
    const before = listener.hits.length;
    const baits: Bait[] = [];
    for (const route of context.contract.routes)
      baits.push(...(await baitRoute(context, tally, route, listener.port)));
    await judge(context, tally, listener, before, baits);
  },
};

/** The same of what is said before any route is found. */
export const noTunnels: Check = {
  name: "no request line and no Host makes the stack ask another server",
  kind: "live",
  attack: { kind: "ssrf", promise: "origin", per: "site" },
  isActive: true,
  isSupporting: true,
  run: async (context, tally) => {
    const listener = await listenerThatHears(context, tally);
    if (listener === undefined) return;
    const before = listener.hits.length;
    await judge(context, tally, listener, before, await baitConnection(context, listener.port));
  },
};

/** Baits that nobody had come for when their check ended, by who listens for them. */
const pending = new WeakMap<Listener, Bait[]>();

/** What stands in a queue is done later: at the end of all that is asked of the same item, who was sent to us is looked for once more. */
export const noLateVisits: Check = {
  name: "nobody comes later for an address that was in a request",
  kind: "live",
  isActive: true,
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    const listener = await context.listener();
    const baits = pending.get(listener) ?? [];
    for (const route of context.contract.routes) firstHonestCall(context, route, tally);
    for (const { unserved } of baits) if (unserved !== undefined) tally.miss(unserved);
    const late = baits.filter(({ mark }) => listener.hits.some(({ text }) => text.includes(mark)));
    for (const { what, exchange } of late)
      tally.fail(see(context, `${what}: and somebody asked for it later`, exchange));
    if (baits.length === 0) tally.miss("no address of ours was in a request that nobody came for at once");
    else
      tally.expect(late.length === 0, {
        kind: "measurement",
        about: "addresses of ours that were in requests, and that somebody came for later",
        value: late.length,
        unit: `of ${baits.length}`,
      });
  },
};

/** Without somebody who hears it, that nobody came shows nothing. */
async function listenerThatHears(context: AuditContext, tally: Tally): Promise<Listener | undefined> {
  const listener = await context.listener();
  const mark = context.mark();
  await listener.ask(`/${mark}`);
  if (listener.hits.some(({ text }) => text.includes(mark))) return listener;
  tally.miss("what was opened to listen here does not hear who comes");
  return undefined;
}

async function baitRoute(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  port: number,
): Promise<Bait[]> {
  const honest = firstHonestCall(context, route, tally);
  if (honest === undefined) return [];
  const baits: Bait[] = [];
  const send = async (what: string, mark: string, change: object): Promise<void> => {
    baits.push({
      mark,
      what: `${route.key}: ${what}`,
      exchange: await context.caller.call({ route, ...honest, ...change }),
    });
  };
  for (const place of textPlaces(route, honest.input)) {
    for (const [form, write] of formsFor(place)) {
      const mark = context.mark();
      await send(
        `${place.name} is ${form}`,
        mark,
        place.put(write({ mark, port, site: context.target.host })),
      );
    }
  }
  const mark = context.mark();
  const url = `http://127.0.0.1:${port}/${mark}`;
  await send("headers lead to us", mark, {
    headers: followed.map(([name, value]) => [name, value(url, `127.0.0.1:${port}`)]),
  });
  // What refuses everything asks nobody either.
  if (!baits.some(({ exchange }) => isSuccess(exchange.response.status))) {
    const { response } = await context.caller.call({ route, ...honest });
    if (!isSuccess(response.status)) {
      const unserved = `${route.key}: the honest request was answered ${response.status}`;
      tally.miss(unserved);
      return baits.map((bait) => ({ ...bait, unserved }));
    }
  }
  return baits;
}

/** What is said before any route is found: the host that is asked, and the whole address. */
async function baitConnection(context: AuditContext, port: number): Promise<Bait[]> {
  const { host } = context.target;
  const ours = `127.0.0.1:${port}`;
  const lines: readonly (readonly [what: string, head: (mark: string) => string])[] = [
    ["the whole address of another server", (mark) => `GET http://${ours}/${mark} HTTP/1.1\r\nhost: ${host}`],
    ["another server's name as Host", (mark) => `GET /${mark} HTTP/1.1\r\nhost: ${ours}`],
    ["a path that begins with @", (mark) => `GET @${ours}/${mark} HTTP/1.1\r\nhost: ${host}`],
    ["a tunnel", () => `CONNECT ${ours} HTTP/1.1\r\nhost: ${ours}`],
  ];
  const baits: Bait[] = [];
  for (const [what, head] of lines) {
    const mark = context.mark();
    const request: ProbeRequest = { method: "GET", path: `/${mark}` };
    const response = await orSilence(context.wire.sendRaw(`${head(mark)}\r\nconnection: close\r\n\r\n`));
    if (response !== undefined) baits.push({ mark, what, exchange: { request, response } });
  }
  return baits;
}

/** Whoever hangs up has refused. */
async function orSilence(answer: Promise<ProbeResponse>): Promise<ProbeResponse | undefined> {
  return answer.catch(() => undefined);
}

async function judge(
  context: AuditContext,
  tally: Tally,
  listener: Listener,
  before: number,
  baits: readonly Bait[],
): Promise<void> {
  const slowest = Math.max(0, ...baits.map(({ exchange }) => exchange.response.durationMs));
  await context.sleep(Math.min(mostPatienceMs, Math.max(patienceMs, 2 * slowest)));
  const hits = listener.hits.slice(before);
  const broken = new Set<Bait>();
  for (const hit of hits) {
    const bait = baits.find(({ mark }) => hit.text.includes(mark));
    if (bait !== undefined) broken.add(bait);
    else if (isUnnamed(hit))
      tally.fail({
        kind: "measurement",
        about: "somebody came who says no address, while addresses of ours were sent",
        value: hit.text.slice(0, 40),
      });
  }
  for (const { what, exchange } of broken)
    tally.fail(see(context, `${what}: and somebody asked for it`, exchange));
  const held = baits.filter((bait) => !broken.has(bait));
  pending.set(listener, [...(pending.get(listener) ?? []), ...held]);
  for (const { what, exchange } of held) tally.pass(see(context, `${what}: nobody asked for it`, exchange));
}
