import type { ContractRoute, ContractStream } from "../../../contract/index.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import type { Exchange, Protocol } from "../../probes/probe.ts";
import { oneClient, smallestAllowance, untilRefused, withoutLimits } from "../limits.ts";
import { protectedRoutes, withoutProtectedRoutes } from "../shared.ts";
import type { AnswerClass } from "./answer-class.ts";

/** What routes stream, and how they refuse and fail. */
export const apiAnswers: readonly AnswerClass[] = [
  streamed("200, an event stream", "events"),
  streamed("200, a download", "download"),
  {
    name: "401, the API",
    isActive: true,
    statuses: [401],
    notApplicable: withoutProtectedRoutes,
    get: async (context, protocol) => {
      const [route] = protectedRoutes(context);
      if (route === undefined) return "no route needs a token";
      const [honest] = honestCalls(context, route);
      if (honest === undefined) return lacking(context, route);
      return context.caller.call({ route, input: honest.input, protocol });
    },
  },
  {
    name: "403, the API",
    isActive: true,
    statuses: [403],
    notApplicable: (context) =>
      context.contract.routes.some(tellsApart)
        ? undefined
        : "no route has an owner in its path or asks for a role",
    get: forbidden,
  },
  {
    name: "429, the API",
    isActive: true,
    statuses: [429],
    notApplicable: withoutLimits("client"),
    get: exhausted,
  },
  {
    name: "5xx, the API",
    isActive: true,
    statuses: [500, 502, 503, 504],
    notApplicable: ({ plan }) =>
      Object.keys(plan.failures ?? {}).length === 0
        ? "the plan knows no way to make a route fail"
        : undefined,
    get: failing,
  },
];

/** What comes in parts has its headers written elsewhere than other answers. */
function streamed(name: string, kind: ContractStream["kind"]): AnswerClass {
  const isOne = ({ stream }: ContractRoute): boolean => stream?.kind === kind;
  return {
    name,
    isActive: true,
    statuses: [200],
    notApplicable: ({ contract }) =>
      contract.routes.some(isOne) ? undefined : `no route answers with ${name.slice(5)}`,
    get: async (context, protocol) => {
      let missing = "no route answers so";
      for (const route of context.contract.routes.filter(isOne)) {
        const [honest] = honestCalls(context, route);
        if (honest !== undefined) return context.caller.call({ route, ...honest, protocol });
        missing = lacking(context, route);
      }
      return missing;
    },
  };
}

/** A route that answers 403 to somebody who is signed in. */
const tellsApart = ({ access, hide }: ContractRoute): boolean =>
  hide !== true && (access.kind === "owner" || access.kind === "role");

/** Somebody with a token asks for what another one owns, or lacks the role. */
async function forbidden(context: AuditContext, protocol: Protocol): Promise<Exchange | string> {
  const names = Object.keys(context.plan.identities ?? {});
  for (const route of context.contract.routes.filter(tellsApart)) {
    const [honest] = honestCalls(context, route);
    if (honest === undefined) continue;
    const roles = route.access.kind === "role" ? route.access.role : undefined;
    const as = names.find((name) =>
      context.tokens.isProgram(name)
        ? false
        : roles === undefined
          ? name !== honest.as
          : !(context.plan.identities?.[name]?.roles ?? []).includes(roles),
    );
    if (as !== undefined) return context.caller.call({ route, as, input: honest.input, protocol });
  }
  return "no two identities in the plan that tell a 403";
}

/** Makes something behind a route fail, as the plan knows how to. */
async function failing(context: AuditContext, protocol: Protocol): Promise<Exchange | string> {
  let missing = "the plan names no failure of a route that there is";
  for (const route of context.contract.routes) {
    const failure = context.plan.failures?.[route.key];
    if (failure === undefined) continue;
    const [honest] = honestCalls(context, route, failure);
    if (honest !== undefined) return context.caller.call({ route, ...honest, protocol });
    missing = lacking(context, route);
  }
  return missing;
}

/** Spends the allowance of a client that nobody else is. */
async function exhausted(context: AuditContext, protocol: Protocol): Promise<Exchange | string> {
  const allowance = smallestAllowance(context);
  if (typeof allowance === "string") return allowance;
  const client = context.caller.freshClient();
  if (client === undefined) return oneClient;
  const { route, limit, call } = allowance;
  const request = { ...(await context.caller.request(call)), protocol, client };
  return (
    (await untilRefused(context, request, limit.burst * 2 + 10)) ??
    `${route.key}: its limit was never reached`
  );
}
