import type { ContractRoute, ContractUpstream } from "../../contract/index.ts";
import type { RouteStep } from "../explain/explain.ts";
import { needsCaller } from "./subjects.ts";

/** What a route's limits pass, in words: before it is known who calls, once it is known, and before the upstream is asked. */
export interface LimitSteps {
  readonly arrival: readonly RouteStep[];
  readonly known: readonly RouteStep[];
  readonly ready: readonly RouteStep[];
}

/**
 * Says what a route's limits pass.
 *
 * @param upstream the one that it is sent to
 */
export function explainLimits(route: ContractRoute, upstream: ContractUpstream | undefined): LimitSteps {
  const { limits, pace, priority } = route;
  const limitSteps = (isKnown: boolean): RouteStep[] =>
    [...new Set(limits.map(({ by }) => by))]
      .filter((by) => needsCaller(by) === isKnown)
      .map((by) => ({
        check: `limit by ${by}`,
        passes: limits
          .filter((limit) => limit.by === by)
          .map(({ text, burst }) => `${text} (at most ${burst} at once)`)
          .join(" and "),
        otherwise: "429 GATEWAY_LIMIT_REACHED",
      }));
  const paceSteps = (isKnown: boolean): RouteStep[] =>
    pace === undefined || needsCaller(pace.by) !== isKnown
      ? []
      : [{ check: "pace", passes: `${pace.text}; clients take turns`, otherwise: "503 GATEWAY_QUEUE_FULL" }];
  const load: RouteStep = {
    check: "load",
    passes: `a thread that is in time; priority ${priority}`,
    otherwise: "503 GATEWAY_OVERLOADED",
  };
  return {
    arrival: [...(priority === "high" ? [] : [load]), ...limitSteps(false), ...paceSteps(false)],
    known: [...limitSteps(true), ...paceSteps(true)],
    ready: readySteps(route, upstream),
  };
}

function readySteps(
  { concurrency, failures, spends }: ContractRoute,
  upstream: ContractUpstream | undefined,
): RouteStep[] {
  const doors = [
    ...(concurrency === undefined ? [] : [`${concurrency} of this route`]),
    ...(upstream?.concurrency === undefined ? [] : [`${upstream.concurrency} of all to ${upstream.name}`]),
  ];
  const steps: (RouteStep | false)[] = [
    doors.length > 0 && {
      check: "under way",
      passes: `at most ${doors.join(" and ")} at once`,
      otherwise: "503 GATEWAY_BUSY",
    },
    failures !== undefined && {
      check: "failures",
      passes: `${failures.limits.map(({ text }) => text).join(" and ")} answered with ${failures.statuses.join(", ")}`,
      otherwise: "429 GATEWAY_FAILURES_REACHED; 503 GATEWAY_LIMITS_UNAVAILABLE without the shared store",
    },
    spends.length > 0 && {
      check: "budget",
      passes: spends
        .map(({ budget, cost }) => `${cost} of ${budget.name}, ${budget.text} for all`)
        .join(" and "),
      otherwise: "503 GATEWAY_BUDGET_EXHAUSTED",
    },
  ];
  return steps.filter((step) => step !== false);
}
