import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { mayBe, mayCall } from "../../requests/inputs.ts";
import type { AuditOwnedInput } from "../../plan/plan.ts";
import { isSuccess, see, withoutRoutes } from "../shared.ts";
import { answerOf, isFailure } from "../unserved.ts";

const hidesObjects = ({ visible }: ContractRoute): boolean => visible !== undefined;

/** Guessing an address, and reading a list, as everybody who may call the route but not see all of it. */
export const hiddenObjects: Check = {
  name: "what is not public is not there, in lists and by its address",
  kind: "live",
  attack: { kind: "objects", promise: "visible", per: "route" },
  isActive: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some(hidesObjects) ? undefined : "no route hides some of its objects"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(hidesObjects)) {
      const hidden = context.plan.hidden?.[route.key];
      if (hidden === undefined) tally.miss(`the plan names no object that ${route.key} hides`);
      else await lookFor(context, tally, route, hidden);
    }
  },
};

async function lookFor(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  input: AuditOwnedInput,
): Promise<void> {
  const { canary = "" } = input;
  let isSeen = false;
  for (const as of callersOf(context, route)) {
    const exchange = await context.caller.call({ route, as, input });
    const { status } = exchange.response;
    const shows = exchange.response.text().includes(canary);
    const who = as ?? "a visitor";
    if (seesAll(context, route, as)) {
      isSeen ||= shows && isSuccess(status);
      continue;
    }
    if (!shows && isFailure(status)) {
      tally.miss(
        `${route.key}: ${who}, who asks for the hidden object, was answered ${answerOf(context, exchange)}`,
      );
      continue;
    }
    tally.expect(
      !shows && (status === 404 || isSuccess(status)),
      see(context, `${route.key}: for ${who} the hidden object is not there`, exchange),
    );
  }
  // Else the plan may name what does not exist, and nobody's not getting it would prove nothing.
  if (!isSeen)
    tally.miss(`${route.key}: nobody in the plan gets the hidden object, so its absence proves nothing`);
}

/** Whom the contract lets call a route: undefined is a visitor without a token. */
function callersOf(context: AuditContext, route: ContractRoute): (string | undefined)[] {
  const names = Object.keys(context.plan.identities ?? {}).filter((name) => mayCall(context, route, name));
  return route.access.kind === "everyone" ? [undefined, ...names] : names;
}

function seesAll(context: AuditContext, { visible }: ContractRoute, name: string | undefined): boolean {
  if (name === undefined || visible?.unless === undefined) return false;
  return mayBe(visible.unless, context.plan.identities?.[name]);
}
