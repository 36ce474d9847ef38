import { styleText } from "node:util";
import { attackKinds, kinds as allKinds } from "../../audit/index.ts";
import type { AttackReport, AttackUnit, KindReport } from "../../audit/index.ts";
import { brokenPromises } from "./attack-broken.ts";
import type { Page } from "./attack-broken.ts";
import { clean, cut, reasonLines, wrap } from "./audit-evidence.ts";
import { counted } from "../../shared/index.ts";

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
/** What the table counts: of each kind all attacks, then those by what became of them. */
const columnsOfTable = [
  ["attacks", "attacks"],
  ["held", "held"],
  ["broken", "broken"],
  ["not made", "notMade"],
  ["nothing", "idle"],
] as const;
/** Between columns, and the least that a column is wide. */
const gap = 2;
const numberWidth = 5;

const signs: Record<AttackUnit["state"], [string, Style]> = {
  held: ["✓", "green"],
  broken: ["✗", "red"],
  "not made": ["?", "yellow"],
  "not applicable": ["–", "dim"],
};

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
  const inColumn = (text: string, name: string): string =>
    text.padStart(Math.max(name.length, numberWidth) + gap);
  const head = columnsOfTable.map(([name]) => inColumn(name, name)).join("");
  return [
    paint("dim", `  ${"".padEnd(nameWidth)}${head}`),
    ...kinds.map((row) => {
      const [sign, style] = signOf(row);
      const numbers = columnsOfTable.map(([name, count]) => inColumn(String(row[count]), name)).join("");
      const tries = columns > 90 ? paint("dim", `  ${attackKinds[row.kind]}`) : "";
      return `${paint(style, `${sign} ${row.kind.padEnd(nameWidth)}`)}${numbers}${tries}`;
    }),
    paint(
      "dim",
      "An attack is one check on one route, or on the site: it held, broke a promise, was not made, or had",
    ),
    paint("dim", "nothing there to attack."),
  ];
}

function signOf({ broken, held, notMade, idle, attacks }: KindReport): [string, Style] {
  if (broken > 0) return ["✗", "red"];
  if (idle === attacks) return signs["not applicable"];
  return held === 0 || notMade > 0 ? ["?", "yellow"] : ["✓", "green"];
}

function each({ units }: AttackReport, { paint, columns }: Page): string[] {
  const width = Math.max(columns, 100) + 60;
  return units.flatMap((unit) => {
    const { kind, route, state, attacks, attempts, gotThrough, idle, reasons } = unit;
    const [sign, style] = signs[state];
    const tried =
      gotThrough > 0
        ? `${gotThrough} of ${counted(attempts, "attempt")} got through`
        : counted(attempts, "attempt");
    const why = reasons.length === 0 || idle === attacks ? "" : `; ${clean(reasons.join("; "))}`;
    return [
      cut(
        `${paint(style, `${sign} ${kind.padEnd(nameWidth)}`)}${clean(route ?? "site")}  ${counted(attacks, "attack")}, ${tried}${why}`,
        width,
      ),
      ...unit.idleBecause.map(({ check, reason }) =>
        paint("dim", cut(`    nothing to attack: ${clean(check)}: ${clean(reason)}`, width)),
      ),
    ];
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
  const sorted = byReason(found, "reasons").filter(([reason]) => reason !== ended?.says);
  const early = endedEarly(found, report);
  if (sorted.length + early.length === 0) return [];
  return [
    paint(["bold", "yellow"], "Not made"),
    ...early,
    ...untriedRoutes(report, columns),
    ...reasonsOf(sorted.slice(0, maxReasons), columns),
    ...moreThan(sorted.length - maxReasons),
  ];
}

/** Routes of which no attack shows anything: their promises are as unknown as if nobody had asked. */
function untriedRoutes({ units, ended }: AttackReport, columns: number): string[] {
  if (ended !== undefined) return [];
  const names = [...Map.groupBy(units, ({ route }) => route)].flatMap(([route, own]) => {
    const counts = (member: "held" | "broken" | "notMade"): number =>
      own.reduce((sum, unit) => sum + unit[member], 0);
    return route !== undefined && counts("held") + counts("broken") === 0 && counts("notMade") > 0
      ? [`${clean(route)} (${counted(counts("notMade"), "attack")})`]
      : [];
  });
  return names.length === 0
    ? []
    : wrap(`None of their promises was tried: ${names.join(", ")}`, columns, "  ");
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
      `look at ${clean(route)}: the plan says whose each object there is, and the contract lets ${accessWords(access)} have all of them (access: ${clean(access)}). If each is its owner's alone, the contract has to say so, with owner(…) or ownerField(…): then it is attacked as such`,
      columns,
      "",
    ).map((line) => paint("yellow", line)),
  );
}

const accessWords = (access: string): string =>
  access.includes("everyone") ? "everybody" : "everybody who is signed in";

/** Attacks that found nothing there, and kinds that the contract gives no occasion for. */
function nothingToAttack({ kinds, idle = [] }: AttackReport, { paint, columns }: Page): string[] {
  const none = allKinds.filter((kind) => idle.includes(kind) && !kinds.some((row) => row.kind === kind));
  const found = byReason(kinds, "idleReasons");
  const lines = [
    ...reasonsOf(found.slice(0, maxReasons), columns),
    ...moreThan(found.length - maxReasons),
    ...(none.length === 0 ? [] : [`  ${none.join(", ")}: the contract gives no occasion`]),
  ];
  return lines.length === 0 ? [] : ["Nothing to attack", ...lines].map((line) => paint("dim", line));
}

type Reasons = readonly [reason: string, list: readonly { kind: string; count: number }[]][];

/** The same reason of several kinds is one; the most frequent stands first. */
const byReason = (kinds: readonly KindReport[], member: "reasons" | "idleReasons"): Reasons =>
  [
    ...Map.groupBy(
      kinds.flatMap((row) => row[member].map(({ reason, count }) => ({ kind: row.kind, reason, count }))),
      ({ reason }) => reason,
    ),
  ].toSorted(([, left], [, right]) => total(right) - total(left));

const reasonsOf = (found: Reasons, columns: number): string[] =>
  found.flatMap(([reason, list]) => {
    const names = [...new Set(list.map(({ kind }) => kind))].join(", ");
    return wrap(`${names} (${total(list)}): ${clean(reason)}`, columns, "  ");
  });

const moreThan = (more: number): string[] =>
  more > 0 ? [`  and ${counted(more, "more reason")}: --verbose`] : [];

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
  const { attacks, attempts, gotThrough, held, broken, notMade: gaps, idle } = summary;
  const named = (member: "notMade" | "idle"): string =>
    kinds.flatMap((row) => (row[member] > 0 ? [row.kind] : [])).join(", ");
  const notMade =
    gaps === 0 ? "" : `; ${counted(gaps, "attack was", "attacks were")} not made (${named("notMade")})`;
  const others = [
    idle === 0 ? "" : `; ${counted(idle, "attack")} had nothing there to attack (${named("idle")})`,
    ended === undefined || ended.because === "target gone" ? "" : `; ${clean(ended.says)}`,
  ].join("");
  if (broken > 0)
    return `${broken} of ${counted(attacks, "attack")} broke a promise, ${gotThrough} of ${counted(attempts, "attempt")} got through${notMade}${others}.`;
  if (held === 0) return `Nothing could be attacked${others}.`;
  const made = `${counted(held, "attack")}, ${counted(attempts, "attempt")}`;
  return `${gaps === 0 ? "Every promise held" : "Every promise that was attacked held"}: ${made}${notMade}${others}.`;
}
