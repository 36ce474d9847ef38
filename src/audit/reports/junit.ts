import { escapeAttribute, escapeText } from "../../html/index.ts";
import { printable } from "../evidence.ts";
import type { Evidence } from "../evidence.ts";
import type { AuditCheck, AuditReport, AuditRow } from "../report.ts";
import { failingEvidence } from "./order.ts";
import { placeOf } from "./place.ts";
import { rowCounts } from "./row-counts.ts";

/**
 * Writes a report as JUnit's XML, as GitLab, GitHub's actions and Jenkins read it: a suite for each row, a case for each check. What could
 * not be made and what does not apply is *skipped*, with the reason: neither is a pass.
 */
export function toJunit(report: AuditReport): string {
  const checks = report.rows.flatMap((row) => row.checks);
  const suites = report.rows.map((row) => suiteOf(report, row));
  const name = `curtainwall audit of ${report.target}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name, ...countsOf(checks), time: (report.durationMs / 1000).toFixed(3) })}>`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteOf(report: AuditReport, row: AuditRow): string {
  const head = {
    name: `${row.id} ${row.title}`,
    ...countsOf(row.checks),
    time: "0",
    timestamp: report.startedAt.replace(/\.\d+Z$/, ""),
  };
  return [
    `  <testsuite${attributes(head)}>`,
    ...row.checks.map((check) => caseOf(report, row, check)),
    // Of the checks that apply: readers of JUnit count the others as tests too.
    `    <system-out>${row.verdict}: ${rowCounts(row)}</system-out>`,
    "  </testsuite>",
  ].join("\n");
}

function caseOf(report: AuditReport, row: AuditRow, check: AuditCheck): string {
  const place = placeOf(report, failingEvidence(check)[0], check);
  const head = attributes({
    name: check.name,
    classname: row.id,
    time: "0",
    ...(place === undefined ? {} : { file: place.file, line: String(place.line) }),
  });
  const result = resultOf(check);
  return result === undefined
    ? `    <testcase${head}/>`
    : `    <testcase${head}>\n      ${result}\n    </testcase>`;
}

function resultOf(check: AuditCheck): string | undefined {
  const { state, reason = "no reason was given" } = check;
  if (state === "passed") return undefined;
  if (state === "missing") return `<skipped${attributes({ message: `not made: ${reason}` })}/>`;
  if (state === "not applicable") return `<skipped${attributes({ message: `not applicable: ${reason}` })}/>`;
  const failing = failingEvidence(check);
  const message = failing[0]?.about ?? reason;
  const lines = [...failing.flatMap(linesOf), `See it again:  ${check.reproduce}`].map(bounded);
  return `<failure${attributes({ message, type: "failed" })}>${escapeText(xmlText(lines.join("\n")))}</failure>`;
}

function linesOf(evidence: Evidence): string[] {
  if (evidence.kind !== "exchange") return [evidence.about];
  const { about, request, response } = evidence;
  return [
    about,
    `  > ${request.method} ${request.url}`,
    `  < ${response.status} ${response.body.slice(0, 300)}`,
  ];
}

function countsOf(checks: readonly AuditCheck[]): Record<string, string> {
  const failed = checks.filter(({ state }) => state === "failed").length;
  const passed = checks.filter(({ state }) => state === "passed").length;
  return {
    tests: String(checks.length),
    failures: String(failed),
    errors: "0",
    skipped: String(checks.length - failed - passed),
  };
}

const attributes = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeAttribute(xmlText(bounded(value)))}"`)
    .join("");

/** Whoever made the report: nothing acts on a terminal, and no text is longer than anybody reads. */
const bounded = (text: string): string => printable(text, 4000);

/** Characters that XML 1.0 can't have, however they are written (its §2.2), and halves of pairs. */
// oxlint-disable-next-line no-control-regex -- control characters are what must not be there
const outsideXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const xmlText = (text: string): string => text.toWellFormed().replaceAll(outsideXml, "\ufffd");
