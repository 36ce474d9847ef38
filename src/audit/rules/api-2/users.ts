import type { ContractRoute, Limit } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { brokenBody } from "../../requests/input-values.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import { formsOf } from "./forms.ts";
import { judgeSpending, maxBurst, oneClient, protocolFor, tightestOf, withoutLimits } from "../limits.ts";

/** Users that a burst would lock out for longer are left alone. */
const maxLockedSeconds = 120;

export const perUser: Check = {
  name: "a user's burst from many addresses",
  kind: "live",
  attack: { kind: "limits", promise: "limit", per: "route" },
  isActive: true,
  notApplicable: withoutLimits("user"),
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      const limit = tightestOf(route, "user");
      if (limit === undefined) continue;
      const honest = honestCalls(context, route).at(-1);
      const regrowSeconds = (limit.burst * limit.windowSeconds) / limit.count;
      if (honest === undefined) tally.miss(lacking(context, route));
      else if (limit.burst > maxBurst || regrowSeconds > maxLockedSeconds)
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
    ...(route.body === undefined ? {} : { rawBody: brokenBody(route) }),
    ...(route.stream?.kind === "events" ? { listen: { maxMs: 1000, maxEvents: 0 } } : {}),
  });
  const smallest = Math.min(limit.burst, tightestOf(route, "client")?.burst ?? limit.burst);
  const forms = formsOf(route);
  const startedAt = context.now();
  let [admitted, failed] = [0, 0];
  let client = context.caller.freshClient();
  if (client === undefined) return tally.miss(oneClient);
  let refusals = 0;
  for (let count = 0; count < limit.burst * 1.5 + 20 && refusals < 3; count++) {
    // A new address before the last one's own allowance ends, so that a 429 can only be the user's.
    if (count % Math.max(1, smallest - 1) === 0) client = context.caller.freshClient();
    const sent = {
      ...forms.at(request, count),
      protocol: protocolFor(context, count),
      ...(client === undefined ? {} : { client }),
    };
    const response = await context.wire.send(sent);
    if (forms.isUnknown(sent, response)) continue;
    const { status } = response;
    if (status === 429) refusals++;
    else if (status >= 500) failed++;
    else admitted++;
  }
  judgeSpending(tally, {
    about: `${route.key} (${limit.text}), as ${as}, from many addresses`,
    limit,
    admitted,
    failed,
    isRefused: refusals > 0,
    seconds: (context.now() - startedAt) / 1000,
  });
}
