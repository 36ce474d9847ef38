import type { AuditMend } from "../mends/mends.ts";
import type { AuditReport } from "../report.ts";
import { anchorOf, htmlText } from "./html-text.ts";

/** Code that would mend what failed, folded. */
export function htmlMends({ mends = [] }: AuditReport): string {
  if (mends.length === 0) return "";
  return `<section>\n<h2>Mends</h2>\n<p>Each mends what it names; try it, then audit again.</p>\n${mends.map(mendOf).join("\n")}\n</section>`;
}

function mendOf({ says, framework, because, where, code, checks }: AuditMend, index: number): string {
  const found = checks.map(({ row, name }) => `${row} ${name}`).join(", ");
  // Code keeps its lines; in everything else a line end is written out.
  const lines = code.split("\n").map((line) => htmlText(line.replaceAll("\t", "  ")));
  return `<details class="mend">
<summary><span>${htmlText(says)}</span></summary>
<p class="reason" id="${anchorOf("mend", index)}">${htmlText(`${framework} (${because}), ${where}. Found by ${found}`)}</p>
<pre>${lines.join("\n")}</pre>
</details>`;
}
