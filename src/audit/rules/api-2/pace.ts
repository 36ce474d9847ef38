import type { ContractRoute, Pace } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { ProbeRequest, ProbeResponse } from "../../probes/probe.ts";
import { allowanceOn, allowedIn, oneClient } from "../limits.ts";
import { see, withoutRoutes } from "../shared.ts";

/** Requests at once in one HTTP/2 connection, which is one thread's: what servers let a connection have under way. */
const maxAtOnce = 90;
const longestWaitMs = 10_000;

/** Those that come too fast wait for their turn, and when there is no place left they are told when to come back. */
export const pace: Check = {
  name: "who comes too fast waits, and then is told when to come back",
  kind: "live",
  attack: { kind: "limits", promise: "limit", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some((route) => route.pace !== undefined) ? undefined : "no route has a pace"),
  run: async (context, tally) => {
    if (!context.protocols.includes("h2"))
      return tally.miss("so many requests at once take HTTP/2, which the target does not speak");
    for (const route of context.contract.routes) {
      const { pace: limit } = route;
      if (limit === undefined) continue;
      const most = limit.burst + limit.queue + 10;
      if (limit.by !== "client")
        tally.miss(`${route.key}: its pace counts more than clients, and was not looked at`);
      else if (most > maxAtOnce || limit.waitMs > longestWaitMs)
        tally.miss(
          `${route.key}: ${most} requests at once for up to ${limit.waitMs / 1000} s are more than are sent`,
        );
      else await crowd(context, tally, { route, limit, most });
    }
  },
};

interface Crowd {
  route: ContractRoute;
  limit: Pace;
  most: number;
}

async function crowd(context: AuditContext, tally: Tally, { route, limit, most }: Crowd): Promise<void> {
  const allowance = allowanceOn(context, route);
  if (typeof allowance === "string") return tally.miss(allowance);
  if (allowance.limit.burst < most)
    return tally.miss(
      `${route.key}: its limit (${allowance.limit.text}) stops a client before its pace does`,
    );
  const client = context.caller.freshClient();
  if (client === undefined) return tally.miss(oneClient);
  const request: ProbeRequest = { ...(await context.caller.request(allowance.call)), protocol: "h2", client };
  const startedAt = context.now();
  const answers = await Promise.all(Array.from({ length: most }, () => context.wire.send(request)));
  const seconds = (context.now() - startedAt) / 1000;
  const refused = answers.filter(({ status }) => status === 503);
  const passed = answers.filter(({ status }) => status < 500).length;
  const allowed = allowedIn(limit, seconds) + 1;
  if (passed === 0)
    return tally.miss(`${route.key}: none of ${most} requests at once passed, so this shows no pace`);
  // Those that came at once are let in, or wait in a place. More of them came one after another, and had no need to be refused.
  const places = limit.burst + limit.queue + 1;
  if (passed <= allowed && (refused.length === 0 || passed > places))
    return tally.miss(
      `${route.key}: of ${most} requests at once ${passed} passed in ${seconds.toFixed(2)} s, which is time for ${allowed}: too slow to see the others refused`,
    );
  tally.expect(passed <= allowed, {
    kind: "measurement",
    about: `${route.key}: of ${most} requests at once so many passed in ${seconds.toFixed(2)} s, at most ${allowed} allowed; the others were refused with 503`,
    value: passed,
    unit: "requests",
  });
  const [first] = refused;
  if (first !== undefined)
    tally.expect(
      comesBack(first),
      see(context, `${route.key}: who finds no place is told when to come back (Retry-After)`, {
        request,
        response: first,
      }),
    );
}

const comesBack = (response: ProbeResponse): boolean => Number(response.header("retry-after")) > 0;

/** Said instead of left out: nobody reads silence as a proof. */
export const concurrency: Check = {
  name: "so many at once, and no more",
  kind: "live",
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some((route) => route.concurrency !== undefined) ||
    [...context.contract.upstreams.values()].some((upstream) => upstream.concurrency !== undefined)
      ? undefined
      : "no route and no upstream has a concurrency"),
  run: async (_, tally) =>
    tally.miss("not looked at: it takes requests that last, and would hold up everybody's"),
};
