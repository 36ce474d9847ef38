import type { ContractRoute } from "../../contract/index.ts";
import { nothingSeen } from "../check.ts";
import type { Attempt } from "../check.ts";
import type { AttackUnit } from "./report.ts";
import { isControl } from "./units.ts";
import type { AttackCheck, Unit } from "./units.ts";

const maxReasons = 5;

/** Draws a unit's state. An attack that was refused counts as held only where who is honest is served. */
export function judge(
  { kind, route, checks }: Unit,
  attempts: readonly (readonly [AttackCheck, Attempt])[],
  unserved: string | undefined,
): Omit<AttackUnit, "durationMs"> {
  const control =
    unserved ??
    attempts.flatMap(([{ check }, { result }]) =>
      isControl(check) && (result.state === "failed" || result.state === "missing")
        ? [
            `${result.name}: ${result.state === "failed" ? (result.evidence[0]?.about ?? "it is not so") : (result.reason ?? "")}`,
          ]
        : [],
    )[0];
  const made = attempts.filter(([{ check }, { result }]) => !isControl(check) && applies(route, result));
  const observations = made.reduce((sum, [, { result }]) => sum + result.observations, 0);
  const broken = made.reduce((sum, [, attempted]) => sum + attempted.broken, 0);
  const missing = made.filter(
    ([, { result }]) => result.state === "missing" || (control !== undefined && result.state === "passed"),
  );
  const reasons = new Set(
    missing.map(([, { result }]) => (result.state === "missing" ? (result.reason ?? "") : (control ?? ""))),
  );
  const idle = attempts.flatMap(([, { result }]) => (result.reason === undefined ? [] : [result.reason]));
  return {
    kind,
    ...(route === undefined ? {} : { route: route.key }),
    state:
      broken > 0 ? "broken" : missing.length > 0 ? "not made" : made.length > 0 ? "held" : "not applicable",
    attempts: observations,
    held: control === undefined ? observations - broken : 0,
    broken,
    notMade: missing.length,
    reasons: [...(made.length > 0 || checks.length === 0 ? reasons : new Set(idle))].slice(0, maxReasons),
  };
}

/** Many checks go by some of the routes alone: on a route that one passes over it has seen nothing, and there was nothing to see. */
const applies = (route: ContractRoute | undefined, { state, reason }: Attempt["result"]): boolean =>
  state !== "not applicable" && !(route !== undefined && state === "missing" && reason === nothingSeen);
