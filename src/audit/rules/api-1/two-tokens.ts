import type { Check } from "../../check.ts";
import { honestCalls } from "../../requests/inputs.ts";
import { isClientError, isSuccess, protectedRoutes, see, withoutProtectedRoutes } from "../shared.ts";
import { unservedBy } from "../unserved.ts";

/** Of two tokens one server may take the first and another the last: whoever brings two is let in by neither. */
export const twoTokens: Check = {
  name: "who brings two tokens over HTTP/2 is let in by neither",
  kind: "live",
  attack: { kind: "access", promise: "access", per: "site" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutProtectedRoutes,
  run: async (context, tally) => {
    // Not said of it before: a list of attacks is made without asking the target.
    if (!context.protocols.includes("h2")) return tally.notApplicable("the target speaks no HTTP/2");
    const route = protectedRoutes(context).find(
      (candidate) =>
        candidate.method === "GET" &&
        candidate.stream === undefined &&
        honestCalls(context, candidate).some(({ as }) => as !== undefined && !context.tokens.isProgram(as)),
    );
    const honest = route && honestCalls(context, route).find(({ as = "" }) => !context.tokens.isProgram(as));
    if (route === undefined || honest === undefined)
      return tally.notApplicable("nobody in the plan reads anything with a token");
    const request = await context.caller.request({ route, ...honest });
    const token = request.headers?.find(([name]) => name.toLowerCase() === "authorization");
    const single = await context.caller.send({ ...request, protocol: "h2" });
    if (token === undefined || !isSuccess(single.response.status))
      return tally.miss(unservedBy(context, route, single));
    const sent = { ...single.request, headers: [...(request.headers ?? []), token] };
    const response = await context.wire.send(sent).catch(() => undefined);
    if (response === undefined) tally.notApplicable("nothing here can send one field twice over HTTP/2");
    else
      tally.expect(
        isClientError(response.status),
        see(context, `${route.key}: two tokens of ${honest.as}`, { request: sent, response }),
      );
  },
};
