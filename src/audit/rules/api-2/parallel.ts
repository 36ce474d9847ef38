import type { Check } from "../../check.ts";
import { enoughFor, floodFull, judgeFlood, onLimits } from "./flood.ts";
import { oneClient, smallestAllowance, withoutLimits } from "../limits.ts";
import { see } from "../shared.ts";

/** Threads and processes that each count for themselves admit the limit as often as there are some of them. */
export const manyConnections: Check = {
  name: "one client's burst over many connections at once",
  kind: "live",
  isActive: true,
  attack: onLimits,
  notApplicable: withoutLimits("client"),
  run: async (context, tally) => {
    const allowance = smallestAllowance(context);
    if (typeof allowance === "string") return tally.miss(allowance);
    const client = context.caller.freshClient();
    if (client === undefined) return tally.miss(oneClient);
    const request = { ...(await context.caller.request(allowance.call)), client };
    const result = await floodFull(context, allowance, enoughFor(allowance), () => request);
    judgeFlood(tally, allowance, result, ", over many connections at once");
  },
};

/** Hosts that each count for themselves do the same. */
export const twoInstances: Check = {
  name: "parallel burst on two instances",
  kind: "live",
  isActive: true,
  attack: onLimits,
  notApplicable: withoutLimits("client"),
  lacks: ({ plan: { otherAddresses = [] }, contract: { limitStore } }) => {
    if (otherAddresses.length > 0) return undefined;
    return limitStore === undefined
      ? "the plan names no second host (otherAddresses), and the contract no limits.store: a second host would count for itself"
      : `the plan names no second host (otherAddresses): that ${limitStore.instances} hosts count together in ${limitStore.url.host} takes two`;
  },
  run: async (context, tally) => {
    const { otherAddresses = [] } = context.plan;
    const allowance = smallestAllowance(context);
    if (typeof allowance === "string") return tally.miss(allowance);
    const [client, stranger] = [context.caller.freshClient(), context.caller.freshClient()];
    if (client === undefined || stranger === undefined) return tally.miss(oneClient);
    const plain = await context.caller.request(allowance.call);
    const places = [undefined, ...otherAddresses];
    const count = enoughFor(allowance) * places.length;
    const result = await floodFull(context, allowance, count, (index) => {
      const at = places[index % places.length];
      return { ...plain, client, ...(at === undefined ? {} : { at }) };
    });
    const each = places.map(
      (at) => `${result.admittedAt.get(at ?? "") ?? 0} at ${at ?? context.target.origin}`,
    );
    judgeFlood(tally, allowance, result, `, on ${places.length} hosts at once (${each.join(", ")})`);
    for (const at of otherAddresses) {
      const sent = { ...plain, client: stranger, at };
      const response = await context.wire.send(sent);
      if (response.status >= 500)
        return tally.miss(
          `${allowance.route.key}: the host at ${at} answered another client ${response.status}`,
        );
      tally.expect(
        response.status !== 429,
        see(context, `${allowance.route.key}: the host at ${at} serves another client meanwhile`, {
          request: sent,
          response,
        }),
      );
    }
  },
};
