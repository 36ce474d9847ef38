import { styleText } from "node:util";
import { attackKinds, kinds as allKinds } from "../audit/index.ts";
import type { AttackReport, KindReport } from "../audit/index.ts";
import { brokenPromises } from "./attack-broken.ts";
import type { Page } from "./attack-broken.ts";
import { clean, cut, reasonLines, wrap } from "./audit-evidence.ts";
import { counted } from "../shared/index.ts";

/** Options of {@link renderAttack}. */
export interface RenderAttackOptions {
  /** Colours, for a terminal. Default false. */
  colour?: boolean;
  /** Columns. At least 40. Default 100. */
  width?: number;
  /** Every route with each kind, not only the kinds. Default false. */
  verbose?: boolean;
}

type Style = Parameters<typeof styleText>[0];

const maxReasons = 6;
const nameWidth = 11;
const numberWidth = 9;

/** Writes what an attack found for people: a line for each kind, then what got through, then what was not tried. */
export function renderAttack(
  report: AttackReport,
  { colour = false, width = 100, verbose = false }: RenderAttackOptions = {},
): string {
  const page: Page = {
    paint: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
    columns: Math.max(40, width),
  };
  const sections = [
    heading(report, page),
    table(report, page),
    verbose ? each(report, page) : [],
    spoken(report, page),
    gotThrough(report, page),
    notMade(report, page),
    leftOut(report, page),
    unprotected(report, page),
    nothingToAttack(report, page),
    remains(report, page),
    [conclusion(report)],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function heading({ target, startedAt, durationMs, ended }: AttackReport, { paint, columns }: Page): string[] {
  const lines = [
    `${paint("bold", `Attack on ${clean(target)}`)}  ${clean(startedAt)}, ${(durationMs / 1000).toFixed(1)} s`,
  ];
  return ended === undefined
    ? lines
    : [
        ...lines,
        ...reasonLines(`It ended early: ${clean(ended.says)}${helpOf(ended)}`, columns, "").map((line) =>
          paint("yellow", line),
        ),
      ];
}

/** What helps; a command stands behind two spaces. */
function helpOf({ says, longer, start }: NonNullable<AttackReport["ended"]>): string {
  if (longer !== undefined) return `; --budget ${longer} gives it longer.`;
  if (start !== undefined) return `; start it again with  ${clean(start)}`;
  return says.includes("  ") ? "" : ".";
}

function table({ kinds, summary }: AttackReport, { paint, columns }: Page): string[] {
  if (summary.attempts === 0) return [];
  const head = ["attempts", "held", "broken", "not made"].map((name) => name.padStart(numberWidth)).join("");
  return [
    paint("dim", `  ${"".padEnd(nameWidth)}${head}`),
    ...kinds.map((row) => {
      const [sign, style] = signOf(row);
      const numbers = [row.attempts, row.held, row.broken, row.notMade]
        .map((count) => String(count).padStart(numberWidth))
        .join("");
      const tries = columns > 90 ? paint("dim", `  ${attackKinds[row.kind]}`) : "";
      return `${paint(style, `${sign} ${row.kind.padEnd(nameWidth)}`)}${numbers}${tries}`;
    }),
  ];
}

function signOf({ broken, held, notMade }: KindReport): [string, Style] {
  if (broken > 0) return ["✗", "red"];
  return held === 0 || notMade > 0 ? ["?", "yellow"] : ["✓", "green"];
}

const signs = {
  held: ["✓", "green"],
  broken: ["✗", "red"],
  "not made": ["?", "yellow"],
  "not applicable": ["–", "dim"],
} as const;

function each({ units }: AttackReport, { paint, columns }: Page): string[] {
  return units.map(({ kind, route, state, attempts, broken, reasons }) => {
    const [sign, style] = signs[state];
    const counts = broken > 0 ? `${broken} of ${attempts} got through` : `${attempts} attempts`;
    const why = reasons.length === 0 ? "" : `; ${clean(reasons.join("; "))}`;
    return cut(
      `${paint(style, `${sign} ${kind.padEnd(nameWidth)}`)}${clean(route ?? "site")}  ${counts}${why}`,
      Math.max(columns, 100) + 60,
    );
  });
}

/** Over which protocols it was asked: what was tried over one alone says nothing of the other. */
function spoken({ kinds }: AttackReport, { paint, columns }: Page): string[] {
  const over = (name: "h2" | "http/1.1"): string[] =>
    kinds.flatMap(({ kind, protocols = [] }) =>
      protocols.length === 1 && protocols[0] === name ? [kind] : [],
    );
  const [both, first, second] = [
    kinds.some(({ protocols = [] }) => protocols.length > 1),
    over("http/1.1"),
    over("h2"),
  ];
  if (!both && first.length + second.length === 0) return [];
  const alone = (name: string, list: string[]): string[] =>
    list.length === 0 ? [] : [both ? `over ${name} alone: ${list.join(", ")}` : `over ${name} alone`];
  const parts = [
    ...(both ? ["over HTTP/1.1 and HTTP/2"] : []),
    ...alone("HTTP/1.1", first),
    ...alone("HTTP/2", second),
  ];
  return wrap(`Asked ${parts.join("; ")}.`, columns, "").map((line) => paint("dim", line));
}

function gotThrough(report: AttackReport, page: Page): string[] {
  return report.broken.length === 0 ? [] : brokenPromises(report, page);
}

function notMade(report: AttackReport, { paint, columns }: Page): string[] {
  const { kinds, ended } = report;
  const found = kinds.filter((row) => row.notMade > 0);
  if (found.length === 0) return [];
  const byReason = Map.groupBy(
    found.flatMap(({ kind, reasons }) => reasons.map(({ reason, count }) => ({ kind, reason, count }))),
    ({ reason }) => reason,
  );
  const sorted = [...byReason]
    .filter(([reason]) => reason !== ended?.says)
    .toSorted(([, left], [, right]) => total(right) - total(left));
  const more = sorted.length - maxReasons;
  const early = endedEarly(found, report);
  if (sorted.length + early.length === 0) return [];
  return [
    paint(["bold", "yellow"], "Not made"),
    ...early,
    ...sorted.slice(0, maxReasons).flatMap(([reason, list]) => {
      const names = [...new Set(list.map(({ kind }) => kind))].join(", ");
      return wrap(`${names} (${total(list)}): ${clean(reason)}`, columns, "  ");
    }),
    ...(more > 0 ? [`  and ${counted(more, "more reason")}: --verbose`] : []),
  ];
}

const whyEarly = { interrupted: "interrupted", budget: "no time left", "target gone": "the stack was gone" };

/** What was not reached, of all kinds together: the other reasons would seem to be all there is. */
function endedEarly(found: readonly KindReport[], { ended, summary }: AttackReport): string[] {
  if (ended === undefined) return [];
  const count = total(found.flatMap(({ reasons }) => reasons.filter(({ reason }) => reason === ended.says)));
  if (count === 0) return [];
  const wasThere = summary.attempts > 0;
  const why =
    ended.because === "target gone" && !wasThere ? "the stack was not reached" : whyEarly[ended.because];
  return [`  ${why}: ${count}`];
}

const total = (list: readonly { count: number }[]): number => list.reduce((sum, { count }) => sum + count, 0);

function leftOut({ leftOut: list }: AttackReport, { paint, columns }: Page): string[] {
  if (list.length === 0) return [];
  return [
    paint("bold", "Left out"),
    ...list.flatMap(({ kind, check, lacks }) =>
      wrap(`${kind}: ${clean(check)}: ${clean(lacks)}`, columns, "  "),
    ),
  ];
}

/** Where the plan says whose something is, and the contract lets everybody have it. */
function unprotected({ opened = [] }: AttackReport, { paint, columns }: Page): string[] {
  return opened.flatMap(({ route, access }) =>
    wrap(
      `objects: ${clean(route)} says ${clean(access)}, so nobody's object there is protected; the plan names owners on it`,
      columns,
      "",
    ).map((line) => paint("yellow", line)),
  );
}

/** Kinds of attack that the contract gives no occasion for; only where all were asked for. */
function nothingToAttack({ kinds, idle = [] }: AttackReport, { paint }: Page): string[] {
  const none = allKinds.filter((kind) => idle.includes(kind) && !kinds.some((row) => row.kind === kind));
  return none.length === 0 ? [] : [paint("dim", `Nothing to attack: ${none.join(", ")}`)];
}

function remains({ left, cleanUpFailed }: AttackReport, { paint, columns }: Page): string[] {
  const lines =
    cleanUpFailed === undefined
      ? []
      : wrap(`The plan's cleanUp failed: ${clean(cleanUpFailed)}`, columns, "").map((line) =>
          paint("yellow", line),
        );
  const routes = Object.entries(left);
  if (routes.length === 0) return lines;
  const list = routes.map(([route, count]) => `${clean(route)} (${count})`).join(", ");
  const help = cleanUpFailed === undefined ? " Give the plan a cleanUp that takes it away." : "";
  return [...lines, ...wrap(`What honest requests made is still there: ${list}.${help}`, columns, "")];
}

function conclusion({ summary, kinds, ended }: AttackReport): string {
  const { attempts, held, broken, notMade: gaps } = summary;
  const open = kinds.filter((row) => row.notMade > 0).map(({ kind }) => kind);
  const told =
    gaps === 0 ? "" : `; ${counted(gaps, "attack was", "attacks were")} not made (${open.join(", ")})`;
  const early = ended === undefined || ended.because === "target gone" ? "" : `; ${clean(ended.says)}`;
  if (broken > 0) return `${broken} of ${attempts} attempts got through${told}${early}.`;
  if (held === 0) return `Nothing could be attacked${early}.`;
  return `${gaps === 0 ? "Every promise held" : "Every promise that was attacked held"}: ${held} attempts${told}${early}.`;
}
