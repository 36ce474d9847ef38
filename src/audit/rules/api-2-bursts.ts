import type { Check, Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { Exchange, ProbeRequest } from "../probe.ts";
import {
  allowanceOn,
  allowedIn,
  oneClient,
  refusedAtOnce,
  smallestAllowance,
  tightestOf,
  untilRefused,
  withoutLimits,
} from "./limits.ts";
import type { Allowance } from "./limits.ts";
import { see } from "./shared.ts";

export const burst: Check = {
  name: "burst of N + 1",
  kind: "live",
  isActive: true,
  notApplicable: withoutLimits("client"),
  run: async (context, tally) => {
    const routes = context.contract.routes.filter((route) => tightestOf(route, "client") !== undefined);
    for (const route of routes) {
      const allowance = allowanceOn(context, route);
      if (typeof allowance === "string") tally.miss(allowance);
      else await spend(context, tally, allowance, "");
    }
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
  notApplicable: withoutLimits("client"),
  run: async (context, tally) => {
    const allowance = smallestAllowance(context);
    if (typeof allowance === "string") return tally.miss(allowance);
    await spend(context, tally, allowance, ", another X-Forwarded-For each time", (count) =>
      addressHeaders.map((name) => {
        const address = `198.51.${count >> 8}.${count & 255}`;
        return [name, name === "forwarded" ? `for=${address}` : address];
      }),
    );
  },
};

/** Spends one client's allowance and goes on; the server must stop it in time. */
async function spend(
  context: AuditContext,
  tally: Tally,
  { route, limit, call }: Allowance,
  about: string,
  decorate: (count: number) => [string, string][] = () => [],
): Promise<void> {
  const client = context.caller.freshClient();
  if (client === undefined) return tally.miss(oneClient);
  const request = await context.caller.request(call);
  const startedAt = context.now();
  let admitted = 0;
  let refusal: Exchange | undefined;
  const most = limit.burst + Math.ceil(limit.burst / 4) + 10;
  for (let count = 0; count < most && refusal === undefined; count++) {
    const headers = [...(request.headers ?? []), ...decorate(count)];
    const sent: ProbeRequest = { ...request, client, headers };
    const response = await context.wire.send(sent);
    if (response.status === 429) refusal = { request: sent, response };
    else admitted++;
  }
  if (admitted === 0) return tally.miss(`${route.key}: ${refusedAtOnce}`);
  const seconds = (context.now() - startedAt) / 1000;
  const allowed = allowedIn(limit, seconds);
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

export const otherClients: Check = {
  name: "one client's burst does not lock others out",
  kind: "live",
  isActive: true,
  notApplicable: withoutLimits("client"),
  run: async (context, tally) => {
    const allowance = smallestAllowance(context);
    if (typeof allowance === "string") return tally.miss(allowance);
    const { route, limit, call } = allowance;
    const spent = context.caller.freshClient();
    const other = context.caller.freshClient();
    if (spent === undefined || other === undefined) return tally.miss(oneClient);
    const request = await context.caller.request(call);
    const refusal = await untilRefused(context, { ...request, client: spent }, limit.burst * 2);
    if (refusal === undefined) return tally.miss(`${route.key}: the limit was never reached`);
    const sent = { ...request, client: other };
    const response = await context.wire.send(sent);
    tally.expect(
      response.status !== 429,
      see(context, `${route.key}: another client at the same time is served`, { request: sent, response }),
    );
  },
};
