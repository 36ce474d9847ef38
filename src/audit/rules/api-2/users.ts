import type { ContractRoute, Limit } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { brokenBody } from "../../requests/input-values.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import type { Call } from "../../requests/caller.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { ProbeRequest } from "../../probes/probe.ts";
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
      const callers = honestCalls(context, route);
      // A program has one key; somebody who signs in has as many tokens as they like.
      const honest =
        callers.findLast(({ as }) => as !== undefined && !context.tokens.isProgram(as)) ?? callers.at(-1);
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
  const call: Call = {
    route,
    as,
    input,
    ...(route.body === undefined ? {} : { rawBody: brokenBody(route) }),
    ...(route.stream?.kind === "events" ? { listen: { maxMs: 1000, maxEvents: 0 } } : {}),
  };
  const second = await secondToken(context, as);
  const requests = [
    await context.caller.request(call),
    ...(second === undefined ? [] : [await context.caller.request({ ...call, token: second })]),
  ];
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
    // Tokens take turns, so that each goes in each form and over each protocol in time.
    const request = requests[(count + Math.floor(count / 2)) % requests.length] as ProbeRequest;
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
    about: `${route.key} (${limit.text}), as ${as}, from many addresses${second === undefined ? "" : ", with two tokens by turns"}`,
    limit,
    admitted,
    failed,
    isRefused: refusals > 0,
    seconds: (context.now() - startedAt) / 1000,
  });
  if (second === undefined && as !== undefined && !context.tokens.isProgram(as))
    tally.miss(
      `${route.key}: that two tokens of one user count together was not tried, since the plan gives the same for ${as} each time`,
    );
}

/** One more token of somebody who signs in: whoever signs in again is the same user. */
async function secondToken({ tokens }: AuditContext, as: string | undefined): Promise<Call["token"]> {
  const value = as === undefined || tokens.isProgram(as) ? undefined : await tokens.second(as);
  return value === undefined ? undefined : { name: `second token of ${as}`, value };
}
