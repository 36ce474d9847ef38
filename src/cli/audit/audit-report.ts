import { styleText } from "node:util";
import {
  failureOf,
  findingPlace,
  isAllNotYet,
  isNotYet,
  reasonElsewhere,
  rowCounts,
} from "../../audit/index.ts";
import type { AuditCheck, AuditReport, AuditRow, Failure, Verdict } from "../../audit/index.ts";
import { clean, cut, evidenceLine, evidenceLines, reasonLines, wrap } from "./audit-evidence.ts";
import { mendLines } from "./audit-mends.ts";
import { todoLines } from "./audit-todo.ts";
import { counted } from "../../shared/index.ts";

/** Options of {@link renderReport}. */
export interface RenderReportOptions {
  /** Colours and bold type, for a terminal. Default false. */
  colour?: boolean;
  /** Columns. At least 40. Default 100. */
  width?: number;
  /** Every check with its evidence, not only what failed. Default false. */
  verbose?: boolean;
}

type Style = Parameters<typeof styleText>[0];

/** How a report is laid out. */
interface Page {
  paint(style: Style, text: string): string;
  columns: number;
  verbose: boolean;
}

const order: readonly Verdict[] = ["failed", "unknown", "attested", "evidenced", "proved"];
const signs: Record<Verdict, string> = {
  failed: "✗",
  unknown: "?",
  attested: "a",
  evidenced: "e",
  proved: "✓",
};
const styles: Record<Verdict, Style> = {
  failed: "red",
  unknown: "yellow",
  attested: "cyan",
  evidenced: "cyan",
  proved: "green",
};
const states: Record<AuditCheck["state"], { sign: string; style: Style }> = {
  failed: { sign: "✗", style: "red" },
  missing: { sign: "?", style: "yellow" },
  "not applicable": { sign: "–", style: "dim" },
  passed: { sign: "✓", style: "green" },
};
const wordsOfStates = { missing: "not made", "not applicable": "not applicable" } as const;
/** Of what failed so much stands without `verbose`: the rest is more of it. */
const maxFindings = 1;
/** So many failed checks of a row stand with their evidence. */
const maxFailed = 2;
const maxNames = 4;
/** Why stands once, at the top. */
const notReached = "The target was not reached";
/** Where a row's verdict stands. */
const indent = " ".repeat(9);

/**
 * Writes a report for people: one line a row, worst first, with the most telling evidence under what is proved; then what
 * failed, the first checks of each row with evidence and the command that shows it again; then what was not made, what to do next, and at the end the
 * sum. All text that came from the target is printable, whoever made the report.
 */
export function renderReport(
  report: AuditReport,
  { colour = false, width = 100, verbose = false }: RenderReportOptions = {},
): string {
  const page: Page = {
    paint: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
    columns: Math.max(40, width),
    verbose,
  };
  const rows = [...report.rows].sort(
    (left, right) => order.indexOf(left.verdict) - order.indexOf(right.verdict),
  );
  const sections = [
    heading(report, page),
    rows.flatMap((row) => rowLines(row, page)),
    ...rows.map((row) => findings(report, row, page)),
    mendLines(report, page),
    verbose ? [] : gaps(report, rows, page),
    weakenings(report, page),
    todoLines(report, page),
    verbose ? attempts(report).flatMap((line) => wrap(line, page.columns, "")) : [],
    conclusion(report, page),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function heading(
  { target, startedAt, durationMs, release, unreachable }: AuditReport,
  { paint, columns }: Page,
): string[] {
  const title = paint("bold", `Audit of ${clean(target)}`);
  const lines = [`${title}  ${clean(startedAt)}, ${(durationMs / 1000).toFixed(1)} s`];
  if (unreachable !== undefined)
    return [
      ...lines,
      ...reasonLines(`${notReached}: ${clean(unreachable)}`, columns, "").map((line) => paint("red", line)),
    ];
  if (release === undefined) return lines;
  const name = `Release ${clean(release.digest.slice(0, 12))}`;
  const count = `${release.compared} of ${counted(release.of, "file")} compared`;
  const why = clean(release.reason ?? "");
  if (release.served === "as built") return [...lines, `${name}, served as it was built: ${count}`];
  if (release.served === "unknown")
    return [...lines, paint("yellow", cut(`${name} of the folder; is it the one served? ${why}`, columns))];
  const warning = `What is served is not the folder's ${name.toLowerCase()}: ${why}. Start the stack again, or build what it serves.`;
  return [...lines, ...wrap(warning, columns, "").map((line) => paint("red", line))];
}

function rowLines(row: AuditRow, page: Page): string[] {
  const { paint, columns } = page;
  const verdict = isAllNotYet(row) ? "unknown (not yet)" : row.verdict;
  const head = paint(
    styles[row.verdict],
    `${signs[row.verdict]} ${clean(row.id).padEnd(6)} ${verdict.padEnd(19)}`,
  );
  const under = row.reason ?? (row.verdict === "proved" ? example(row, columns) : undefined);
  return [
    `${head} ${clean(row.title)}${paint("dim", countOf(row))}`,
    ...(under === undefined ? [] : [paint("dim", cut(`${indent}${clean(under)}`, columns))]),
  ];
}

function countOf(row: AuditRow): string {
  const observations = row.checks.reduce((sum, check) => sum + check.observations, 0);
  const seen = row.verdict === "proved" ? `, ${counted(observations, "observation")}` : "";
  return isAllNotYet(row) ? "" : `  ${rowCounts(row)}${seen}`;
}

/** What a row rests on, in a line: the first live check that proves it. */
function example({ checks }: AuditRow, columns: number): string | undefined {
  const proving = checks.filter(({ state, isSupporting }) => state === "passed" && isSupporting !== true);
  const first = proving.find(({ kind }) => kind === "live") ?? proving[0];
  const [evidence] = first?.evidence ?? [];
  return evidence === undefined ? undefined : evidenceLine(evidence, columns - indent.length);
}

/** The first checks of a row that failed, and the names of the others; with `verbose` all of them. */
function findings(report: AuditReport, row: AuditRow, page: Page): string[] {
  const { paint, verbose, columns } = page;
  const checks = row.checks.filter(({ state }) => verbose || state === "failed");
  if (checks.length === 0) return [];
  const style = styles[row.verdict];
  const shown = verbose ? checks : checks.slice(0, maxFailed);
  const names = checks.slice(shown.length).map(({ name }) => clean(name));
  const more = `and ${counted(names.length, "more check")} that failed: ${names.join("; ")}`;
  return [
    paint(["bold", ...[style].flat()] as Style, `${clean(row.id)} ${clean(row.title)}`),
    ...shown.flatMap((check) => checkLines(report, check, page)),
    ...(names.length === 0 ? [] : wrap(more, columns, "  ").map((line) => paint("dim", line))),
  ];
}

function checkLines(report: AuditReport, check: AuditCheck, { paint, columns, verbose }: Page): string[] {
  const { sign, style } = states[check.state];
  const state =
    check.state === "passed" || check.state === "failed" ? "" : ` (${wordsOfStates[check.state]})`;
  const failure = failureOf(check);
  const seen = failure?.evidence ?? check.evidence;
  const shown = verbose ? seen : seen.slice(0, maxFindings);
  return [
    `  ${paint(style, sign)} ${clean(check.name)}${paint("dim", `${state}${verbose && check.attack !== undefined ? `  attack: ${clean(check.attack)}` : ""}`)}`,
    ...(check.reason === undefined ? [] : reasonLines(clean(check.reason), columns, "    ")),
    ...shown.flatMap((evidence) => {
      const where = findingPlace(report, check, evidence);
      return [
        ...evidenceLines(evidence, columns),
        ...(where === undefined ? [] : [paint("dim", cut(`      ${clean(where)}`, columns))]),
      ];
    }),
    ...(failure === undefined ? countedLines(check) : restLines(failure, shown.length, verbose)).map((line) =>
      paint("dim", line),
    ),
    ...(check.state === "failed" || (verbose && check.state === "passed")
      ? [paint("cyan", `    $ ${clean(check.reproduce)}`)]
      : []),
  ];
}

/** Of what held evidence is kept of the first observations alone, in no form of the report of more. */
function countedLines({ state, observations, evidence }: AuditCheck): string[] {
  const more = observations - evidence.length;
  return state !== "passed" || more <= 0 || evidence.length === 0
    ? []
    : [`    and ${counted(more, "more observation")} that held: counted, no evidence kept`];
}

/** What failed too, and what held, in a line. */
function restLines({ broken, held = 0, evidence }: Failure, shown: number, verbose: boolean): string[] {
  const [more, unkept] = [broken - shown, broken - evidence.length];
  const kept = unkept > 0 ? ` (of ${verbose ? "these" : unkept} no evidence is kept)` : "";
  const help = !verbose && evidence.length > shown ? `: --verbose${kept}` : kept;
  const parts = [
    ...(more > 0 && shown > 0 ? [`and ${more} more${help}`] : []),
    ...(held > 0 ? [`and ${held} that held`] : []),
  ];
  return parts.length === 0 ? [] : [`    ${parts.join("; ")}`];
}

/** What keeps rows from being proved, each reason told once. */
function gaps(report: AuditReport, rows: readonly AuditRow[], { paint, columns }: Page): string[] {
  const missing = rows.flatMap((row) =>
    row.checks.filter(({ state }) => state === "missing").map((check) => ({ row, check })),
  );
  const section = (heading: string, found: typeof missing): string[] =>
    found.length === 0
      ? []
      : [
          paint(["bold", "yellow"], heading),
          ...[...Map.groupBy(found, ({ check }) => check.reason ?? "")].flatMap(([reason, alike]) =>
            reasonLines(
              `${whatMisses(alike)}: ${reason === report.unreachable ? notReached : clean(reasonElsewhere(report, reason))}`,
              columns,
              "  ",
            ),
          ),
        ];
  return [
    ...section(
      "Not made",
      missing.filter(({ check }) => !isNotYet(check)),
    ),
    ...section(
      "Not made yet: a later version brings these checks",
      missing.filter(({ check }) => isNotYet(check)),
    ),
  ];
}

function whatMisses(found: readonly { row: AuditRow; check: AuditCheck }[]): string {
  const byRow = [...Map.groupBy(found, ({ row }) => row)];
  const [only] = byRow;
  if (only !== undefined && byRow.length === 1) return `${clean(only[0].id)}: ${namesOf(only[1], only[0])}`;
  return byRow
    .map(([row, checks]) => {
      const part = checks.length === row.of ? "" : ` (${checks.length} of ${counted(row.of, "check")})`;
      return `${clean(row.id)}${part}`;
    })
    .join(", ");
}

function namesOf(found: readonly { check: AuditCheck }[], row: AuditRow): string {
  if (found.length === row.of && found.length > 1)
    return found.length === 2 ? "both checks" : `all ${found.length} checks`;
  const names = found.slice(0, maxNames).map(({ check }) => clean(check.name));
  return `${names.join(", ")}${found.length > maxNames ? ` and ${found.length - maxNames} more` : ""}`;
}

function weakenings({ weakenings: list }: AuditReport, { paint, columns }: Page): string[] {
  if (list.length === 0) return [];
  return [
    paint("bold", "Weakened by the contract"),
    ...list.flatMap(({ at, reason }) => wrap(`${clean(at)}: ${clean(reason)}`, columns, "  ")),
  ];
}

/** What was tried, by kind of attack. */
function attempts({ attacks = {} }: AuditReport): string[] {
  const made = Object.entries(attacks).map(([kind, count]) => `${clean(kind)} ${count}`);
  return made.length === 0 ? [] : [`Attempts to break a promise: ${made.join(", ")}`];
}

/** Where the end is, so that whoever sees nothing else knows how it came out, and how to see the rest. */
function conclusion({ rows, summary }: AuditReport, { paint, verbose }: Page): string[] {
  const counts = order
    .filter((verdict) => summary[verdict] > 0)
    .map((verdict) => paint(styles[verdict], `${summary[verdict]} ${verdict}`));
  const failed = rows.filter(({ verdict }) => verdict === "failed").map(({ id }) => clean(id));
  const which = failed.length === 0 ? "" : `  (failed: ${failed.join(", ")})`;
  const more =
    "All of it, each check with its evidence and its command: --verbose here, --html file as a page, --json for programs";
  return [
    `Of ${counted(rows.length, "item")}: ${counts.join(", ")}${which}`,
    ...(verbose ? [] : [paint("dim", more)]),
  ];
}
