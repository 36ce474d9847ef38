import { kinds } from "./kinds.ts";
import type { AttackReport, AttackUnit, KindReport } from "./report.ts";

const maxReasons = 20;

/** Adds units up, by kind. */
export function kindReports(units: readonly AttackUnit[]): KindReport[] {
  return kinds.flatMap((kind) => {
    const own = units.filter((unit) => unit.kind === kind && unit.state !== "not applicable");
    return own.length === 0 ? [] : [{ kind, ...countsOf(own), ...spokenBy(own), reasons: reasonsOf(own) }];
  });
}

/** Adds everything up. */
export const attackSummary = (units: readonly AttackUnit[]): AttackReport["summary"] => countsOf(units);

function countsOf(units: readonly AttackUnit[]): AttackReport["summary"] {
  const sum = (member: "attempts" | "held" | "broken" | "notMade"): number =>
    units.reduce((total, unit) => total + unit[member], 0);
  return { attempts: sum("attempts"), held: sum("held"), broken: sum("broken"), notMade: sum("notMade") };
}

const spokenBy = (units: readonly AttackUnit[]): Pick<KindReport, "protocols"> => {
  const all = new Set(units.flatMap(({ protocols = [] }) => protocols));
  return all.size === 0 ? {} : { protocols: [...all].toSorted().toReversed() };
};

function reasonsOf(units: readonly AttackUnit[]): KindReport["reasons"] {
  const counts = new Map<string, number>();
  for (const { notMade, reasons, route } of units.filter((unit) => unit.notMade > 0))
    for (const reason of reasons) {
      // The same reason on many routes is one.
      const said = route === undefined ? reason : reason.replaceAll(`${route}: `, "");
      counts.set(said, (counts.get(said) ?? 0) + (reasons.length === 1 ? notMade : 1));
    }
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .sort((left, right) => right.count - left.count)
    .slice(0, maxReasons);
}
