import { accessParts } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { asksWhose, honestCalls, lacking, mayBe, mayCall, mayTouchOthers } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import { saysWho } from "../../requests/who-says.ts";
import { honestCall, overEach, protectedRoutes, see, withoutProtectedRoutes } from "../shared.ts";
import { unchanged } from "../state.ts";
import { expectRefusal, toldTo } from "./given-away.ts";

const isHidden = (status: number): boolean => status === 403 || status === 404;

const withoutOwners = (context: AuditContext): string | undefined =>
  withoutProtectedRoutes(context) ??
  (context.contract.routes.some(asksWhose) ? undefined : "no route's objects have an owner");

/** Who may ask for what is their own alone. A key that does not open the route at all is another check's. */
function intruders(context: AuditContext, route: ContractRoute): string[] {
  return Object.entries(context.plan.identities ?? {})
    .filter(([, identity]) => !mayTouchOthers(route.access, identity))
    .filter(([name]) => !context.tokens.isProgram(name) || mayCall(context, route, name))
    .map(([name]) => name);
}

/** Every identity asks for what each other one owns. */
async function trespass(
  context: AuditContext,
  tally: Tally,
  visit: (route: ContractRoute, intruder: string, owned: HonestCall) => Promise<void>,
): Promise<void> {
  const routes = protectedRoutes(context).filter(asksWhose);
  for (const route of routes) {
    const names = intruders(context, route);
    const calls = honestCalls(context, route);
    if (calls.length === 0) tally.miss(lacking(context, route));
    if (names.length < 2) tally.miss("ownership takes two identities");
    const isByPath = accessParts(route.access).some(({ kind }) => kind === "owner");
    await unchanged(context, tally, route, async () => {
      for (const owned of calls.filter(({ hasObject }) => isByPath || hasObject))
        for (const intruder of names.filter((name) => name !== owned.as)) await visit(route, intruder, owned);
    });
  }
}

export const othersRefused: Check = {
  name: "user A asks for what is B's",
  kind: "live",
  attack: { kind: "objects", promise: "access", per: "route" },
  isActive: true,
  notApplicable: withoutOwners,
  run: (context, tally) =>
    trespass(context, tally, async (route, intruder, owned) => {
      const told = await toldTo(context, route, owned);
      for (const exchange of await overEach(context, { route, as: intruder, input: owned.input }))
        expectRefusal(context, tally, {
          about: `${route.key}: ${intruder} must not get what is ${owned.as}'s (403 or 404)`,
          exchange,
          told,
          refuses: isHidden,
        });
      const owner = context.plan.identities?.[owned.as ?? ""];
      if (owner === undefined) return;
      const posing = await context.caller.call({
        route,
        as: intruder,
        input: owned.input,
        headers: saysWho(owner),
      });
      expectRefusal(context, tally, {
        about: `${route.key}: ${intruder} does not become ${owned.as} by headers that say so`,
        exchange: posing,
        told,
        refuses: isHidden,
      });
    }),
};

/** Whether nobody passes without a role, whatever else is true of a caller. */
function asksForRole({ access }: ContractRoute): boolean {
  const parts = accessParts(access);
  const scopes = parts.flatMap((part) => (part.kind === "scope" ? [part.scope] : []));
  return (
    parts.some(({ kind }) => kind === "role") &&
    !mayBe(access, { subject: "", roles: [], scopes, tenant: "some" })
  );
}

/** Who lacks nothing but a role. */
function lowerIn(context: AuditContext, route: ContractRoute): string[] {
  const roles = accessParts(route.access).flatMap((part) => (part.kind === "role" ? [part.role] : []));
  return Object.entries(context.plan.identities ?? {})
    .filter(
      ([name, identity]) => !mayCall(context, route, name) && mayBe(route.access, { ...identity, roles }),
    )
    .map(([name]) => name);
}

export const lowerRole: Check = {
  name: "lower role",
  kind: "live",
  attack: { kind: "access", promise: "access", per: "route" },
  isActive: true,
  notApplicable: (context) =>
    withoutProtectedRoutes(context) ??
    (context.contract.routes.some(asksForRole) ? undefined : "no route asks for a role"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(asksForRole)) {
      const honest = honestCall(context, route, tally);
      const refused = route.hide === true ? 404 : 403;
      const lower = lowerIn(context, route);
      if (lower.length === 0)
        tally.miss(`nobody in the plan lacks the role for ${route.key} and nothing else`);
      if (honest === undefined) continue;
      const told = await toldTo(context, route, honest);
      await unchanged(context, tally, route, async () => {
        for (const name of lower)
          for (const exchange of await overEach(context, { route, as: name, input: honest.input }))
            expectRefusal(context, tally, {
              about: `${route.key}: ${name} lacks the role (${refused})`,
              exchange,
              told,
              refuses: (status) => status === refused,
            });
      });
    }
  },
};

export const canaryObjects: Check = {
  name: "a canary object of each identity reaches its owner only",
  kind: "live",
  attack: { kind: "objects", promise: "access", per: "route" },
  isActive: true,
  notApplicable: withoutOwners,
  run: async (context, tally) => {
    await trespass(context, tally, async (route, intruder, { as, input, hasObject }) => {
      const { canary } = input;
      if (canary === undefined) {
        if (hasObject) tally.miss(`${route.key}: the sample of ${as} names no canary`);
        return;
      }
      const exchange = await context.caller.call({ route, as: intruder, input });
      tally.expect(
        !exchange.response.text().includes(canary),
        see(context, `${route.key}: the canary of ${as} must not reach ${intruder}`, exchange),
      );
    });
    for (const route of protectedRoutes(context).filter(asksWhose)) await ownCanaries(context, tally, route);
  },
};

/** Each owner does get its canary: else nobody else's not getting it would prove nothing. */
async function ownCanaries(context: AuditContext, tally: Tally, route: ContractRoute): Promise<void> {
  const owners = honestCalls(context, route).filter(({ input }) => input.canary !== undefined);
  if (owners.length < 2)
    tally.miss(`${route.key}: the plan gives fewer than two identities an object with a canary`);
  for (const { as, input } of owners) {
    const exchange = await context.caller.call({ route, as, input });
    if (exchange.response.text().includes(input.canary ?? ""))
      tally.pass(see(context, `${route.key}: ${as} gets the canary of its own`, exchange));
    else
      tally.miss(
        `${route.key}: ${as}'s own answer does not hold its canary, so its absence elsewhere proves nothing`,
      );
  }
}
