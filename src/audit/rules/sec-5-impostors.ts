import type { Check } from "../check.ts";
import { meetImpostor, reachedByEgress } from "./impostor.ts";
import { withoutSecrets } from "./own-machine.ts";

/** Who has a service's name and no certificate of its authority gets no key. */
export const impostors: Check = {
  name: "an impostor in a service's place is sent nothing",
  kind: "live",
  attack: { kind: "egress", promise: "egress", per: "site" },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutSecrets(context) ??
    (context.contract.egressOrigins.size === 0 ? "the contract reaches no service" : undefined),
  lacks: ({ contract, plan: { impostors: planned = {} } }) =>
    [...contract.egressOrigins.keys()].some((origin) => planned[origin] !== undefined)
      ? undefined
      : "the plan's impostors name no service that egress reaches",
  run: async (context, tally) => {
    for (const service of reachedByEgress(context.contract)) await meetImpostor(context, tally, service);
  },
};
