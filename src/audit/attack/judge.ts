import type { ContractRoute } from "../../contract/index.ts";
import { nothingSeen } from "../check.ts";
import type { Attempt } from "../check.ts";
import { withoutWhatFollows } from "../plan/no-plan.ts";
import type { AttackUnit } from "./report.ts";
import { isControl } from "./units.ts";
import type { AttackCheck, Unit } from "./units.ts";

const maxReasons = 5;

/** What became of one attack. */
type Fate = "held" | "broken" | "not made" | "idle";

/** Draws a unit's state. An attack that was refused counts as held only where who is honest is served. */
export function judge(
  { kind, route }: Pick<Unit, "kind" | "route">,
  attempts: readonly (readonly [AttackCheck, Attempt])[],
  unserved: string | undefined,
): Omit<AttackUnit, "durationMs"> {
  const control = unserved ?? controlThatFailed(attempts);
  const attacks = attempts
    .filter(([{ check }]) => !isControl(check))
    .map(([, { result, broken }]) => ({ result, broken, fate: fateOf(route, result, control) }));
  const by = Map.groupBy(attacks, ({ fate }) => fate);
  const count = (fate: Fate): number => by.get(fate)?.length ?? 0;
  const sum = (count: (attack: (typeof attacks)[number]) => number): number =>
    attacks.reduce((total, attack) => total + (attack.fate === "idle" ? 0 : count(attack)), 0);
  const idle = (by.get("idle") ?? []).map(({ result: { name, reason = nothingSeen } }) => ({
    check: name,
    reason,
  }));
  // Where nobody is served that is why, in whichever words each check says that it met it.
  const missing = (by.get("not made") ?? []).map(
    ({ result }) => unserved ?? (result.state === "missing" ? result.reason : control) ?? "",
  );
  const reasons =
    idle.length === attacks.length ? idle.map(({ reason }) => reason) : missing.map(withoutWhatFollows);
  return {
    kind,
    ...(route === undefined ? {} : { route: route.key }),
    state: stateOf(count),
    attacks: attacks.length,
    held: count("held"),
    broken: count("broken"),
    notMade: count("not made"),
    idle: idle.length,
    attempts: sum(({ result }) => result.observations),
    gotThrough: sum(({ broken }) => broken),
    reasons: [...new Set(reasons)].slice(0, maxReasons),
    idleBecause: idle,
  };
}

/** Why refusals show nothing, by the honest requests among the checks themselves. */
const controlThatFailed = (attempts: readonly (readonly [AttackCheck, Attempt])[]): string | undefined =>
  attempts.flatMap(([{ check }, { result }]) =>
    isControl(check) && (result.state === "failed" || result.state === "missing")
      ? [
          `${result.name}: ${result.state === "failed" ? (result.evidence[0]?.about ?? "it is not so") : (result.reason ?? "")}`,
        ]
      : [],
  )[0];

/** Each attack has one: none falls between them, whatever its check ended as. */
function fateOf(
  route: ContractRoute | undefined,
  { state, reason }: Attempt["result"],
  control: string | undefined,
): Fate {
  switch (state) {
    case "failed":
      return "broken";
    case "passed":
      return control === undefined ? "held" : "not made";
    case "not applicable":
      return "idle";
    case "missing":
      // Many checks go by some of the routes alone: on a route that one passes over it has seen nothing, and there was nothing to see.
      return route !== undefined && reason === nothingSeen ? "idle" : "not made";
  }
}

function stateOf(count: (fate: Fate) => number): AttackUnit["state"] {
  if (count("broken") > 0) return "broken";
  if (count("not made") > 0) return "not made";
  return count("held") > 0 ? "held" : "not applicable";
}
