import { accessParts } from "../../../contract/index.ts";
import type { Access, ContractRoute } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, lacking, mayBe, mayCall } from "../../requests/inputs.ts";
import { isRefusal, overEach, withoutProtectedRoutes } from "../shared.ts";
import { unchanged } from "../state.ts";
import { expectRefusal, toldTo } from "./given-away.ts";

const asksFor =
  (kind: Access["kind"]) =>
  ({ access }: ContractRoute): boolean =>
    accessParts(access).some((part) => part.kind === kind);

const without =
  (kind: Access["kind"], what: string) =>
  (context: AuditContext): string | undefined =>
    withoutProtectedRoutes(context) ??
    (context.contract.routes.some(asksFor(kind)) ? undefined : `no route asks for a ${what}`);

const namesIn = ({ plan }: AuditContext): string[] => Object.keys(plan.identities ?? {});

/** Somebody known, who was not given leave for this. */
export const lackingScope: Check = {
  name: "lacking scope",
  kind: "live",
  attack: { kind: "access", promise: "access", per: "route" },
  isActive: true,
  notApplicable: without("scope", "scope"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(asksFor("scope"))) {
      const [honest] = honestCalls(context, route);
      const others = namesIn(context).filter((name) => !mayCall(context, route, name));
      if (honest === undefined) tally.miss(lacking(context, route));
      if (others.length === 0) tally.miss(`every identity in the plan may call ${route.key}`);
      if (honest === undefined) continue;
      const told = await toldTo(context, route, honest);
      await unchanged(context, tally, route, async () => {
        for (const as of others)
          for (const exchange of await overEach(context, { route, as, input: honest.input }))
            expectRefusal(context, tally, {
              about: `${route.key}: ${as} lacks what it asks for (${route.hide === true ? 404 : 403})`,
              exchange,
              told,
              refuses: (status) => isRefusal(status) || (route.hide === true && status === 404),
            });
      });
    }
  },
};

/** Somebody known, of another tenant, who asks for what is this one's. */
export const foreignTenant: Check = {
  name: "another tenant's",
  kind: "live",
  attack: { kind: "objects", promise: "access", per: "route" },
  isActive: true,
  notApplicable: without("tenant", "tenant"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(asksFor("tenant"))) {
      const calls = honestCalls(context, route);
      if (calls.length === 0) tally.miss(lacking(context, route));
      let isSeen = false;
      for (const honest of calls) {
        const { as, input } = honest;
        const intruders = foreigners(context, route, as);
        if (intruders.length === 0) continue;
        isSeen = true;
        const told = await toldTo(context, route, honest);
        for (const intruder of intruders)
          expectRefusal(context, tally, {
            about: `${route.key}: ${intruder} is of another tenant than ${as} (403 or 404)`,
            exchange: await context.caller.call({ route, as: intruder, input }),
            told,
            refuses: (status) => isRefusal(status) || status === 404,
          });
      }
      if (!isSeen) tally.miss(`the plan has no two tenants for ${route.key}`);
    }
  },
};

/** Who is of another tenant than somebody, and would need to be of the same. */
function foreigners(context: AuditContext, { access }: ContractRoute, as: string | undefined): string[] {
  const identities = context.plan.identities ?? {};
  const home = as === undefined ? undefined : identities[as]?.tenant;
  return namesIn(context).filter((name) => {
    const identity = identities[name];
    if (identity === undefined || home === undefined || identity.tenant === home) return false;
    const { tenant: _, ...stateless } = identity;
    return !mayBe(access, stateless);
  });
}
