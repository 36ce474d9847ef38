import { nothingSeen } from "../check.ts";
import { kinds } from "./kinds.ts";
import type { AttackCounts, AttackUnit, KindReport } from "./report.ts";

const maxReasons = 20;

/** Adds units up, by kind. */
export function kindReports(units: readonly AttackUnit[]): KindReport[] {
  return kinds.flatMap((kind) => {
    const own = units.filter((unit) => unit.kind === kind);
    if (own.length === 0) return [];
    const reasons = { reasons: reasonsOf(own), idleReasons: idleReasonsOf(own) };
    return [{ kind, ...countsOf(own), ...spokenBy(own), ...reasons }];
  });
}

/** Adds everything up. */
export const attackSummary = (units: readonly AttackUnit[]): AttackCounts => countsOf(units);

function countsOf(units: readonly AttackUnit[]): AttackCounts {
  const sum = (member: keyof AttackCounts): number => units.reduce((total, unit) => total + unit[member], 0);
  return {
    attacks: sum("attacks"),
    held: sum("held"),
    broken: sum("broken"),
    notMade: sum("notMade"),
    idle: sum("idle"),
    attempts: sum("attempts"),
    gotThrough: sum("gotThrough"),
  };
}

const spokenBy = (units: readonly AttackUnit[]): Pick<KindReport, "protocols"> => {
  const all = new Set(units.flatMap(({ protocols = [] }) => protocols));
  return all.size === 0 ? {} : { protocols: [...all].toSorted().toReversed() };
};

function reasonsOf(units: readonly AttackUnit[]): KindReport["reasons"] {
  return counted(
    units
      .filter((unit) => unit.notMade > 0)
      .flatMap(({ notMade, reasons, route = "" }) =>
        reasons.map((reason): Said => ({
          reason,
          onAnyRoute: onAnyRoute(reason, route),
          count: reasons.length === 1 ? notMade : 1,
        })),
      ),
  );
}

const idleReasonsOf = (units: readonly AttackUnit[]): KindReport["idleReasons"] =>
  counted(
    units.flatMap(({ route = "", idleBecause }) =>
      idleBecause.map(({ check, reason: said }): Said => {
        const reason = said === nothingSeen ? `"${check}" found nothing to look at` : said;
        return { reason, onAnyRoute: onAnyRoute(reason, route), count: 1 };
      }),
    ),
  );

/** The same reason on many routes is one. */
const onAnyRoute = (reason: string, route: string): string =>
  route === "" ? reason : reason.replaceAll(`${route}: `, "").replaceAll(route, "the route");

interface Said {
  readonly reason: string;
  /** The same without its route. */
  readonly onAnyRoute: string;
  readonly count: number;
}

/** What was said of one route alone names it: who reads that has something to go to. */
function counted(said: readonly Said[]): KindReport["reasons"] {
  const counts = new Map<string, { reason: string; count: number }>();
  for (const { reason, onAnyRoute: common, count } of said) {
    const known = counts.get(common);
    counts.set(common, {
      reason: known === undefined || known.reason === reason ? reason : common,
      count: (known?.count ?? 0) + count,
    });
  }
  return [...counts.values()].sort((left, right) => right.count - left.count).slice(0, maxReasons);
}
