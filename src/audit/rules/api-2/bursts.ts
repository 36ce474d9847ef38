import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Exchange, ProbeRequest, Protocol } from "../../probes/probe.ts";
import {
  allowanceOn,
  judgeSpending,
  oneClient,
  protocolFor,
  smallestAllowance,
  tightestOf,
  untilRefused,
  withoutLimits,
} from "../limits.ts";
import type { Allowance } from "../limits.ts";
import { see } from "../shared.ts";
import { formsOf } from "./forms.ts";
import { visitorsOf } from "./visitors.ts";
import type { Visitors } from "./visitors.ts";

export const burst: Check = {
  name: "burst of N + 1",
  kind: "live",
  attack: { kind: "limits", promise: "limit", per: "route" },
  isActive: true,
  notApplicable: withoutLimits("client"),
  run: async (context, tally) => {
    const routes = context.contract.routes.filter((route) => tightestOf(route, "client") !== undefined);
    for (const route of routes) {
      const allowance = allowanceOn(context, route);
      if (typeof allowance === "string") {
        tally.miss(allowance);
        continue;
      }
      const visitors = visitorsOf(route);
      await spend(context, tally, allowance, { about: overWhat(context), visitors });
      // That both count together shows on each route; that one alone counts is shown where it is cheapest.
      if (context.protocols.includes("h2") && isCheapest(context, allowance))
        await spend(context, tally, allowance, { about: ", over HTTP/2 alone", protocol: "h2" });
    }
  },
};

const overWhat = ({ protocols }: AuditContext): string =>
  protocols.length > 1 ? ", over HTTP/1.1 and HTTP/2 by turns" : "";

/** Whether of all routes that are declared none is spent sooner. */
function isCheapest(context: AuditContext, { route }: Allowance): boolean {
  const all = { ...context, contract: { ...context.contract, routes: context.declaredRoutes } };
  const cheapest = smallestAllowance(all);
  return typeof cheapest !== "string" && cheapest.route.key === route.key;
}

const addressHeaders = [
  "x-forwarded-for",
  "forwarded",
  "x-real-ip",
  "x-client-ip",
  "cf-connecting-ip",
  "true-client-ip",
  "fly-client-ip",
  "x-cluster-client-ip",
  "x-forwarded",
  "x-originating-ip",
  "x-remote-ip",
  "x-remote-addr",
  "x-original-forwarded-for",
  "x-envoy-external-address",
  "x-azure-clientip",
  "fastly-client-ip",
  "x-vercel-forwarded-for",
  "x-nf-client-connection-ip",
  "do-connecting-ip",
];

export const forwardedFor: Check = {
  name: "X-Forwarded-For rotation",
  kind: "live",
  attack: { kind: "limits", promise: "limit", per: "site" },
  isActive: true,
  notApplicable: withoutLimits("client"),
  run: async (context, tally) => {
    const allowance = smallestAllowance(context);
    if (typeof allowance === "string") return tally.miss(allowance);
    await spend(context, tally, allowance, {
      about: ", another X-Forwarded-For each time",
      decorate: (count) =>
        addressHeaders.map((name) => {
          const address = `198.51.${count >> 8}.${count & 255}`;
          return [name, name === "forwarded" ? `for=${address}` : address];
        }),
    });
  },
};

/** How an allowance is spent. */
interface Spending {
  about: string;
  /** Default: those that the target speaks, by turns. */
  protocol?: Protocol;
  decorate?: (count: number) => [string, string][];
  /** Every other request is another visitor's, so that neither kind reaches the limit by itself. Default: all are alike. */
  visitors?: Visitors;
}

/** Whether one of many requests is another visitor's: by turns, of each form over each protocol in time. */
const isAnothers = (count: number): boolean => (count + Math.floor(count / 2)) % 2 === 1;

/** Spends one client's allowance and goes on; the server must stop it in time. */
async function spend(
  context: AuditContext,
  tally: Tally,
  { route, limit, call }: Allowance,
  { about, protocol, decorate = () => [], visitors }: Spending,
): Promise<void> {
  const client = context.caller.freshClient();
  if (client === undefined) return tally.miss(oneClient);
  const plain = await context.caller.request(call);
  const forms = formsOf(route);
  const startedAt = context.now();
  let [admitted, failed] = [0, 0];
  let refusal: Exchange | undefined;
  const most = limit.burst + Math.ceil(limit.burst / 4) + 10;
  for (let count = 0; count < most && refusal === undefined; count++) {
    const request =
      visitors !== undefined && isAnothers(count)
        ? await context.caller.request(visitors.as(call, count))
        : plain;
    const headers = [...(request.headers ?? []), ...decorate(count)];
    const sent: ProbeRequest = {
      ...forms.at({ ...request, headers }, count),
      client,
      protocol: protocol ?? protocolFor(context, count),
    };
    const response = await context.wire.send(sent);
    if (forms.isUnknown(sent, response) || visitors?.isUnknown(sent, response) === true) continue;
    if (response.status === 429) refusal = { request: sent, response };
    else if (response.status >= 500) failed++;
    else admitted++;
  }
  judgeSpending(tally, {
    about: `${route.key} (${limit.text})${about}`,
    limit,
    admitted,
    failed,
    isRefused: refusal !== undefined,
    seconds: (context.now() - startedAt) / 1000,
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
  attack: { kind: "limits", promise: "limit", per: "site" },
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
    if (response.status >= 500)
      return tally.miss(`${route.key}: another client was answered ${response.status}, whatever the reason`);
    tally.expect(
      response.status !== 429,
      see(context, `${route.key}: another client at the same time is served`, { request: sent, response }),
    );
  },
};
