import type { ContractRoute } from "../../../contract/index.ts";
import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { asksWhose, honestCalls } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import { protectedRoutes, see, withoutProtectedRoutes } from "../shared.ts";

/** What one identity owns, and reads: the plan names it with a canary. */
export interface Owned {
  route: ContractRoute;
  as: string;
  input: HonestCall["input"];
  canary: string;
}

/** For {@link Check.notApplicable}: nothing that is read has an owner. */
export const withoutOwned = (context: AuditContext): string | undefined =>
  withoutProtectedRoutes(context) ??
  (context.contract.routes.some((route) => route.method === "GET" && asksWhose(route))
    ? undefined
    : "no route reads what has an owner");

/** What identities own, by the reading routes' samples. */
export function ownedReads(context: AuditContext): Owned[] {
  return protectedRoutes(context)
    .filter((route) => route.method === "GET" && asksWhose(route))
    .flatMap((route) =>
      honestCalls(context, route).flatMap(({ as, input }) =>
        as === undefined || input.canary === undefined ? [] : [{ route, as, input, canary: input.canary }],
      ),
    );
}

/** Owners whose canary reaches them: nobody else's not getting it would prove nothing otherwise. */
export async function seenByOwner(
  context: AuditContext,
  tally: Tally,
  { route, as, input, canary }: Owned,
): Promise<boolean> {
  const exchange = await context.caller.call({ route, as, input });
  const isSeen = exchange.response.text().includes(canary);
  if (isSeen) tally.pass(see(context, `${route.key}: ${as} gets the canary of its own`, exchange));
  else
    tally.miss(
      `${route.key}: ${as}'s own answer does not hold its canary, so its absence elsewhere proves nothing`,
    );
  return isSeen;
}
