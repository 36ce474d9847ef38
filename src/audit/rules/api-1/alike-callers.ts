import type { AuditContext } from "../../context.ts";
import { signedAnew } from "../../forge/issued.ts";
import { genuine } from "./token-routes.ts";

/**
 * A token of somebody with the roles, scopes and tenant of somebody else: whoever keeps what they are told by any of these, and not by who they are, takes
 * the two for one. Undefined: one of them has an API key, or the plan signs no tokens.
 */
export async function alikeToken(
  context: AuditContext,
  as: string | undefined,
  like: string | undefined,
): Promise<{ name: string; value: string } | undefined> {
  const { plan, contract, tokens } = context;
  const { identity } = contract;
  if (plan.signToken === undefined || identity === undefined || as === undefined || like === undefined)
    return undefined;
  if (tokens.isProgram(as) || tokens.isProgram(like)) return undefined;
  const token = await genuine(context, as);
  const { claims: theirs } = await genuine(context, like);
  const names = [
    identity.rolesClaim,
    "scope",
    ...(identity.tenantClaim === undefined ? [] : [identity.tenantClaim]),
  ];
  const changed = Object.fromEntries(names.map((name) => [name, theirs[name]]));
  return {
    name: `token of ${as}, with the roles, scopes and tenant of ${like}`,
    value: await signedAnew(plan.signToken, { ...token, claims: { ...token.claims, ...changed } }),
  };
}
