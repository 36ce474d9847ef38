import type { ContractRoute } from "../../../contract/index.ts";
import type { Call } from "../../requests/caller.ts";
import type { Check } from "../../check.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import { canaryPlace } from "../../answers/canary-place.ts";
import { findHeaderLeaks, findLeaks } from "../../answers/leaks.ts";
import type { Exchange } from "../../probes/probe.ts";
import { problemOf, provocations } from "../provocations.ts";
import { isSuccess, mediaType, see, withoutRoutes } from "../shared.ts";
import { unservedBy } from "../unserved.ts";
import { listenLonger, successFault } from "../success-faults.ts";

export const upstreamFails: Check = {
  name: "an upstream's failure stays inside",
  kind: "live",
  attack: { kind: "errors", promise: "to", per: "site" },
  isActive: true,
  notApplicable: withoutRoutes,
  lacks: ({ declaredRoutes, plan: { failures } }) =>
    declaredRoutes.some(({ key }) => failures?.[key] !== undefined) ? undefined : noFailure,
  run: async (context, tally) => {
    let seen = 0;
    for (const route of context.contract.routes) {
      const failure = context.plan.failures?.[route.key];
      const calls = failure === undefined ? [] : honestCalls(context, route, failure);
      for (const honest of calls.slice(0, 1)) {
        const exchange = await context.caller.call({ route, ...honest });
        const { response } = exchange;
        if (response.status < 500) {
          tally.miss(`${route.key}: the failure in the plan was answered ${response.status}, not 5xx`);
          continue;
        }
        seen++;
        const text = response.text();
        const [leak] = [...findLeaks(text), ...findHeaderLeaks(response.headers)];
        const canary = context.plan.canaries?.find((planted) => text.includes(planted));
        const says =
          leak === undefined
            ? canary === undefined
              ? "nothing of the inside"
              : "shows a planted canary"
            : `shows ${leak.what}: ${leak.excerpt}`;
        const isProblem =
          mediaType(exchange) === "application/problem+json" && typeof problemOf(exchange)?.id === "string";
        tally.expect(
          leak === undefined && canary === undefined && isProblem,
          see(context, `${route.key} when its upstream fails: ${says}`, exchange),
        );
      }
    }
    if (seen === 0) tally.miss(noFailure);
  },
};

const noFailure = "the plan's failures name no request that makes an upstream fail";

export const successBodies: Check = {
  name: "success bodies hold nothing undeclared",
  kind: "live",
  attack: { kind: "answers", promise: "response", per: "route" },
  isActive: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      const calls = honestCalls(context, route);
      if (calls.length === 0) tally.miss(lacking(context, route));
      for (const honest of route.method === "GET" ? calls : calls.slice(0, 1)) {
        const exchange = await context.caller.call({ route, ...honest, ...longer(route) });
        const { status } = exchange.response;
        const fault = isSuccess(status) ? successFault(route, exchange) : undefined;
        if (!isSuccess(status)) tally.miss(unservedBy(context, route, exchange));
        else if (fault?.kind === "none") tally.miss(`${route.key}: ${fault.what}`);
        else
          tally.expect(
            fault === undefined,
            see(
              context,
              `${route.key}: ${fault?.what ?? "the body is what the contract declares"}`,
              exchange,
            ),
          );
      }
    }
  },
};

const longer = ({ stream }: ContractRoute): Partial<Call> =>
  stream?.kind === "events" ? { listen: listenLonger } : {};

export const canariesStay: Check = {
  name: "planted canaries stay inside",
  kind: "live",
  attack: { kind: "answers", promise: "response", per: "route" },
  isActive: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    const canaries = context.plan.canaries ?? [];
    if (canaries.length === 0) return tally.miss("the plan names no canary");
    const look = (name: string, exchange: Exchange): void => {
      const found = plantedIn(exchange, canaries);
      const says =
        found === undefined ? "no canary" : `the canary "${found.canary}" ${found.place}${advice(exchange)}`;
      tally.expect(found === undefined, see(context, `${name}: ${says}`, exchange));
    };
    for (const route of context.contract.routes) {
      for (const honest of route.method === "GET" ? honestCalls(context, route) : [])
        look(route.key, await context.caller.call({ route, ...honest, ...longer(route) }));
    }
    const { list, missing } = await provocations(context);
    for (const reason of missing) tally.miss(reason);
    for (const { name, exchange } of list) look(name, exchange);
  },
};

/** A planted text that an answer holds, and where. */
function plantedIn(
  { response }: Exchange,
  canaries: readonly string[],
): { canary: string; place: string } | undefined {
  for (const canary of canaries) {
    const place = canaryPlace(canary, response);
    if (place !== undefined) return { canary, place };
  }
  return undefined;
}

/** What is in a success the contract lets out. */
const advice = ({ response: { status } }: Exchange): string =>
  isSuccess(status) ? "; take it out of `response`, or say who may see it (`access`)" : "";
