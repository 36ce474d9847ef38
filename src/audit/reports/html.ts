import { sha256, toBase64 } from "../../shared/index.ts";
import type { AuditReport } from "../report.ts";
import { htmlHead } from "./html-head.ts";
import { htmlMends } from "./html-mends.ts";
import { htmlRow } from "./html-row.ts";
import { htmlStyle } from "./html-style.ts";
import { htmlText } from "./html-text.ts";
import { worstRowsFirst } from "./order.ts";

/**
 * Writes a report as one HTML file that loads nothing and runs nothing, under a policy of its own: all items in a line each, worst first, what
 * to do next, then each item with its checks, evidence folded. On paper what failed and what is unknown is open, and what held is counted. All text
 * that a target may have chosen is escaped.
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
${htmlHead(report)}
<section>
<h2>Each item</h2>
<p class="hint">Press a line to open it. On paper is what failed, what is unknown, and whatever else is open.</p>
<p class="paper">Printed is what failed and what is unknown. Of each failure that is the first piece of evidence; what held is counted. All other evidence, the
commands that show it again and code that mends it stand in the file that this was printed from.</p>
${worstRowsFirst(report.rows)
  .map((row, index) => htmlRow(report, row, index))
  .join("\n")}
</section>
${htmlMends(report)}
${weakeningsOf(report)}
<footer>
<p>Proved: each check that applies ran and held, at the time above. Of what is unknown the report says what was not looked at. It
finds no flaw in what an upstream does with a request that the contract accepts. Answers of test identities stand in it: keep it as you keep their data.</p>
</footer>
</main>
</body>
</html>
`;
}

function weakeningsOf({ weakenings }: AuditReport): string {
  if (weakenings.length === 0) return "";
  const items = weakenings.map(
    ({ at, reason }) => `<li><code>${htmlText(at)}</code>: ${htmlText(reason)}</li>`,
  );
  return `<section>\n<h2>Weakened by the contract</h2>\n<ul>\n${items.join("\n")}\n</ul>\n</section>`;
}
