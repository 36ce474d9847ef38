import type { ContractRoute, Limit } from "../../contract/index.ts";
import type { Call } from "../caller.ts";
import type { Check, Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls, lacking } from "../inputs.ts";
import type { HonestCall } from "../inputs.ts";
import type { Exchange, ProbeRequest } from "../probe.ts";
import { see, withoutRoutes } from "./shared.ts";

/** Bursts above this are not sent: the audit is no load test. */
const maxBurst = 400;

const withoutLimits =
  (kind: Limit["by"]) =>
  (context: AuditContext): string | undefined =>
    withoutRoutes(context) ??
    (context.contract.routes.some(({ limits }) => limits.some(({ by }) => by === kind))
      ? undefined
      : `no route has a limit per ${kind}`);

/** For {@link Check.notApplicable}. */
export const withoutClientLimits = withoutLimits("client");

/** A limit that admits nobody is no limit that was seen to work. */
const refusedAtOnce = "even the first request was refused (429), so this shows no limit";

const noTarget = "no route with a limit per client can be called: see the burst's reasons";

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
  if (honest === undefined) return lacking(context, route);
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
  if (admitted === 0) return tally.miss(`${route.key}: ${refusedAtOnce}`);
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

export const burst: Check = {
  name: "burst of N + 1",
  kind: "live",
  isActive: true,
  notApplicable: withoutClientLimits,
  run: async (context, tally) => {
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

export const forwardedFor: Check = {
  name: "X-Forwarded-For rotation",
  kind: "live",
  isActive: true,
  notApplicable: withoutClientLimits,
  run: async (context, tally) => {
    const route = tightest(context);
    if (route === undefined) return tally.miss(noTarget);
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

export const otherClients: Check = {
  name: "one client's burst does not lock others out",
  kind: "live",
  isActive: true,
  notApplicable: withoutClientLimits,
  run: async (context, tally) => {
    const route = tightest(context);
    if (route === undefined) return tally.miss(noTarget);
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

export const perUser: Check = {
  name: "a user's burst from many addresses",
  kind: "live",
  isActive: true,
  notApplicable: withoutLimits("user"),
  run: async (context, tally) => {
    const routes = context.contract.routes.filter((route) =>
      route.limits.some((limit) => limit.by === "user"),
    );
    for (const route of routes) {
      const limit = route.limits
        .filter(({ by }) => by === "user")
        .reduce((least, next) => (next.burst < least.burst ? next : least));
      const honest = honestCalls(context, route).at(-1);
      const regrowSeconds = (limit.burst * limit.windowSeconds) / limit.count;
      if (honest === undefined) tally.miss(lacking(context, route));
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
  if (admitted === 0) return tally.miss(`${route.key}, as ${as}: ${refusedAtOnce}`);
  const seconds = (context.now() - startedAt) / 1000;
  const allowed = limit.burst + Math.ceil((seconds * limit.count) / limit.windowSeconds);
  tally.expect(refusals > 0 && admitted <= allowed, {
    kind: "measurement",
    about: `${route.key} (${limit.text}), as ${as}, from many addresses: admitted in ${seconds.toFixed(2)} s, at most ${allowed} allowed`,
    value: refusals === 0 ? `${admitted}, and no 429 came` : admitted,
    unit: "requests",
  });
}
