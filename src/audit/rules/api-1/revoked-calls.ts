import { accessParts } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { AuditOwnedInput, AuditRevocable } from "../../plan/plan.ts";
import { protectedRoutes } from "../shared.ts";

/** A call with the token that is revoked. */
export interface RevokedCall {
  readonly route: ContractRoute;
  readonly input: AuditOwnedInput;
  /** Whether whose token it is may call it so. If not, they are somebody who is refused for another reason than who is nobody. */
  readonly isOwn: boolean;
}

/** So many at most: each is asked over each protocol, three times. */
const maxCalls = 10;

export const isReading = ({ route }: Pick<RevokedCall, "route">): boolean => route.method === "GET";

/**
 * Calls of what a token opens, one of each kind: reading or writing, by what is asked of the caller, by who answers. Each of them may have
 * its own way to learn whose token counts. Those that may be read stand first.
 */
export function revokedCalls(context: AuditContext, revocable: AuditRevocable): RevokedCall[] {
  const kinds = new Map<string, RevokedCall>();
  for (const call of allCalls(context, revocable)) {
    const kind = kindOf(call);
    if (kinds.get(kind)?.isOwn !== true && (call.isOwn || !kinds.has(kind))) kinds.set(kind, call);
  }
  return [...kinds.values()].toSorted((left, right) => rank(left) - rank(right)).slice(0, maxCalls);
}

const rank = (call: RevokedCall): number => (isReading(call) ? 0 : 2) + (call.isOwn ? 0 : 1);

function kindOf(call: RevokedCall): string {
  const { access, to } = call.route;
  const conditions = accessParts(access).map(({ kind }) => kind);
  return JSON.stringify([isReading(call), access.kind, conditions, to]);
}

function allCalls(context: AuditContext, revocable: AuditRevocable): RevokedCall[] {
  const alone = { ...context, plan: { ...context.plan, identities: { revocable } } };
  return protectedRoutes(context)
    .filter(({ stream }) => stream?.kind !== "events")
    .flatMap((route): RevokedCall[] => {
      const [own] = honestCalls(alone, route);
      if (own !== undefined) return [{ route, input: own.input, isOwn: true }];
      // Only who was told something else before can be told apart from nobody, and nothing is written to find out.
      const [others] = route.method === "GET" ? honestCalls(context, route) : [];
      return others === undefined ? [] : [{ route, input: others.input, isOwn: false }];
    });
}
