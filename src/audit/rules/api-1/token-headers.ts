import type { Check } from "../../check.ts";
import { misleading, ownKey } from "../../forge/headers.ts";
import { isRefusal, withoutProtectedRoutes } from "../shared.ts";
import { expectRefusal, toldTo } from "./given-away.ts";
import { genuine, onePerCondition, tokenCalls, withoutIssuer } from "./token-routes.ts";

/** How long whoever believed a token may take to come and ask: it is asked in the request, or not at all. */
const settleMs = 100;

/** A header says which key to take. Whoever follows it takes the attacker's. */
export const misleadingHeaders: Check = {
  name: "token whose header leads to another key",
  kind: "live",
  isActive: true,
  attack: { kind: "access", promise: "access", per: "route" },
  notApplicable: (context) => withoutProtectedRoutes(context) ?? withoutIssuer(context),
  run: async (context, tally) => {
    const calls = tokenCalls(context, tally);
    const [first] = calls;
    if (first === undefined) return;
    const key = await ownKey(await genuine(context, first.user));
    const host = await context.openKeyHost(key.jwk);
    try {
      const thorough = new Set(onePerCondition(calls));
      for (const call of calls) {
        const { route, honest, user } = call;
        const all = await misleading(await genuine(context, user), { ...key, urls: host.urls });
        const told = await toldTo(context, route, { as: user, input: honest.input });
        for (const token of thorough.has(call) ? all : all.slice(0, 2)) {
          const before = host.hits();
          const exchange = await context.caller.call({ route, input: honest.input, token });
          const isAsked = host.hits() > before;
          expectRefusal(context, tally, {
            about: `${route.key}: a token ${token.name} must be refused (401)${isAsked ? "; our address was asked for the key" : ""}`,
            exchange,
            told,
            refuses: (status) => isRefusal(status) && !isAsked,
          });
        }
      }
      await context.sleep(settleMs);
      tally.expect(host.hits() === 0, {
        kind: "measurement",
        about: "connections to the address of ours that tokens named",
        value: host.hits(),
        unit: "connections",
      });
    } finally {
      await host.close();
    }
  },
};
