import { accessParts } from "../access.ts";
import type { ContractObservation, ContractRoute } from "../contract/route.ts";
import type { Problems } from "./problems.ts";
import { quote, section, weakened } from "./values.ts";

const dayMs = 86_400_000;
/** What is looked at for longer is not looked at. */
const maxDays = 90;

/** Reads for how long a route is observed. One whose time is over is enforced, so that no stack fails to start on that day. */
export function parseObserve(
  problems: Problems,
  where: string,
  at: string,
  value: unknown,
  now: number = Date.now(),
): ContractObservation | undefined {
  const hint = `insecureObserve: { until: "${new Date(now + 14 * dayMs).toISOString().slice(0, 10)}", reason: "…" },`;
  const options = section(problems, `${where}, insecureObserve`, value, ["until", "reason"], hint);
  if (options === undefined) return undefined;
  weakened(problems, `${at}.insecureObserve`, options.reason ?? "", hint);
  const untilMs = endOf(options.until);
  if (untilMs === undefined)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: insecureObserve.until must be a day like 2026-12-31, not ${quote(options.until)}.`,
      hint,
    );
  if (untilMs > now + (maxDays + 1) * dayMs)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: insecureObserve.until is more than ${maxDays} days ahead.`,
      hint,
    );
  return { until: String(options.until), untilMs };
}

/** When a day is over in UTC; undefined if it is none. */
function endOf(day: unknown): number | undefined {
  if (typeof day !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const start = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(start) || new Date(start).toISOString().slice(0, 10) !== day
    ? undefined
    : start + dayMs;
}

/** Refuses to observe where what is not checked would decide who may, or whose failures are counted. */
export function checkObserve(
  problems: Problems,
  where: string,
  { observe, access, failures }: ContractRoute,
): void {
  if (observe === undefined) return;
  const asks = accessParts(access).find((part) => asking.has(part.kind));
  if (asks !== undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: insecureObserve can't stand with ${asks.kind}(), which is asked about what the request says.`,
      "Leave out  insecureObserve",
    );
  const counted = failures?.limits.find(({ by }) => by === "body" || by === "params");
  if (counted !== undefined)
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: insecureObserve can't stand with ${quote(counted.text)}, which counts by what the request says.`,
      "Leave out  insecureObserve",
    );
}

/** Conditions that read the request's own words beside the path's parameters. */
const asking: ReadonlySet<string> = new Set(["check", "ownerLookup"]);
