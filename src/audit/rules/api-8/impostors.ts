import type { ContractRoute } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { withoutUpstreams } from "../arrivals.ts";
import { meetImpostors } from "../impostor.ts";
import type { Impersonated } from "../impostor.ts";

/** Upstreams that an impostor can stand in for, with routes whose answers come from there each time. */
const impersonated = ({ contract, plan }: AuditContext): Impersonated[] =>
  [...contract.upstreams.values()]
    .map(({ name, url, caFile }) => ({
      origin: url.origin,
      caFile,
      routes: contract.routes.filter((route) => route.to === name && asksEachTime(route)),
    }))
    .filter(({ origin }) => plan.impostors?.[origin] !== undefined);

const asksEachTime = ({ method, cache, stream }: ContractRoute): boolean =>
  method === "GET" && cache === undefined && stream === undefined;

/** TLS keeps nobody out who is believed without a certificate. */
export const upstreamImpostors: Check = {
  name: "an impostor in an upstream's place is sent nothing",
  kind: "live",
  attack: { kind: "tls", promise: "upstreams", per: "site" },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutUpstreams(context) ??
    (impersonated(context).length === 0 ? "the plan's impostors name no upstream" : undefined),
  run: async (context, tally) => {
    for (const upstream of impersonated(context)) await meetImpostors(context, tally, upstream);
  },
};
