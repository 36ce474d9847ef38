import { accessParts } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, lacking, mayTouchOthers } from "../../inputs.ts";
import { isSuccess, protectedRoutes, see, withoutProtectedRoutes } from "../shared.ts";
import { unchanged } from "../state.ts";

/** The parameters of a path that have to be the caller. */
const ownerParams = ({ access }: ContractRoute): string[] =>
  accessParts(access).flatMap((part) => (part.kind === "owner" ? [part.param] : []));

/** Ids that are like another to whoever compares their beginnings or their ends alone. Some keep the form that the route's schema asks for. */
function nearTo(id: string): string[] {
  const near = [changed(id, 0), changed(id, id.length - 1), `${id}0`, `0${id}`, id.slice(0, -1)];
  return near.filter((other) => other !== "");
}

/** The same but for one character, which stays a digit where it is one: ids in hexadecimals stay such. */
function changed(id: string, at: number): string {
  const other = id[at] === "1" ? "2" : "1";
  return `${id.slice(0, at)}${other}${id.slice(at + 1)}`;
}

/** An id is compared whole: who asks for one that is nearly theirs asks for somebody else's. */
export const nearIds: Check = {
  name: "user A asks for an id that is nearly A's",
  kind: "live",
  isActive: true,
  attack: { kind: "objects", promise: "access", per: "route" },
  notApplicable: (context) =>
    withoutProtectedRoutes(context) ??
    (context.contract.routes.some((route) => ownerParams(route).length > 0)
      ? undefined
      : "no route's path names its owner"),
  run: async (context, tally) => {
    for (const route of protectedRoutes(context)) {
      const params = ownerParams(route);
      const own = params.length === 0 ? undefined : ownCall(context, route);
      if (params.length > 0 && own === undefined) tally.miss(lacking(context, route));
      if (own === undefined) continue;
      const control = await context.caller.call({ route, ...own });
      const name = own.as ?? "nobody";
      if (!isSuccess(control.response.status)) {
        tally.miss(
          `${route.key}: ${name}'s own is answered ${control.response.status}, so refusals show nothing`,
        );
        continue;
      }
      await unchanged(context, tally, route, async () => {
        for (const param of params)
          for (const other of nearTo(own.input.params?.[param] ?? "")) {
            const input = { ...own.input, params: { ...own.input.params, [param]: other } };
            const exchange = await context.caller.call({ route, as: own.as, input });
            tally.expect(
              !isSuccess(exchange.response.status),
              see(context, `${route.key}: ${name} must not ask in the name of ${other}`, exchange),
            );
          }
      });
    }
  },
};

/** Somebody who may ask for their own, and for nobody else's. */
const ownCall = (
  context: AuditContext,
  route: ContractRoute,
): ReturnType<typeof honestCalls>[number] | undefined =>
  honestCalls(context, route).find(
    ({ as }) => as !== undefined && !mayTouchOthers(route.access, context.plan.identities?.[as]),
  );
