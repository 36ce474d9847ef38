import { accessParts } from "../../../contract/index.ts";
import type { Access, Identity } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { signedAnew } from "../../forge/issued.ts";
import { mayBe } from "../../requests/inputs.ts";
import type { AuditCaller, TokenSigner } from "../../plan/plan.ts";
import { isRefusal, isSuccess, see, withoutProtectedRoutes } from "../shared.ts";
import { answerOf } from "../unserved.ts";
import { unchanged } from "../state.ts";
import { changed, widened } from "./alike-ids.ts";
import { expectRefusal } from "./given-away.ts";
import { saidElsewhere } from "./said-elsewhere.ts";
import type { NearCaller } from "./said-elsewhere.ts";
import { genuine, tokenCalls, withoutIssuer } from "./token-routes.ts";
import type { TokenCall } from "./token-routes.ts";

type Named = Extract<Access, { kind: "role" | "scope" | "tenant" }>;

const isNamed = (part: Access): part is Named =>
  part.kind === "role" || part.kind === "scope" || part.kind === "tenant";

/**
 * Names are compared whole: who has one that looks like the one that is asked for has another. And they are read where the contract has them said:
 * what stands in another claim says something else.
 */
export const nearNames: Check = {
  name: "a role, scope or tenant that is nearly the one that is asked for",
  kind: "live",
  isActive: true,
  attack: { kind: "access", promise: "access", per: "route" },
  notApplicable: (context) =>
    withoutProtectedRoutes(context) ??
    withoutIssuer(context) ??
    (context.contract.routes.some(({ access }) => accessParts(access).some(isNamed))
      ? undefined
      : "no route asks for a role, a scope or a tenant") ??
    (context.plan.signToken === undefined
      ? "only the issuer could make a token with such a name, and the plan signs none for it (signToken)"
      : undefined),
  run: async (context, tally) => {
    const { signToken, identities = {} } = context.plan;
    const { identity } = context.contract;
    if (signToken === undefined || identity === undefined) return;
    const asksForName = ({ route }: TokenCall): boolean => accessParts(route.access).some(isNamed);
    for (const call of tokenCalls(context, tally).filter(asksForName)) {
      const caller = identities[call.user];
      if (caller === undefined) continue;
      const almost = [
        ...nearCallers(call, caller, identity),
        ...saidElsewhere(call.route.access, caller, identity),
      ];
      if (almost.length > 0) await refuseAlmost(context, tally, call, { almost, signToken });
    }
  },
};

/**
 * Names that are like another to whoever compares their beginnings, ends, letters in any case, looks for one in a text, or makes them even
 * before. A scope has no blank.
 */
function nearTo(name: string, kind: Named["kind"]): string[] {
  const near = [
    `${name}-cw`,
    `cw-${name}`,
    `cw,${name},cw`,
    name.slice(0, -1),
    otherCase(name),
    changed(name, [name.length >> 1]),
    widened(name),
    ...(kind === "scope" ? [] : [`${name} `]),
  ];
  return [...new Set(near)].filter((other) => other !== name && other !== "");
}

const otherCase = (name: string): string =>
  name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();

/** Who has all that a route asks for, but that one name is a little different: of them those whom the contract refuses for it. */
function nearCallers({ route }: TokenCall, caller: AuditCaller, identity: Identity): NearCaller[] {
  return accessParts(route.access)
    .filter(isNamed)
    .flatMap((part) => {
      const name = nameIn(part, caller);
      const { without, claimsWith } = replaced(part, caller, identity);
      // Who passes without it shows nothing.
      if (name === undefined || mayBe(route.access, without)) return [];
      return nearTo(name, part.kind).map((other) => ({
        name: `with ${part.kind} ${JSON.stringify(other)} instead of ${JSON.stringify(name)}`,
        claims: claimsWith(other),
      }));
    });
}

/** The name that a caller has, of those that a condition asks for. */
function nameIn(part: Named, { roles = [], scopes = [], tenant }: AuditCaller): string | undefined {
  if (part.kind === "tenant") return tenant;
  const [name, held] = part.kind === "role" ? [part.role, roles] : [part.scope, scopes];
  return held.includes(name) ? name : undefined;
}

/** A caller without what a condition asks for, and the claims of one who has something else in its place. */
function replaced(
  part: Named,
  { tenant, ...caller }: AuditCaller,
  { rolesClaim, tenantClaim = "" }: Identity,
): { without: AuditCaller; claimsWith: (other: string) => Record<string, unknown> } {
  const whole = { ...caller, ...(tenant === undefined ? {} : { tenant }) };
  switch (part.kind) {
    case "tenant":
      return { without: caller, claimsWith: (other) => ({ [tenantClaim]: other }) };
    case "role": {
      const roles = (caller.roles ?? []).filter((role) => role !== part.role);
      return {
        without: { ...whole, roles },
        claimsWith: (other) => ({ [rolesClaim]: [...roles, other] }),
      };
    }
    case "scope": {
      const scopes = (caller.scopes ?? []).filter((scope) => scope !== part.scope);
      return {
        without: { ...whole, scopes },
        claimsWith: (other) => ({ scope: [...scopes, other].join(" ") }),
      };
    }
  }
}

async function refuseAlmost(
  context: AuditContext,
  tally: Tally,
  { route, honest: { input }, user }: TokenCall,
  { almost, signToken }: { almost: readonly NearCaller[]; signToken: TokenSigner },
): Promise<void> {
  const token = await genuine(context, user);
  const again = { name: "signed anew", value: await signedAnew(signToken, token) };
  const control = await context.caller.call({ route, input, token: again });
  if (!isSuccess(control.response.status))
    return tally.miss(
      `${route.key}: a genuine token of ${user} that the plan signed anew is answered ${answerOf(context, control)}, so what else it signs shows nothing`,
    );
  tally.pass(see(context, `${route.key}: the token of ${user}, signed anew, is accepted`, control));
  await unchanged(context, tally, route, async () => {
    for (const { name, claims } of almost) {
      const value = await signedAnew(signToken, { ...token, claims: { ...token.claims, ...claims } });
      const exchange = await context.caller.call({ route, input, token: { name, value } });
      expectRefusal(context, tally, {
        about: `${route.key}: ${user} ${name} must be refused (403, 401 or 404)`,
        exchange,
        told: { canary: input.canary, control, route },
        refuses: (status) => isRefusal(status) || status === 404,
      });
    }
  });
}
