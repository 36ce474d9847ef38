import type { ContractRoute } from "../../../contract/index.ts";
import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import { decodeToken } from "../../requests/tokens.ts";
import type { DecodedToken } from "../../requests/tokens.ts";
import { CurtainwallError } from "../../../shared/index.ts";
import { honestCall, protectedRoutes } from "../shared.ts";
import type { HonestCall } from "../../requests/inputs.ts";

// What the checks that forge tokens have in common.

/** For {@link Check.notApplicable}: no token is taken anywhere. */
export const withoutIssuer = ({ contract }: AuditContext): string | undefined =>
  contract.identity === undefined ? "the contract names no issuer of tokens" : undefined;

/** A protected route, an honest call of it, and somebody with a token that a forged one is made after. */
export interface TokenCall {
  route: ContractRoute;
  honest: HonestCall;
  user: string;
}

/** Protected routes with somebody to be; without one, the tally says what the plan lacks. */
export function tokenCalls(context: AuditContext, tally: Tally): TokenCall[] {
  return protectedRoutes(context).flatMap((route) => {
    const honest = honestCall(context, route, tally);
    if (honest?.as === undefined) return [];
    const user = userFor(context, route, honest.as);
    if (user !== undefined) return [{ route, honest, user }];
    tally.miss("no identity in the plan has a token");
    return [];
  });
}

/**
 * Of calls, one that reads and one that writes for each kind of condition: whoever reads tokens reads them alike for each of its kind, and what writes may stand behind
 * another door.
 */
export const onePerCondition = (calls: readonly TokenCall[]): TokenCall[] => [
  ...new Map(calls.toReversed().map((call) => [`${call.route.access.kind} ${isWrite(call)}`, call])).values(),
];

const isWrite = ({ route }: TokenCall): boolean => route.method !== "GET";

/** Somebody with a token: who may call the route, if there is one. */
function userFor(context: AuditContext, route: ContractRoute, name: string): string | undefined {
  const isUser = (candidate: string | undefined): boolean =>
    candidate !== undefined && !context.tokens.isProgram(candidate);
  if (isUser(name)) return name;
  const may = honestCalls(context, route).find(({ as }) => isUser(as))?.as;
  return may ?? Object.keys(context.plan.identities ?? {}).find(isUser);
}

/** The valid token of the identity, taken apart. */
export async function genuine(context: AuditContext, name: string): Promise<DecodedToken> {
  const decoded = decodeToken(await context.tokens.valid(name));
  if (decoded === undefined)
    throw new CurtainwallError(
      "AUDIT_TOKEN_REFUSED",
      `the token of ${name} is not a JWT, so none can be forged after it`,
    );
  return decoded;
}
