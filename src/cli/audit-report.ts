import { styleText } from "node:util";
import { printable } from "../audit/index.ts";
import type { AuditCheck, AuditReport, AuditRow, Evidence, Verdict } from "../audit/index.ts";

/** Options of {@link renderReport}. */
export interface RenderReportOptions {
  /** Colours and bold type, for a terminal. Default false. */
  colour?: boolean;
  /** Columns. At least 40. Default 100. */
  width?: number;
}

type Style = Parameters<typeof styleText>[0];

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
const maxFindings = 6;
const maxNames = 4;

/**
 * Writes a report for people: one line a row, worst first, then what failed, with its evidence and the command that shows it
 * again, then what could not be checked. All text that came from the target is printable, whoever made the report.
 */
export function renderReport(
  report: AuditReport,
  { colour = false, width = 100 }: RenderReportOptions = {},
): string {
  const paint = (style: Style, text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const columns = Math.max(40, width);
  const rows = [...report.rows].sort(
    (left, right) => order.indexOf(left.verdict) - order.indexOf(right.verdict),
  );
  const sections = [
    [
      `${paint("bold", `Audit of ${clean(report.target)}`)}  ${clean(report.startedAt)}, ${(report.durationMs / 1000).toFixed(1)} s`,
    ],
    rows.map((row) => rowLine(row, paint)),
    ...rows.filter((row) => row.verdict === "failed").map((row) => findings(row, columns, paint)),
    gaps(rows, columns, paint),
    weakenings(report, columns, paint),
    [summaryLine(report, paint)],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

type Paint = (style: Style, text: string) => string;

const clean = (text: string): string => printable(text, 2000);

function rowLine(row: AuditRow, paint: Paint): string {
  const verdict = row.verdict === "unknown" ? `unknown (${row.ran} of ${row.of})` : row.verdict;
  const count =
    row.verdict === "unknown" ? "" : `  ${row.ran} of ${row.of} checks, ${observations(row)} observations`;
  return `${paint(styles[row.verdict], `${signs[row.verdict]} ${clean(row.id).padEnd(6)} ${verdict.padEnd(19)}`)} ${clean(row.title)}${paint("dim", count)}`;
}

const observations = (row: AuditRow): number =>
  row.checks.reduce((sum, check) => sum + check.observations, 0);

function findings(row: AuditRow, columns: number, paint: Paint): string[] {
  const lines = [paint(["bold", "red"], `${clean(row.id)} ${clean(row.title)}`)];
  for (const check of row.checks.filter(({ verdict }) => verdict === "failed")) {
    lines.push(`  ${clean(check.name)}`);
    for (const evidence of check.evidence.slice(0, maxFindings))
      lines.push(...evidenceLines(evidence, columns));
    lines.push(paint("cyan", `    $ ${clean(check.reproduce)}`));
  }
  return lines;
}

function evidenceLines(evidence: Evidence, columns: number): string[] {
  const about = wrap(clean(evidence.about), columns, "    ");
  switch (evidence.kind) {
    case "exchange": {
      const { request, response } = evidence;
      const sent = `${clean(request.method)} ${clean(request.url)} (${clean(request.protocol)})`;
      const body = response.body === "" ? "" : `: ${clean(response.body)}`;
      return [...about, cut(`      > ${sent}`, columns), cut(`      < ${response.status}${body}`, columns)];
    }
    case "file":
      return [
        ...about,
        cut(
          `      ${clean(evidence.file)}${evidence.line === undefined ? "" : `:${evidence.line}`} ${clean(evidence.excerpt ?? evidence.sha256 ?? "")}`,
          columns,
        ),
      ];
    case "measurement":
      return [...about, cut(`      ${clean(String(evidence.value))} ${clean(evidence.unit ?? "")}`, columns)];
    case "command":
      return [
        ...about,
        cut(`      $ ${clean(evidence.command)} → ${evidence.exitCode} ${clean(evidence.output)}`, columns),
      ];
    case "contract":
      return [...about, cut(`      ${clean(evidence.at)}`, columns)];
  }
}

/** What keeps rows from being proved, the same reason told once. */
function gaps(rows: readonly AuditRow[], columns: number, paint: Paint): string[] {
  const lines = rows.flatMap((row) => {
    const reasons = Map.groupBy(
      row.checks.filter((check) => check.verdict === "missing"),
      (check: AuditCheck) => check.missing ?? "",
    );
    return [...reasons].flatMap(([reason, checks]) =>
      wrap(`${clean(row.id)}: ${namesOf(checks, row)}: ${clean(reason)}`, columns, "  "),
    );
  });
  return lines.length === 0 ? [] : [paint(["bold", "yellow"], "Not checked"), ...lines];
}

function namesOf(checks: readonly AuditCheck[], row: AuditRow): string {
  if (checks.length === row.of && checks.length > 1) return `all ${checks.length} checks`;
  const names = checks.slice(0, maxNames).map((check) => clean(check.name));
  return checks.length > maxNames
    ? `${names.join(", ")} and ${checks.length - maxNames} more`
    : names.join(", ");
}

function weakenings({ weakenings: list }: AuditReport, columns: number, paint: Paint): string[] {
  if (list.length === 0) return [];
  return [
    paint("bold", "Weakened by the contract"),
    ...list.flatMap(({ at, reason }) => wrap(`${clean(at)}: ${clean(reason)}`, columns, "  ")),
  ];
}

function summaryLine({ summary }: AuditReport, paint: Paint): string {
  return order
    .filter((verdict) => summary[verdict] > 0)
    .map((verdict) => paint(styles[verdict], `${summary[verdict]} ${verdict}`))
    .join(", ");
}

const cut = (line: string, columns: number): string =>
  line.length <= columns ? line.trimEnd() : `${line.slice(0, columns - 1)}…`;

/** Breaks a text at spaces; what follows the first line stands two columns further in. */
function wrap(text: string, columns: number, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.trim() !== "" && line.length + word.length > columns) {
      lines.push(line.trimEnd());
      line = `${indent}  `;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
