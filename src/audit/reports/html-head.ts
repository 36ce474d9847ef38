import type { AuditReport } from "../report.ts";
import { anchorOf, htmlCommand, htmlPlace, htmlText, htmlVerdict, verdictMark } from "./html-text.ts";
import { nextSteps } from "./next-steps.ts";
import type { NextStep } from "./next-steps.ts";
import { isAllNotYet } from "./not-yet.ts";
import { verdictOrder, worstRowsFirst } from "./order.ts";
import { counted } from "../../shared/index.ts";

/** What is read first: what was audited, how many items came out how, each item in a line, and what to do next. */
export function htmlHead(report: AuditReport): string {
  return `<header>
<h1>Audit of ${htmlText(report.target)}</h1>
${factsOf(report)}
${servedWarning(report)}
${countsOf(report)}
${unknownOf(report)}
</header>
${overviewOf(report)}
${stepsOf(report)}`;
}

const servedWords = {
  "as built": "served as it was built",
  differs: "not what is served",
  unknown: "served or not, which is not known",
} as const;

function factsOf({ startedAt, durationMs, release, contract, tool }: AuditReport): string {
  const facts: [string, string][] = [["When", `${startedAt}, ${(durationMs / 1000).toFixed(1)} s`]];
  if (release !== undefined) {
    const { digest, served, compared, of } = release;
    facts.push([
      "Release",
      `${digest.slice(0, 12)}, ${servedWords[served]}: ${compared} of ${counted(of, "file")} compared`,
    ]);
  }
  if (contract !== undefined) facts.push(["Contract", `${contract.file}, ${contract.digest.slice(0, 12)}`]);
  if (tool !== undefined) facts.push(["Made by", tool]);
  const lines = facts.map(([name, value]) => `<dt>${name}</dt><dd>${htmlText(value)}</dd>`);
  return `<dl class="facts">${lines.join("")}</dl>`;
}

function servedWarning({ release }: AuditReport): string {
  if (release === undefined || release.served === "as built") return "";
  const what =
    release.served === "differs"
      ? "What is served is not this release"
      : "Whether this release is served is not known";
  return `<p class="warning">${what}: ${htmlText(release.reason ?? "no reason was given")}</p>`;
}

function countsOf({ summary, rows }: AuditReport): string {
  const items = verdictOrder
    .filter((verdict) => summary[verdict] > 0)
    .map((verdict) => `<li class="${verdict}"><b>${summary[verdict]}</b>${verdict}</li>`);
  return `<ul class="counts" aria-label="Of ${rows.length} items">${items.join("")}</ul>`;
}

/** Why so much is unknown, said once: most of it is nothing that its reader left undone. */
function unknownOf(report: AuditReport): string {
  const rows = worstRowsFirst(report.rows);
  const unknown = rows.filter(({ verdict }) => verdict === "unknown");
  if (unknown.length === 0) return "";
  const later = rows.filter(isAllNotYet);
  const ids = later
    .map((row) => `<a class="id" href="#${anchorOf("item", rows.indexOf(row))}">${htmlText(row.id)}</a>`)
    .join(", ");
  const why =
    later.length === 0
      ? ""
      : ` ${later.length} of the ${unknown.length} ${later.length === 1 ? "waits" : "wait"} for a later version of the audit: ${ids}.`;
  return `<p class="reason">Unknown is no pass: something was not looked at.${why}</p>`;
}

function overviewOf({ rows }: AuditReport): string {
  const items = worstRowsFirst(rows).map(
    (row, index) =>
      `<li><a href="#${anchorOf("item", index)}">${verdictMark(row.verdict)}<span class="id">${htmlText(row.id)}</span><span>${htmlText(row.title)}</span><span class="count">${htmlVerdict(row)}</span></a></li>`,
  );
  return `<nav aria-label="All items, worst first">\n<ol class="overview">\n${items.join("\n")}\n</ol>\n</nav>`;
}

/** So many reasons why checks were not made are read at once; all of them stand at the items. */
const maxGaps = 6;

function stepsOf(report: AuditReport): string {
  const { gap: gaps = [], ...others } = Object.groupBy(nextSteps(report), ({ about }) => about);
  const steps = [...Object.values(others).flat(), ...gaps.slice(0, maxGaps)];
  if (steps.length === 0) return "";
  const more = gaps.length - maxGaps;
  const rest =
    more <= 0
      ? ""
      : `\n<p class="reason">And ${counted(more, "more reason")} why checks were not made: at the items that are unknown.</p>`;
  const items = steps.map((step) => stepOf(report, step));
  return `<section>\n<h2>What to do next</h2>\n<ol class="steps">\n${items.join("\n")}\n</ol>${rest}\n</section>`;
}

function stepOf({ mends = [] }: AuditReport, { what, where, command, mends: places = [] }: NextStep): string {
  const links = places.map(
    (index) => `<a href="#${anchorOf("mend", index)}">${htmlText(mends[index]?.says ?? "")}</a>`,
  );
  const code = links.length === 0 ? "" : `<p class="lead">Code that mends it: ${links.join("; ")}</p>`;
  return `<li>${htmlText(what)}${htmlPlace(where)}${htmlCommand(command)}${code}</li>`;
}
