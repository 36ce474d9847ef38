import type { ContractRoute, ContractUpstream } from "../../contract/index.ts";
import type { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { Caller } from "../requests/caller.ts";
import type { HonestCall } from "../requests/inputs.ts";
import type { Exchange } from "../probes/probe.ts";
import { arrivedSince, requestIdOf } from "../probes/upstream-witness.ts";
import type { ReceivedRequest, UpstreamWitness } from "../probes/upstream-witness.ts";
import { problemOf } from "./provocations.ts";
import { isSuccess, withoutRoutes } from "./shared.ts";

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

/** Visits the routes whose upstream tells what it is sent. Of the others the tally says that theirs does not. */
export async function overWitnessed(
  context: AuditContext,
  tally: Tally,
  visit: (route: ContractRoute, witness: WitnessedUpstream) => Promise<void>,
): Promise<void> {
  for (const route of context.contract.routes) {
    const witness = witnessOf(context, route);
    if (witness === undefined) tally.notApplicable(`nobody tells what ${route.to} is sent`);
    else await visit(route, witness);
  }
}

/** An honest request as it was made, and as it came to its upstream. */
export interface Arrival {
  readonly exchange: Exchange;
  readonly received: ReceivedRequest;
}

/** What came of an honest request. */
interface Followed {
  readonly exchange: Exchange;
  readonly arrived: ReceivedRequest | undefined;
}

/**
 * Makes an honest request, and looks for it at its upstream, by its id. An answer that was served need not tell one: where something else may have come then, it is
 * made once more while nobody else of the audit's asks. Undefined: it did not come.
 */
export async function callAndFollow(
  { caller, alone }: Pick<AuditContext, "caller" | "alone">,
  route: ContractRoute,
  witness: WitnessedUpstream,
  honest: HonestCall,
): Promise<Followed> {
  const { exchange, came } = await callAndLook(caller, route, witness, honest);
  const id = idOf(exchange);
  const own = came.findLast((request) => id !== undefined && requestIdOf(request) === id);
  if (own !== undefined || came.length === 0) return { exchange, arrived: own };
  const mayBeKept = route.cache !== undefined;
  // Other attacks ask there at the same time, with a word that is good for nothing; and of an answer that was kept nothing need have come.
  if (id !== undefined) return { exchange, arrived: mayBeKept ? undefined : came.at(-1) };
  if (route.method !== "GET" || (came.length === 1 && !mayBeKept)) return { exchange, arrived: came.at(-1) };
  const again = await alone((onlyOne) => callAndLook(onlyOne, route, witness, honest));
  return { exchange: again.exchange, arrived: again.came.at(-1) };
}

/** Makes an honest request, and tells what came to where it goes meanwhile. */
async function callAndLook(
  caller: Caller,
  route: ContractRoute,
  { upstream, received }: WitnessedUpstream,
  { as, input }: HonestCall,
): Promise<{ exchange: Exchange; came: ReceivedRequest[] }> {
  const before = await received();
  const exchange = await caller.call({ route, as, input });
  const wanted = targetAt(upstream, exchange.request.path);
  const came = arrivedSince(before, await received());
  return {
    exchange,
    came: came.filter(({ method, target }) => method === route.method && isSame(target, wanted)),
  };
}

/** Why an honest request may not be seen at its upstream. */
export const keptAnswer = ({ key }: ContractRoute): string => `${key} was answered with what was kept`;

/** Where a path of the site's is at its upstream. */
export const targetAt = ({ url }: ContractUpstream, path: string): string =>
  url.pathname.replace(/\/$/, "") + path;

/** The id that an answer tells, by which the gateway's log and the upstream know its request. What is served may have ids of its own. */
export function idOf(exchange: Exchange): string | undefined {
  const { response } = exchange;
  const id =
    (isSuccess(response.status) ? undefined : problemOf(exchange)?.id) ?? response.header("request-id");
  return typeof id === "string" ? id : undefined;
}

/** Whether a path of the site's and a target at its upstream name the same, however they are encoded, and whatever is asked for there. */
export const isAtSamePath = (upstream: ContractUpstream, path: string, target: string): boolean =>
  textOf(pathOf(targetAt(upstream, path))) === textOf(pathOf(target));

/** Whether two targets name the same, however they are encoded. */
const isSame = (one: string, other: string): boolean =>
  textOf([pathOf(one), queryOf(one)]) === textOf([pathOf(other), queryOf(other)]);

const textOf = (value: unknown): string => JSON.stringify(value);

const pathOf = (target: string): string[] => (urlOf(target)?.pathname ?? target).split("/").map(decoded);

const queryOf = (target: string): string[] =>
  [...(urlOf(target)?.searchParams ?? [])].map((pair) => pair.join("=")).toSorted();

const urlOf = (target: string): URL | null => URL.parse(target, "https://upstream.invalid");

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
