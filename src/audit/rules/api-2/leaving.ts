import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Protocol } from "../../probes/probe.ts";
import {
  allowedIn,
  maxBurst,
  oneClient,
  refusedAtOnce,
  smallestAllowance,
  tightestOf,
  withoutLimits,
} from "../limits.ts";
import type { Allowance } from "../limits.ts";

/**
 * Whoever asks and goes before the answer costs as much as who waits for it: over HTTP/2 it takes two small frames, and a connection takes as many as it
 * likes of them. What is counted once it was answered, or is given back where nobody took it, lets them through without end.
 *
 * @see CVE-2023-44487 (rapid reset)
 */
export const goneBefore: Check = {
  name: "who goes before the answer is counted",
  kind: "live",
  attack: { kind: "limits", promise: "limit", per: "site" },
  isActive: true,
  notApplicable: (context) =>
    withoutLimits("client")(context) ??
    (routesToLeave(context).length === 0
      ? "no route that everyone may read has a limit per client and is answered anew each time"
      : undefined),
  run: async (context, tally) => {
    const contract = { ...context.contract, routes: routesToLeave(context) };
    const allowance = smallestAllowance({ ...context, contract });
    if (typeof allowance === "string") return tally.miss(allowance);
    for (const protocol of context.protocols) await goAway(context, tally, allowance, protocol);
  },
};

/** Reading does nothing; what asks for no token spends nobody's else; and what is answered at once can't be left before. */
const routesToLeave = ({ contract }: AuditContext): ContractRoute[] =>
  contract.routes.filter(
    (route) =>
      route.method === "GET" &&
      route.access.kind === "everyone" &&
      route.cache === undefined &&
      (tightestOf(route, "client")?.burst ?? maxBurst + 1) <= maxBurst,
  );

/** A request of which nobody saw the answer may have been lost on the way: where some of them were, another client tries it again. */
const clients = 3;

async function goAway(
  context: AuditContext,
  tally: Tally,
  { route, limit, call }: Allowance,
  protocol: Protocol,
): Promise<void> {
  const about = `${route.key} (${limit.text}): after ${limit.burst} requests over ${protocol} that nobody waited for, so many more are let through`;
  const isMany = (count: number): boolean => count > limit.burst / 2;
  let uncounted = 0;
  for (let tried = 0; tried < clients && (tried === 0 || (uncounted > 0 && !isMany(uncounted))); tried++) {
    const client = context.caller.freshClient();
    if (client === undefined) return tally.miss(oneClient);
    const request = { ...(await context.caller.request(call)), client, protocol };
    const startedAt = context.now();
    // Who refuses whatever comes counts nobody.
    const control = await context.wire.send(request);
    if (control.status === 429) return tally.miss(`${about}: ${refusedAtOnce}`);
    for (let count = 0; count < limit.burst; count++) await context.wire.abandon(request);
    let admitted = 0;
    let isRefused = false;
    while (!isRefused && admitted < limit.burst) {
      const { status } = await context.wire.send(request);
      if (status >= 500) return tally.miss(`${about}: it was answered ${status}, so this shows no limit`);
      isRefused = status === 429;
      if (!isRefused) admitted++;
    }
    const grown = allowedIn(limit, (context.now() - startedAt) / 1000) - limit.burst;
    if (isMany(grown))
      return tally.miss(`${about}: meanwhile ${grown} of the limit's ${limit.burst} grew again`);
    uncounted = Math.max(0, admitted - grown);
  }
  if (uncounted > 0 && !isMany(uncounted))
    return tally.miss(`${about}: ${uncounted}, which may be those that never came`);
  tally.expect(uncounted === 0, { kind: "measurement", about, value: uncounted, unit: "requests" });
}
