import { accessParts } from "../../../contract/index.ts";
import type { Access, ContractRoute } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, mayBe } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { AuditCaller } from "../../plan/plan.ts";
import { ownedReads, withoutOwned } from "./owned.ts";
import { isSuccess, see } from "../shared.ts";

/** Who is asked for a list, or for anything, gets what is the caller's own. */
export const ownAnswers: Check = {
  name: "user A's lists and other answers hold nothing of B's",
  kind: "live",
  isActive: true,
  attack: { kind: "objects", promise: "access", per: "site" },
  notApplicable: withoutOwned,
  run: async (context, tally) => {
    const all = ownedReads(context);
    if (all.length === 0) tally.miss("the plan gives nobody an object with a canary");
    const seen = new Set<string>();
    for (const { route, as, input } of readers(context)) {
      const exchange = await context.caller.call({ route, as, input });
      if (!isSuccess(exchange.response.status)) continue;
      const text = exchange.response.text();
      for (const { as: owner, canary } of all) if (owner === as && text.includes(canary)) seen.add(canary);
      const foreign = all.find(({ as: owner, canary }) => owner !== as && text.includes(canary));
      tally.expect(
        foreign === undefined,
        see(
          context,
          `${route.key}: what ${as ?? "a visitor"} gets holds nothing of ${foreign?.as ?? "others"}`,
          exchange,
        ),
      );
    }
    for (const { as, canary, route } of all)
      if (!seen.has(canary))
        tally.miss(`${route.key}: ${as} never got the canary of its own, so its absence proves nothing`);
  },
};

/** Reading calls of everybody whom no role, scope, tenant or check of the contract's lets see what is somebody else's. */
function readers(context: AuditContext): (HonestCall & { route: ContractRoute })[] {
  const identityOf = (name: string | undefined): AuditCaller | undefined =>
    name === undefined ? undefined : context.plan.identities?.[name];
  return context.contract.routes
    .filter(({ method, stream }) => method === "GET" && stream?.kind !== "events")
    .flatMap((route) => honestCalls(context, route).map((call) => ({ ...call, route })))
    .filter(({ route, as }) =>
      accessParts(route.access).every((part) => ofOneself.has(part.kind) || !mayBe(part, identityOf(as))),
    );
}

/** Conditions that nobody fulfils with what is somebody else's, or that say nothing of it. */
const ofOneself: ReadonlySet<Access["kind"]> = new Set([
  "everyone",
  "signedIn",
  "owner",
  "ownerField",
  "ownerLookup",
]);
