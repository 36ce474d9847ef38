import type { styleText } from "node:util";
import { explainBroken } from "../../audit/index.ts";
import type { AttackReport, BrokenPromise } from "../../audit/index.ts";
import { clean, cut, wrap } from "./audit-evidence.ts";
import { counted } from "../../shared/index.ts";

/** How a report is laid out. */
export interface Page {
  paint(style: Parameters<typeof styleText>[0], text: string): string;
  columns: number;
}

/** What a target breaks in one way, on one route or on many. */
interface Cause {
  shown: BrokenPromise;
  /** Where else it was seen. */
  others: number;
}

const maxShown = 20;
const maxRoutes = 30;

/**
 * Shows how promises were broken: of each kind one example before the second of any, in the order of kinds, and one of each cause. Where it
 * was seen says the table after them.
 */
export function brokenPromises({ broken, units }: AttackReport, { paint, columns }: Page): string[] {
  const causes = causesOf(broken);
  const shown = inTurns(causes).slice(0, maxShown);
  return [
    paint(["bold", "red"], "Broken promises"),
    ...causes
      .filter((cause) => shown.includes(cause))
      .flatMap(({ shown: found, others }) => {
        const [first = "", ...rest] = explainBroken(found);
        return [
          "",
          paint("red", `✗ ${first}`),
          ...rest.map((line) =>
            line.startsWith("  again") ? paint("cyan", line) : cut(line, Math.max(columns, 120)),
          ),
          ...(others === 0 ? [] : [`  and        on ${counted(others, "more route")}`]),
        ];
      }),
    ...(causes.length > shown.length
      ? [
          "",
          `${counted(causes.length - shown.length, "more check")} found something: --kind and --route look at one.`,
        ]
      : []),
    "",
    paint("bold", "Where: attempts that got through"),
    ...whereBroken(units, columns),
  ];
}

/** Of each check one, and of checks of a kind that say the same, one. */
function causesOf(broken: AttackReport["broken"]): Cause[] {
  const byCheck = Map.groupBy(broken, ({ kind, check }) => JSON.stringify([kind, check])).values();
  const bySaying = Map.groupBy(byCheck, ([first]) =>
    JSON.stringify([first?.kind, first === undefined ? "" : saying(first)]),
  );
  return [...bySaying.values()].flatMap((lists) => {
    const all = lists.flat();
    const [shown] = all;
    return shown === undefined ? [] : [{ shown, others: new Set(all.map(({ route }) => route)).size - 1 }];
  });
}

/** What was seen, wherever it was. */
const saying = ({ evidence, route }: BrokenPromise): string =>
  route === undefined ? evidence.about : evidence.about.replaceAll(route, "");

/** The first of each kind, then the second of each. */
function inTurns(causes: readonly Cause[]): Cause[] {
  const kinds = [...Map.groupBy(causes, ({ shown }) => shown.kind).values()];
  const most = Math.max(0, ...kinds.map(({ length }) => length));
  return Array.from({ length: most }, (_, turn) =>
    kinds.flatMap((list) => list.slice(turn, turn + 1)),
  ).flat();
}

/** For each route how many attempts got through, by kind. */
function whereBroken(units: AttackReport["units"], columns: number): string[] {
  const routes = [
    ...Map.groupBy(
      units.filter(({ gotThrough }) => gotThrough > 0),
      ({ route }) => route ?? "site",
    ),
  ]
    .map(([route, list]) => ({
      route,
      count: list.reduce((sum, unit) => sum + unit.gotThrough, 0),
      kinds: list.map(({ kind, gotThrough }) => `${kind} ${gotThrough}`).join(", "),
    }))
    .toSorted((left, right) => right.count - left.count);
  const more = routes.length - maxRoutes;
  return [
    ...routes
      .slice(0, maxRoutes)
      .flatMap(({ route, count, kinds }) =>
        wrap(`${String(count).padStart(5)}  ${clean(route)}: ${kinds}`, columns, "  "),
      ),
    ...(more > 0 ? [`  and ${counted(more, "more route")}`] : []),
  ];
}
