import type { Check } from "../../check.ts";
import { honestCall, isSuccess, overEach, see } from "../shared.ts";
import { privateReads, strangerTo, withoutPrivateReads } from "./kept.ts";

/** HEAD is GET without its body: a length and a tag say of somebody else's answer that it is there, and when it changes. */
export const headsRefused: Check = {
  name: "whoever is refused an answer is refused its HEAD",
  kind: "live",
  attack: { kind: "verbs", promise: "access", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutPrivateReads,
  run: async (context, tally) => {
    for (const route of privateReads(context)) {
      const honest = honestCall(context, route, tally);
      if (honest === undefined) continue;
      const { input, as } = honest;
      const stranger = strangerTo(context, route, as);
      if (stranger === undefined) {
        tally.notApplicable(`nobody in the plan is refused ${route.key}`);
        continue;
      }
      const own = await context.caller.call({ route, input, as, method: "HEAD" });
      if (!isSuccess(own.response.status)) {
        tally.notApplicable(`${route.key} answers HEAD to nobody`);
        continue;
      }
      for (const exchange of await overEach(context, { route, input, as: stranger, method: "HEAD" }))
        tally.expect(
          !isSuccess(exchange.response.status),
          see(context, `${route.key}: HEAD by ${stranger}, who is refused a GET`, exchange),
        );
    }
  },
};
