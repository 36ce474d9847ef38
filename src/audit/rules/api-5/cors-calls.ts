import type { ContractRoute } from "../../../contract/index.ts";
import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { brokenBody } from "../../requests/input-values.ts";
import type { Exchange } from "../../probes/probe.ts";
import { takeTurns } from "../shared.ts";

/** One call a route that is answered in full, with some headers. Routes that write get a body that is refused. */
export async function callWith(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  headers: [string, string][],
): Promise<Exchange | undefined> {
  const honest = takeTurns(context, route, tally)?.();
  if (honest === undefined) return undefined;
  const harmless = route.body === undefined ? {} : { rawBody: brokenBody(route) };
  // A route that writes without a body can't be called harmlessly with a token.
  const as = route.method !== "GET" && route.body === undefined ? undefined : honest.as;
  return context.caller.call({ route, as, input: honest.input, ...harmless, headers });
}

/** Asks as a browser does before it sends a token from another origin. */
export function preflight(
  context: AuditContext,
  path: string,
  route: ContractRoute,
  origin: string,
): Promise<Exchange> {
  const headers: [string, string][] = [
    ["origin", origin],
    ["access-control-request-method", route.method],
    ["access-control-request-headers", "authorization, content-type"],
  ];
  return context.caller.send(
    { method: "OPTIONS", path, headers },
    { name: `${route.key} preflight`, burst: 3, isPerUser: false },
  );
}

/** Where an honest call of a route would go. */
export async function pathOf(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
): Promise<string | undefined> {
  const honest = takeTurns(context, route, tally)?.();
  return honest === undefined
    ? undefined
    : (await context.caller.request({ route, input: honest.input })).path;
}

/** What an answer allows that origin. A star allows it too. */
export function allows({ response }: Exchange, origin: string): boolean {
  const value = response.header("access-control-allow-origin");
  return (
    value !== undefined &&
    (value === "*" || value.split(",").some((part) => part.trim().toLowerCase() === origin.toLowerCase()))
  );
}
