import { escapeText } from "../../html/index.ts";
import { sha256, toBase64 } from "../../shared/index.ts";
import { printable } from "../evidence.ts";
import type { AuditCheck, AuditReport, AuditRow } from "../report.ts";
import { htmlEvidence } from "./html-evidence.ts";
import { htmlStyle } from "./html-style.ts";
import { nextSteps } from "./next-steps.ts";
import type { NextStep } from "./next-steps.ts";
import { failingEvidence, verdictOrder, worstChecksFirst, worstRowsFirst } from "./order.ts";
import { findingPlace } from "./place.ts";

const marks = { failed: "✗", unknown: "?", attested: "a", evidenced: "e", proved: "✓" } as const;
const stateMarks = {
  failed: ["✗", "failed"],
  missing: ["?", "unknown"],
  passed: ["✓", "proved"],
  "not applicable": ["–", ""],
} as const;

/** Text of a report between tags: nothing of it is markup, acts, or is longer than anybody reads. */
const htmlText = (text: string): string => escapeText(printable(text, 4000));

/**
 * Writes a report as one HTML file that loads nothing and runs nothing, under a policy of its own: worst first, then what to do next,
 * evidence folded. All text that a target may have chosen is escaped.
 */
export async function toHtml(report: AuditReport): Promise<string> {
  const hash = toBase64(await sha256(htmlStyle));
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Audit of ${htmlText(report.target)}</title>
<style>${htmlStyle}</style>
</head>
<body>
<main>
<header>
<h1>Audit of ${htmlText(report.target)}</h1>
${factsOf(report)}
</header>
${countsOf(report)}
${servedWarning(report)}
${stepsOf(nextSteps(report))}
<section>
<h2>The checklist, worst first</h2>
${worstRowsFirst(report.rows)
  .map((row) => rowOf(report, row))
  .join("\n")}
</section>
${mendsOf(report)}
${weakeningsOf(report)}
<footer>
<p>Proved: each check that applies ran and held, at the time above. Unknown is no pass: something was not looked at, and the report says what. It
finds no flaw in what an upstream does with a request that the contract accepts. Answers of test identities stand in it: keep it as you keep their data.</p>
</footer>
</main>
</body>
</html>
`;
}

function factsOf({ startedAt, durationMs, release, contract, tool }: AuditReport): string {
  const facts: [string, string][] = [
    ["When", `${startedAt}, ${(durationMs / 1000).toFixed(1)} s`],
    ...(release === undefined
      ? []
      : [
          [
            "Release",
            `${release.digest.slice(0, 12)}, ${release.compared} of ${release.of} files compared with what is served: ${release.served}`,
          ] as [string, string],
        ]),
    ...(contract === undefined
      ? []
      : [["Contract", `${contract.file}, ${contract.digest.slice(0, 12)}`] as [string, string]]),
    ...(tool === undefined ? [] : [["Made by", tool] as [string, string]]),
  ];
  const lines = facts.map(([name, value]) => `<dt>${name}</dt><dd>${htmlText(value)}</dd>`);
  return `<dl class="facts">${lines.join("")}</dl>`;
}

function countsOf({ summary }: AuditReport): string {
  const items = verdictOrder
    .filter((verdict) => summary[verdict] > 0)
    .map((verdict) => `<li class="${verdict}"><b>${summary[verdict]}</b>${verdict}</li>`);
  return `<ul class="counts" aria-label="Rows by verdict">${items.join("")}</ul>`;
}

function servedWarning({ release }: AuditReport): string {
  if (release === undefined || release.served === "as built") return "";
  const what =
    release.served === "differs"
      ? "What is served is not this release"
      : "Whether this release is served is not known";
  return `<p class="warning">${what}: ${htmlText(release.reason ?? "no reason was given")}</p>`;
}

function stepsOf(steps: readonly NextStep[]): string {
  if (steps.length === 0) return "";
  const items = steps.map(
    ({ what, where, command }) =>
      `<li>${htmlText(what)}${where === undefined ? "" : ` <span class="where">${htmlText(where)}</span>`}${commandOf(command)}</li>`,
  );
  return `<section>\n<h2>What to do next</h2>\n<ol class="steps">\n${items.join("\n")}\n</ol>\n</section>`;
}

const commandOf = (command: string | undefined): string =>
  command === undefined ? "" : `<pre>${htmlText(command)}</pre>`;

function rowOf(report: AuditReport, row: AuditRow): string {
  const { id, title, verdict, checks, reason } = row;
  return `<details class="row"${verdict === "failed" ? " open" : ""}>
<summary><span class="mark ${verdict}" aria-hidden="true">${marks[verdict]}</span><span class="id">${htmlText(id)}</span><h3>${htmlText(title)}</h3><span class="count"><span class="${verdict}">${verdict}</span> ${countOf(row)}</span></summary>
${reason === undefined ? "" : `<p class="reason">${htmlText(reason)}</p>`}
${worstChecksFirst(checks)
  .map((check) => checkOf(report, check))
  .join("\n")}
</details>`;
}

function countOf({ verdict, ran, of, failed, notApplicable }: AuditRow): string {
  const idle = notApplicable === 0 ? "" : `, ${notApplicable} not applicable`;
  return verdict === "failed" ? `${failed} of ${of}${idle}` : `${ran} of ${of}${idle}`;
}

function checkOf(report: AuditReport, check: AuditCheck): string {
  const { name, state, attack, observations, evidence, reason, reproduce } = check;
  const [mark, className] = stateMarks[state];
  const words = state === "passed" || state === "failed" ? `, ${observations} observations` : "";
  const head = `<span class="mark ${className}" aria-hidden="true">${mark}</span> ${htmlText(name)} <span class="where">${state}${words}${attack === undefined ? "" : `, attack: ${htmlText(attack)}`}</span>`;
  const why = reason === undefined ? "" : `<p class="reason">${htmlText(reason)}</p>`;
  if (evidence.length === 0) return `<div class="check"><div class="plain">${head}</div>${why}</div>`;
  const failing = failingEvidence(check).length;
  return `<details class="check"${state === "failed" ? " open" : ""}>
<summary>${head}</summary>
${why}
${evidence.map((piece, index) => htmlEvidence(piece, index < failing, findingPlace(report, check, piece))).join("\n")}
${state === "not applicable" ? "" : `<p class="reason">See it again:</p><pre>${htmlText(reproduce)}</pre>`}
</details>`;
}

function mendsOf({ mends = [] }: AuditReport): string {
  if (mends.length === 0) return "";
  const items = mends.map(({ says, framework, because, where, code, checks }) => {
    const found = checks.map(({ row, name }) => `${row} ${name}`).join(", ");
    // Code keeps its lines; in everything else a line end is written out.
    const lines = code.split("\n").map((line) => htmlText(line.replaceAll("\t", "  ")));
    return `<details>
<summary>${htmlText(says)}</summary>
<p class="reason">${htmlText(`${framework} (${because}), ${where}. Found by ${found}`)}</p>
<pre>${lines.join("\n")}</pre>
</details>`;
  });
  return `<section>\n<h2>Mends</h2>\n<p>Each mends what it names; try it, then audit again.</p>\n${items.join("\n")}\n</section>`;
}

function weakeningsOf({ weakenings }: AuditReport): string {
  if (weakenings.length === 0) return "";
  const items = weakenings.map(
    ({ at, reason }) => `<li><code>${htmlText(at)}</code>: ${htmlText(reason)}</li>`,
  );
  return `<section>\n<h2>Weakened by the contract</h2>\n<ul>\n${items.join("\n")}\n</ul>\n</section>`;
}
