import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import { findHeaderLeaks, findLeaks } from "../../answers/leaks.ts";
import type { Exchange } from "../../probes/probe.ts";
import { jsonFault } from "../success-faults.ts";
import { mediaType, see, withoutRoutes } from "../shared.ts";

/** What the upstream may say when it refuses: as the contract has it, and no word more. */
export const declaredErrors: Check = {
  name: "declared errors hold nothing undeclared",
  kind: "live",
  attack: { kind: "answers", promise: "errors", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some(({ errors }) => errors.size > 0)
      ? undefined
      : "no route declares the errors of its upstream"),
  run: async (context, tally) => {
    for (const route of context.contract.routes)
      for (const status of route.errors.keys()) await provoke(context, tally, route, status);
  },
};

async function provoke(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  status: number,
): Promise<void> {
  const sample = context.plan.errors?.[route.key]?.[status];
  if (sample === undefined)
    return tally.miss(`the plan's errors have no input that ${route.key} refuses with ${status}`);
  const [honest] = honestCalls(context, route, sample);
  if (honest === undefined) return tally.miss(lacking(context, route));
  const exchange = await context.caller.call({ route, ...honest });
  if (exchange.response.status !== status)
    return tally.miss(
      `${route.key}: the plan's input for ${status} was answered ${exchange.response.status}`,
    );
  const fault = errorFault(context, route, exchange);
  tally.expect(
    fault === undefined,
    see(context, `${route.key}, ${status}: ${fault ?? "what the contract declares"}`, exchange),
  );
}

function errorFault(
  { plan }: AuditContext,
  { errors }: ContractRoute,
  exchange: Exchange,
): string | undefined {
  const { response } = exchange;
  const schema = errors.get(response.status);
  const text = response.text();
  if (mediaType(exchange) !== "application/json") return "it is not application/json";
  const [leak] = [...findLeaks(text), ...findHeaderLeaks(response.headers)];
  if (leak !== undefined) return `shows ${leak.what}: ${leak.excerpt}`;
  if (plan.canaries?.some((canary) => text.includes(canary)) === true) return "shows a planted canary";
  return schema === undefined ? undefined : jsonFault(schema, text);
}
