import type { ContractRoute, ContractUpstream } from "../../contract/index.ts";
import type { AuditContext } from "../context.ts";
import type { HonestCall } from "../inputs.ts";
import type { Exchange } from "../probe.ts";
import { requestIdOf } from "../upstream-witness.ts";
import type { ReceivedRequest, UpstreamWitness } from "../upstream-witness.ts";
import { withoutRoutes } from "./shared.ts";

/** An upstream that tells what it is sent. */
export interface WitnessedUpstream extends UpstreamWitness {
  readonly upstream: ContractUpstream;
}

/** The upstream of a route, if it tells. */
export function witnessOf(
  { contract, plan }: AuditContext,
  { to }: ContractRoute,
): WitnessedUpstream | undefined {
  const upstream = contract.upstreams.get(to);
  const witness = plan.upstreams?.[to];
  return upstream === undefined || witness === undefined ? undefined : { upstream, ...witness };
}

/** For {@link Check.notApplicable}: what functions are told is another matter. */
export const withoutUpstreams = (context: AuditContext): string | undefined =>
  withoutRoutes(context) ??
  (context.contract.routes.some(({ to }) => context.contract.upstreams.has(to))
    ? undefined
    : "no route has an upstream");

/** For {@link Check.notApplicable}: what only an upstream sees is asked of those that tell. */
export const withoutWitness = (context: AuditContext): string | undefined =>
  withoutUpstreams(context) ??
  (context.contract.routes.some((route) => witnessOf(context, route) !== undefined)
    ? undefined
    : "the plan's upstreams tell of none what it was sent");

/** An honest request as it was made, and as it came to its upstream. */
export interface Arrival {
  readonly exchange: Exchange;
  readonly received: ReceivedRequest;
}

/** Makes an honest request, and looks for it at its upstream. Undefined: it did not come there. */
export async function callAndFollow(
  { caller }: Pick<AuditContext, "caller">,
  route: ContractRoute,
  { upstream, received }: WitnessedUpstream,
  { as, input }: HonestCall,
): Promise<{ exchange: Exchange; arrived: ReceivedRequest | undefined }> {
  const before = new Set((await received()).map(requestIdOf));
  const exchange = await caller.call({ route, as, input });
  const wanted = targetAt(upstream, exchange.request.path);
  const arrived = (await received()).findLast(
    (request) =>
      request.method === route.method && !before.has(requestIdOf(request)) && isSame(request.target, wanted),
  );
  return { exchange, arrived };
}

/** Why an honest request may not be seen at its upstream. */
export const keptAnswer = ({ key }: ContractRoute): string => `${key} was answered with what was kept`;

/** Where a path of the site's is at its upstream. */
export const targetAt = ({ url }: ContractUpstream, path: string): string =>
  url.pathname.replace(/\/$/, "") + path;

/** Whether two targets name the same, however they are encoded. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((target) => {
    const { pathname, searchParams } = new URL(target, "https://upstream.invalid");
    return JSON.stringify([
      pathname.split("/").map(decoded),
      [...searchParams].map((pair) => pair.join("=")).toSorted(),
    ]);
  });
  return first === second;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
