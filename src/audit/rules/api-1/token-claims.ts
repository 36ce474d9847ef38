import type { Check } from "../../check.ts";
import { issuedWrong, signedAnew } from "../../forge/issued.ts";
import { isSuccess, see, withoutProtectedRoutes } from "../shared.ts";
import { answerOf } from "../unserved.ts";
import { expectRefusal } from "./given-away.ts";
import { genuine, onePerCondition, tokenCalls, withoutIssuer } from "./token-routes.ts";

/** A good signature is not all: it may be under another kind of token, for somebody else, from another time. */
export const issuedWrongly: Check = {
  name: "token that its issuer signed, wrong in type, claims or form",
  kind: "live",
  isActive: true,
  attack: { kind: "access", promise: "identity", per: "route" },
  notApplicable: (context) =>
    withoutProtectedRoutes(context) ??
    withoutIssuer(context) ??
    (context.plan.signToken === undefined
      ? "only the issuer could make such a token, and the plan signs none in its name (signToken)"
      : undefined),
  run: async (context, tally) => {
    const { signToken } = context.plan;
    if (signToken === undefined) return;
    const tolerance = context.contract.identity?.clockToleranceSeconds ?? 0;
    for (const { route, honest, user } of onePerCondition(tokenCalls(context, tally))) {
      const token = await genuine(context, user);
      const again = { name: "signed anew", value: await signedAnew(signToken, token) };
      const control = await context.caller.call({ route, input: honest.input, token: again });
      if (!isSuccess(control.response.status)) {
        tally.miss(
          `${route.key}: a genuine token of ${user} that the plan signed anew is answered ${answerOf(context, control)}, so what else it signs shows nothing`,
        );
        continue;
      }
      tally.pass(see(context, `${route.key}: the token of ${user}, signed anew, is accepted`, control));
      for (const wrong of await issuedWrong(token, signToken, context.now(), tolerance)) {
        const exchange = await context.caller.call({ route, input: honest.input, token: wrong });
        if (exchange.response.status === 503) {
          tally.miss(`${route.key}: a token that was ${wrong.name} was answered 503, so nobody judged it`);
          continue;
        }
        expectRefusal(context, tally, {
          about: `${route.key}: a token that was ${wrong.name} must be refused (401)`,
          exchange,
          told: { canary: honest.input.canary, control, route },
        });
      }
    }
  },
};
