import type { ContractRoute } from "../../../contract/index.ts";
import type { Call } from "../../requests/caller.ts";
import type { Check } from "../../check.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import { findHeaderLeaks, findLeaks } from "../../answers/leaks.ts";
import type { Exchange } from "../../probes/probe.ts";
import { problemOf, provocations } from "../provocations.ts";
import { isSuccess, mediaType, see, withoutRoutes } from "../shared.ts";
import { listenLonger, successFault } from "../success-faults.ts";

export const upstreamFails: Check = {
  name: "an upstream's failure stays inside",
  kind: "live",
  attack: { kind: "errors", promise: "to", per: "site" },
  isActive: true,
  notApplicable: withoutRoutes,
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
    if (seen === 0) tally.miss("the plan's failures name no request that makes an upstream fail");
  },
};

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
        if (!isSuccess(status)) tally.miss(`${route.key}: the honest request was answered ${status}`);
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
  attack: { kind: "errors", promise: "response", per: "route" },
  isActive: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    const canaries = context.plan.canaries ?? [];
    if (canaries.length === 0) return tally.miss("the plan names no canary");
    const look = (name: string, exchange: Exchange): void => {
      const text = `${exchange.response.headers.map((header) => header.join(": ")).join("\n")}\n${exchange.response.text()}`;
      const found = canaries.find((canary) => text.includes(canary));
      tally.expect(
        found === undefined,
        see(context, `${name}: ${found === undefined ? "no canary" : `the canary "${found}"`}`, exchange),
      );
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
