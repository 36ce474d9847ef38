import type { ContractRoute, Limit, Rate } from "../../contract/index.ts";
import type { Call } from "../requests/caller.ts";
import type { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { brokenBody } from "../requests/input-values.ts";
import { honestCalls, lacking } from "../requests/inputs.ts";
import type { Exchange, ProbeRequest, Protocol } from "../probes/probe.ts";
import { withoutRoutes } from "./shared.ts";

// What the checks that spend allowances have in common.

/** Bursts above this are not sent: the audit is no load test. */
export const maxBurst = 400;
/** Each of a machine's addresses is a client of its own; a proxy in between may see them as one. */
export const oneClient =
  "the target can't be reached from several addresses, and one's burst would lock us out";
/** A limit that admits nobody is no limit that was seen to work. */
export const refusedAtOnce = "even the first request was refused (429), so this shows no limit";

/** For {@link Check.notApplicable}: no route is limited by clients, or by users. */
export const withoutLimits =
  (subject: Limit["by"]) =>
  (context: AuditContext): string | undefined =>
    withoutRoutes(context) ??
    (context.contract.routes.some((route) => tightestOf(route, subject) !== undefined)
      ? undefined
      : `no route has a limit per ${subject}`);

/** Of a route's limits the one that admits least at once. */
export function tightestOf({ limits }: ContractRoute, subject: Limit["by"]): Limit | undefined {
  return limits.filter(({ by }) => by === subject).sort((left, right) => left.burst - right.burst)[0];
}

/** How many requests a limit may admit in a time: its burst, and what grows again meanwhile. */
export const allowedIn = ({ burst, count, windowSeconds }: Rate, seconds: number): number =>
  burst + Math.ceil((seconds * count) / windowSeconds);

/** What became of requests that are charged to one allowance. */
export interface Spending {
  about: string;
  limit: Rate;
  admitted: number;
  /** Answered with 5xx: perhaps charged, perhaps not. */
  failed?: number;
  /** Whether a 429 came. */
  isRefused: boolean;
  /** From before the first to after the last. */
  seconds: number;
  unit?: string;
}

/** Whether more was let through than the limit admits in that time. */
export const isTooMuch = ({ limit, admitted, seconds }: Spending): boolean =>
  admitted > allowedIn(limit, seconds);

/**
 * Judges what an allowance let through. More than its burst and what grew again meanwhile is too much, however slow anybody was. That it was
 * no more shows the limit only where a 429 came, and where little grew again: otherwise a machine was too slow to spend it.
 */
export function judgeSpending(tally: Tally, spending: Spending): void {
  const { about, limit, admitted, failed = 0, isRefused, seconds, unit = "requests" } = spending;
  const allowed = allowedIn(limit, seconds);
  const time = `${seconds.toFixed(2)} s`;
  if (admitted === 0 && failed === 0) return tally.miss(`${about}: ${refusedAtOnce}`);
  if (admitted <= allowed && admitted + failed > allowed)
    return tally.miss(`${about}: ${failed} of the ${unit} failed (5xx), so this shows no limit`);
  const grown = (seconds * limit.count) / limit.windowSeconds;
  if (admitted <= allowed && (!isRefused || grown > Math.max(1, limit.burst / 2)))
    return tally.miss(
      `${about}: ${admitted} ${unit} took ${time}, in which ${Math.ceil(grown)} of the limit's ${limit.burst} grew again: too slow to see it end`,
    );
  tally.expect(admitted <= allowed, {
    kind: "measurement",
    about: `${about}: admitted in ${time}, at most ${allowed} allowed`,
    ...(isRefused ? { value: admitted, unit } : { value: `${admitted} ${unit}, and no 429 came` }),
  });
}

/** A client's allowance on a route, and a call that is charged to it without doing anything. */
export interface Allowance {
  route: ContractRoute;
  limit: Limit;
  call: Call;
}

/** The tightest allowance of a client on a route, or what is missing to spend it. */
export function allowanceOn(context: AuditContext, route: ContractRoute): Allowance | string {
  const limit = tightestOf(route, "client");
  if (limit === undefined) return `${route.key} has no limit per client`;
  if (limit.burst > maxBurst)
    return `${route.key} admits ${limit.burst} at once: more than the ${maxBurst} that are sent`;
  const [honest] = honestCalls(context, route);
  if (honest === undefined) return lacking(context, route);
  // An answer in parts is charged when it begins.
  const listen = { maxMs: 1000, maxEvents: 0 };
  const call = { route, input: honest.input, ...harmless(route), ...(isStream(route) ? { listen } : {}) };
  return { route, limit, call };
}

const isStream = ({ stream }: ContractRoute): boolean => stream?.kind === "events";

/** Makes a call without effect: where a missing token does not refuse it, its body or query does. It is charged all the same. */
function harmless(route: ContractRoute): Partial<Call> {
  if (route.access.kind !== "everyone" || route.method === "GET") return {};
  return route.body === undefined ? { rawQuery: "undeclared=1" } : { rawBody: brokenBody(route) };
}

/** The allowance that is cheapest to spend, or what is missing to spend any. */
export function smallestAllowance(context: AuditContext): Allowance | string {
  const found = context.contract.routes
    .filter((route) => tightestOf(route, "client") !== undefined)
    .map((route) => allowanceOn(context, route));
  const [first] = found;
  const usable = found.filter((allowance) => typeof allowance !== "string");
  return (
    usable.sort((left, right) => left.limit.burst - right.limit.burst)[0] ??
    (typeof first === "string" ? first : "no route has a limit per client")
  );
}

/** Over which protocol one of many requests goes: by turns, since they count together. */
export const protocolFor = ({ protocols }: AuditContext, count: number): Protocol =>
  protocols[count % protocols.length] ?? protocols[0];

/** Sends a request again and again until it is refused with 429, at most so many times. */
export async function untilRefused(
  context: AuditContext,
  request: ProbeRequest,
  most: number,
): Promise<Exchange | undefined> {
  for (let count = 0; count < most; count++) {
    const response = await context.wire.send(request);
    if (response.status === 429) return { request, response };
  }
  return undefined;
}
