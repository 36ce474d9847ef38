import { drawVerdict, summarise } from "../report.ts";
import type { AuditCheck, AuditReport, AuditRow } from "../report.ts";
import { notLookedAt, provenRows, subjectsOf } from "./statement.ts";
import type { ProofStatement } from "./statement.ts";

/** What the statement says, drawn again from the report: verdicts from checks, and the hash of each piece of evidence. */
export async function reportProblems(
  { subject, predicate }: ProofStatement,
  report: AuditReport,
): Promise<string[]> {
  const { rows, summary, notLookedAt: gaps, target, auditedAt, served, tool } = predicate;
  const told = { subject, summary, gaps, target, auditedAt, served, tool };
  const drawn = {
    subject: subjectsOf(report),
    summary: summarise(report.rows),
    gaps: notLookedAt(report),
    target: report.target,
    auditedAt: report.startedAt,
    served: report.release?.served ?? "no release",
    tool: report.tool ?? "unknown",
  };
  const names = {
    subject: "what it is about",
    summary: "the number of verdicts",
    gaps: "what was not looked at",
    target: "the target",
    auditedAt: "the time of the audit",
    served: "what was served",
    tool: "the tool",
  };
  return [
    ...(Object.keys(names) as (keyof typeof names)[])
      .filter((name) => !isSame(told[name], drawn[name]))
      .map((name) => `${names[name]} is not as the report has it`),
    ...rowProblems(rows, await provenRows(report)),
    ...(isSame(report.summary, drawn.summary)
      ? []
      : ["the report's own number of verdicts is not that of its rows"]),
    ...report.rows.flatMap(verdictProblems),
  ];
}

/** What a row says of itself that does not follow from its checks. */
function verdictProblems({ id, verdict, checks, ran, of, failed, notApplicable }: AuditRow): string[] {
  const { verdict: follows, reason: _, ...counts } = drawVerdict(checks);
  // Records and statements of people are no checks: those two verdicts come from elsewhere. None of them undoes a check that failed.
  const isDrawn = follows === "failed" || (verdict !== "evidenced" && verdict !== "attested");
  return [
    ...(isDrawn && follows !== verdict
      ? [`${id} is said to be ${verdict}, and its checks say ${follows}`]
      : []),
    ...(isSame({ ran, of, failed, notApplicable }, counts)
      ? []
      : [`${id} counts its checks otherwise than they are`]),
    ...checks
      .filter(isBare)
      .map(({ name, state }) => `${id}, ${name}: it ${state}, and there is no evidence of it`),
  ];
}

/** Whatever a check sees, the first of it is kept. */
const isBare = ({ state, observations, evidence }: AuditCheck): boolean =>
  (state === "passed" || state === "failed") && (observations === 0 || evidence.length === 0);

type Rows = ProofStatement["predicate"]["rows"];

function rowProblems(told: Rows, drawn: Rows): string[] {
  const [ones, others] = [told, drawn].map((rows) => new Map(rows.map((row) => [row.id, row])));
  const repeated = new Set([...repeatedIds(told), ...repeatedIds(drawn)]);
  return [...new Set([...told, ...drawn].map(({ id }) => id))].flatMap((id) => {
    // Of two with one name only one would be compared, and a reader might see the other.
    if (repeated.has(id)) return [`${id} stands there more than once`];
    const one = ones?.get(id);
    const other = others?.get(id);
    if (one === undefined || other === undefined)
      return [`${id} is in the ${one === undefined ? "report" : "statement"} only`];
    if (isSame(one, other)) return [];
    const checks = one.checks.filter((check, index) => !isSame(check, other.checks[index]));
    return checks.length === 0
      ? [`${id} is not as the report has it`]
      : checks.map(({ name }) => `${id}, ${name}: its evidence or its end is not what was signed`);
  });
}

function repeatedIds(rows: Rows): string[] {
  const seen = new Set<string>();
  return rows.flatMap(({ id }) => (seen.size === seen.add(id).size ? [id] : []));
}

/** By value, whatever the order of members. */
function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
