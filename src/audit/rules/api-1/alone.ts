import { accessParts } from "../../../contract/index.ts";
import type { Access, ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, mayCall } from "../../requests/inputs.ts";
import { see, withoutRoutes } from "../shared.ts";
import { seenByOwner } from "./owned.ts";
import type { Owned } from "./owned.ts";

/** Conditions that know no owner. Who has a role, a scope or a tenant, or passes a check of the contract's own, may be there to see everybody's. */
const ofAnybody: ReadonlySet<Access["kind"]> = new Set(["everyone", "signedIn"]);

/** A route that lets anybody have what the plan says is somebody's alone, by a canary of each of two at least. */
const hasOwners = ({ plan }: AuditContext, { key, method, stream, access }: ContractRoute): boolean =>
  method === "GET" &&
  stream?.kind !== "events" &&
  accessParts(access).every(({ kind }) => ofAnybody.has(kind)) &&
  new Set(
    Object.values(plan.samples?.[key]?.as ?? {}).flatMap(({ canary }) =>
      canary === undefined ? [] : [canary],
    ),
  ).size > 1;

/** What a plan says of whose an object is counts too: an `access` that forgot to ask is one mistake alone, and no other check would see it. */
export const aloneByPlan: Check = {
  name: "what the plan says is user A's alone, asked for by B, where access names no owner",
  kind: "live",
  attack: { kind: "objects", promise: "access", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some((route) => hasOwners(context, route))
      ? undefined
      : "no route without an owner answers with what the plan says is somebody's alone"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter((candidate) => hasOwners(context, candidate)))
      for (const owned of ownedByPlan(context, route))
        if (await seenByOwner(context, tally, owned)) await askAsOthers(context, tally, owned);
  },
};

/** What each of them asks for as its own. */
const ownedByPlan = (context: AuditContext, route: ContractRoute): Owned[] =>
  honestCalls(context, { ...route, access: { kind: "signedIn" } }).flatMap(({ as, input, hasObject }) =>
    as === undefined || !hasObject || input.canary === undefined
      ? []
      : [{ route, as, input, canary: input.canary }],
  );

/** So many at most: what one is given, others are. */
const maxOthers = 2;

async function askAsOthers(
  context: AuditContext,
  tally: Tally,
  { route, as: owner, input, canary }: Owned,
): Promise<void> {
  const { plan, caller } = context;
  const names = Object.keys(plan.identities ?? {}).filter(
    (name) =>
      name !== owner &&
      mayCall(context, route, name) &&
      plan.samples?.[route.key]?.as?.[name]?.canary !== canary,
  );
  const visitors = route.access.kind === "everyone" ? [undefined] : [];
  for (const as of [...visitors, ...names.slice(0, maxOthers)]) {
    const exchange = await caller.call({ route, as, input });
    const isGiven = exchange.response.text().includes(canary);
    const who = as ?? "a visitor";
    const about = isGiven
      ? `the plan says that this is ${owner}'s alone, and the contract lets ${who} have it: \`access\` names no owner`
      : `${who} does not get what the plan says is ${owner}'s alone`;
    tally.expect(!isGiven, see(context, `${route.key}: ${about}`, exchange));
  }
}
