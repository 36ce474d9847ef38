import type { ContractRoute, Limit } from "../../contract/index.ts";
import type { Check, Rule, Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls } from "../inputs.ts";
import type { HonestCall } from "../inputs.ts";
import type { Call } from "../caller.ts";
import type { Exchange, Protocol, ProbeRequest } from "../probe.ts";
import { isSuccess, pagePath, see } from "./shared.ts";

/** Bursts above this are not sent: the audit is no load test. */
const maxBurst = 400;

const statesLimit: Check = {
  name: "every route states a limit",
  kind: "source",
  run: async ({ contract }, tally) => {
    if (contract.routes.length === 0) tally.notApplicable("the contract declares no route", "routes");
    for (const route of contract.routes) {
      tally.expect(route.limits.length > 0, {
        kind: "contract",
        about: `${route.key}: ${route.limits.map((limit) => limit.text).join(" and ") || "no limit"}`,
        at: `routes[${JSON.stringify(route.key)}].limit`,
      });
    }
  },
};

/** The tightest limit per client of a route, and a request that counts against it without doing anything. */
function target(context: AuditContext, route: ContractRoute): { limit: Limit; call: Call } | string {
  const limits = route.limits.filter((limit) => limit.by === "client");
  const limit = limits.reduce<Limit | undefined>(
    (least, next) => (least === undefined || next.burst < least.burst ? next : least),
    undefined,
  );
  if (limit === undefined) return `${route.key} has no limit per client`;
  if (limit.burst > maxBurst)
    return `${route.key} admits ${limit.burst} at once: more than the ${maxBurst} that an audit sends`;
  const [honest] = honestCalls(context, route);
  if (honest === undefined) return `no sample in the plan that ${route.key} accepts`;
  return { limit, call: { route, input: honest.input, ...harmless(route) } };
}

/** Makes a call without effect: where a missing token does not refuse it, its body or query does. It is charged all the same. */
function harmless(route: ContractRoute): Partial<Call> {
  if (route.access.kind !== "everyone" || route.method === "GET") return {};
  return route.body === undefined ? { rawQuery: "undeclared=1" } : { rawBody: "{" };
}

/** Spends one client's allowance and goes on; the server must stop it in time. */
async function spend(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  about: string,
  decorate: (count: number) => [string, string][] = () => [],
): Promise<void> {
  const found = target(context, route);
  if (typeof found === "string")
    return route.limits.some((limit) => limit.by === "client") ? tally.miss(found) : undefined;
  const client = context.caller.freshClient();
  if (client === undefined)
    return tally.miss(
      "the target can't be reached from several addresses, so a burst would lock the auditor out",
    );
  const { limit, call } = found;
  const request = await context.caller.request(call);
  const startedAt = context.now();
  let admitted = 0;
  let refusal: Exchange | undefined;
  const most = limit.burst + Math.ceil(limit.burst / 4) + 10;
  for (let count = 0; count < most && refusal === undefined; count++) {
    const sent: ProbeRequest = {
      ...request,
      client,
      headers: [...(request.headers ?? []), ...decorate(count)],
    };
    const response = await context.wire.send(sent);
    if (response.status === 429) refusal = { request: sent, response };
    else admitted++;
  }
  const seconds = (context.now() - startedAt) / 1000;
  const allowed = limit.burst + Math.ceil((seconds * limit.count) / limit.windowSeconds);
  tally.expect(refusal !== undefined && admitted <= allowed, {
    kind: "measurement",
    about: `${route.key} (${limit.text})${about}: admitted in ${seconds.toFixed(2)} s, at most ${allowed} allowed`,
    value: refusal === undefined ? `${admitted}, and no 429 came` : admitted,
    unit: "requests",
  });
  if (refusal === undefined) return;
  const retryAfter = Number(refusal.response.header("retry-after"));
  tally.expect(
    Number.isFinite(retryAfter) && retryAfter > 0,
    see(context, `${route.key}: the refusal says when to come back (Retry-After)`, refusal),
  );
}

const burst: Check = {
  name: "burst of N + 1",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    if (context.contract.routes.length === 0) tally.notApplicable("the contract declares no route", "routes");
    for (const route of context.contract.routes) await spend(context, tally, route, "");
  },
};

const addressHeaders = [
  "x-forwarded-for",
  "forwarded",
  "x-real-ip",
  "x-client-ip",
  "cf-connecting-ip",
  "true-client-ip",
  "fly-client-ip",
  "x-cluster-client-ip",
];

const forwardedFor: Check = {
  name: "X-Forwarded-For rotation",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const route = tightest(context);
    if (route === undefined) return tally.notApplicable("no route has a limit per client", "routes");
    await spend(context, tally, route, ", another X-Forwarded-For each time", (count) =>
      addressHeaders.map((name) => {
        const address = `198.51.${count >> 8}.${count & 255}`;
        return [name, name === "forwarded" ? `for=${address}` : address];
      }),
    );
  },
};

/** The route whose burst is smallest: the cheapest to spend. */
function tightest(context: AuditContext): ContractRoute | undefined {
  const burstOf = (route: ContractRoute): number =>
    Math.min(...route.limits.filter((limit) => limit.by === "client").map((limit) => limit.burst));
  return context.contract.routes
    .filter((route) => Number.isFinite(burstOf(route)) && typeof target(context, route) !== "string")
    .sort((left, right) => burstOf(left) - burstOf(right))[0];
}

const otherClients: Check = {
  name: "one client's burst does not lock others out",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const route = tightest(context);
    if (route === undefined) return tally.notApplicable("no route has a limit per client", "routes");
    const found = target(context, route);
    const spent = context.caller.freshClient();
    const other = context.caller.freshClient();
    if (typeof found === "string" || spent === undefined || other === undefined)
      return tally.miss("the target can't be reached from several addresses");
    const request = await context.caller.request(found.call);
    let status = 0;
    for (let count = 0; count < found.limit.burst * 2 && status !== 429; count++)
      status = (await context.wire.send({ ...request, client: spent })).status;
    if (status !== 429) return tally.miss(`${route.key}: the limit was never reached`);
    const sent = { ...request, client: other };
    const response = await context.wire.send(sent);
    tally.expect(
      response.status !== 429,
      see(context, `${route.key}: another client at the same time is served`, { request: sent, response }),
    );
  },
};

const perUser: Check = {
  name: "a user's burst from many addresses",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const routes = context.contract.routes.filter((route) =>
      route.limits.some((limit) => limit.by === "user"),
    );
    if (routes.length === 0) tally.notApplicable("no route has a limit per user", "routes");
    for (const route of routes) {
      const limit = route.limits
        .filter(({ by }) => by === "user")
        .reduce((least, next) => (next.burst < least.burst ? next : least));
      const honest = honestCalls(context, route).at(-1);
      const regrowSeconds = (limit.burst * limit.windowSeconds) / limit.count;
      if (honest === undefined) tally.miss(`no identity in the plan may call ${route.key}`);
      else if (limit.burst > maxBurst || regrowSeconds > 120)
        tally.miss(
          `${route.key} (${limit.text}): its burst would lock the user out for ${Math.round(regrowSeconds)} s`,
        );
      else await spendUser(context, tally, route, limit, honest);
    }
  },
};

async function spendUser(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  limit: Limit,
  { as, input }: HonestCall,
): Promise<void> {
  const request = await context.caller.request({
    route,
    as,
    input,
    ...(route.body === undefined ? {} : { rawBody: "{" }),
  });
  const smallest = Math.min(
    limit.burst,
    ...route.limits.filter(({ by }) => by === "client").map((other) => other.burst),
  );
  const startedAt = context.now();
  let admitted = 0;
  let client = context.caller.freshClient();
  if (client === undefined) return tally.miss("the target can't be reached from several addresses");
  let refusals = 0;
  for (let count = 0; count < limit.burst * 1.5 + 20 && refusals < 3; count++) {
    // A new address before the last one's own allowance ends, so that a 429 can only be the user's.
    if (count % Math.max(1, smallest - 1) === 0) client = context.caller.freshClient();
    const { status } = await context.wire.send({ ...request, ...(client === undefined ? {} : { client }) });
    if (status === 429) refusals++;
    else admitted++;
  }
  const seconds = (context.now() - startedAt) / 1000;
  const allowed = limit.burst + Math.ceil((seconds * limit.count) / limit.windowSeconds);
  tally.expect(refusals > 0 && admitted <= allowed, {
    kind: "measurement",
    about: `${route.key} (${limit.text}), as ${as}, from many addresses: admitted in ${seconds.toFixed(2)} s, at most ${allowed} allowed`,
    value: refusals === 0 ? `${admitted}, and no 429 came` : admitted,
    unit: "requests",
  });
}

const encoder = new TextEncoder();

/** An HTTP/2 connection's first bytes: preface and empty SETTINGS, then what is given. @see RFC 9113 §3.4 */
function http2Head(...frames: readonly Uint8Array[]): Uint8Array {
  const preface = encoder.encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const parts = [preface, Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0), ...frames];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

async function slow(
  context: AuditContext,
  tally: Tally,
  about: string,
  protocol: Protocol,
  head: Uint8Array,
  drip: Uint8Array,
): Promise<void> {
  const client = context.caller.freshClient();
  const result = await context.wire.trickle({
    protocol,
    head,
    drip,
    maxMs: context.maxSlowMs,
    ...(client === undefined ? {} : { client }),
  });
  tally.expect(result.ended, {
    kind: "measurement",
    about: `${about}, one byte a second over ${protocol}: the server ends it`,
    value: result.ended
      ? Math.round(result.afterMs / 100) / 10
      : `still open after ${context.maxSlowMs / 1000} s`,
    unit: "s",
  });
}

const slowHeaders: Check = {
  name: "slow headers",
  kind: "live",
  isActive: true,
  isSlow: true,
  run: async (context, tally) => {
    const http1 = encoder.encode(
      `GET ${pagePath(context)} HTTP/1.1\r\nhost: ${context.target.host}\r\nx-slow: `,
    );
    // HEADERS without END_HEADERS says 200 bytes will come. @see RFC 9113 §6.2
    const http2 = http2Head(Uint8Array.of(0, 0, 200, 1, 0, 0, 0, 0, 1, 0x82));
    const honest = context.wire.send({ method: "GET", path: pagePath(context) });
    await Promise.all([
      slow(context, tally, "headers", "http/1.1", http1, encoder.encode("a")),
      slow(context, tally, "headers", "h2", http2, Uint8Array.of(0x40)),
      honest.then((response) =>
        tally.expect(
          response.status < 500,
          see(context, "meanwhile others are served", {
            request: { method: "GET", path: pagePath(context) },
            response,
          }),
        ),
      ),
    ]);
  },
};

const slowBody: Check = {
  name: "slow body",
  kind: "live",
  isActive: true,
  isSlow: true,
  run: async (context, tally) => {
    const route =
      context.contract.routes.find(
        (candidate) => candidate.body !== undefined && candidate.access.kind === "everyone",
      ) ?? context.contract.routes.find((candidate) => candidate.body !== undefined);
    if (route === undefined) return tally.notApplicable("no route takes a body", "routes");
    const [honest] = honestCalls(context, route);
    if (honest === undefined) return tally.miss(`no sample in the plan that ${route.key} accepts`);
    const { path, headers = [] } = await context.caller.request({ route, ...honest });
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const http1 = encoder.encode(
      `${route.method} ${path} HTTP/1.1\r\nhost: ${context.target.host}\r\n${lines}content-length: 1000\r\n\r\n{`,
    );
    await slow(context, tally, `${route.key}: body`, "http/1.1", http1, encoder.encode(" "));
  },
};

const pausing: Check = {
  name: "an honest client that pauses is served",
  kind: "live",
  isActive: true,
  isSlow: true,
  run: async (context, tally) => {
    const text = `GET ${pagePath(context)} HTTP/1.1\r\nhost: ${context.target.host}\r\nconnection: close\r\n\r\n`;
    const bytes = encoder.encode(text);
    // All but the last three bytes at once, those one a second: a poor connection, not an attack.
    const result = await context.wire.trickle({
      protocol: "http/1.1",
      head: bytes.subarray(0, -3),
      drip: bytes.subarray(-3),
      maxMs: 10_000,
    });
    const line = new TextDecoder().decode(result.received).split("\r\n")[0] ?? "";
    tally.expect(isSuccess(Number(line.split(" ")[1])), {
      kind: "measurement",
      about: "a request that took three seconds to arrive",
      value: line,
    });
  },
};

const twoInstances: Check = {
  name: "parallel burst on two instances",
  kind: "live",
  isActive: true,
  run: async (_, tally) => tally.miss("one instance runs; limits shared between hosts come with Valkey"),
};

const ipv6: Check = {
  name: "IPv6 rotation inside a /64",
  kind: "live",
  isActive: true,
  run: async (_, tally) => tally.miss("loopback has one IPv6 address; this takes a network of its own"),
};

/** API-2: rate limiting and throttling. */
export const api2: Rule = {
  id: "API-2",
  checks: [
    statesLimit,
    slowHeaders,
    slowBody,
    pausing,
    burst,
    otherClients,
    forwardedFor,
    perUser,
    twoInstances,
    ipv6,
  ],
};
