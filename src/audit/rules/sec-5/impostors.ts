import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { meetImpostors, reachedByEgress } from "../impostor.ts";
import type { Impersonated } from "../impostor.ts";
import { withoutSecrets } from "../own-machine.ts";

/** Services that an impostor can stand in for. */
const impersonated = ({ contract, plan }: AuditContext): Impersonated[] =>
  reachedByEgress(contract).filter(({ origin }) => plan.impostors?.[origin] !== undefined);

/** Who has a service's name and no certificate of its authority gets no key. */
export const impostors: Check = {
  name: "an impostor in a service's place is sent nothing",
  kind: "live",
  attack: { kind: "egress", promise: "egress", per: "site" },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutSecrets(context) ??
    (context.contract.egressOrigins.size === 0 ? "the contract reaches no service" : undefined) ??
    (impersonated(context).length === 0
      ? "the plan's impostors name no service that egress reaches"
      : undefined),
  run: async (context, tally) => {
    for (const service of impersonated(context)) await meetImpostors(context, tally, service);
  },
};
