import type { Check } from "../../check.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import { protectedRoutes, withoutProtectedRoutes } from "../shared.ts";
import { expectServed } from "../unserved.ts";

/** Whoever may call a route is let in: else that others are refused would show nothing. */
export const ownAllowed: Check = {
  name: "users A and B: their own is allowed",
  kind: "live",
  attack: { kind: "objects", promise: "access", per: "route", isControl: true },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutProtectedRoutes,
  run: async (context, tally) => {
    for (const route of protectedRoutes(context)) {
      const calls = honestCalls(context, route);
      if (calls.length === 0) tally.miss(lacking(context, route));
      for (const { as, input } of calls) {
        const exchange = await context.caller.call({ route, as, input });
        expectServed(context, tally, { route, about: `${as} may call it`, exchange });
      }
    }
  },
};
