import type { Evidence } from "../evidence.ts";
import { htmlCommand, htmlPlace, htmlText } from "./html-text.ts";

/** How a piece of evidence stands on the page. */
export interface HtmlEvidenceOptions {
  /** It shows how a check failed. */
  isFailing: boolean;
  /** It is unfolded. */
  isOpen: boolean;
  /** Where to mend it, of what failed. */
  where: string | undefined;
}

/** A piece of evidence as HTML: what was looked at in a line, which opens to what was seen. */
export function htmlEvidence(evidence: Evidence, { isFailing, isOpen, where }: HtmlEvidenceOptions): string {
  const again = evidence.kind === "exchange" ? htmlCommand(evidence.reproduce) : "";
  return `<details class="evidence${isFailing ? " failing" : ""}"${isOpen ? " open" : ""}>
<summary><span>${htmlText(evidence.about)}${htmlSeen(evidence)}${htmlPlace(where)}</span></summary>
<pre>${linesOf(evidence).map(htmlText).join("\n")}</pre>${again}
</details>`;
}

/** What was seen, in a word or two: of an answer its status. Nothing where it takes more. */
export function htmlSeen(evidence: Evidence): string {
  const seen = seenOf(evidence);
  return seen === undefined ? "" : ` <b class="seen">${htmlText(seen)}</b>`;
}

function seenOf(evidence: Evidence): string | undefined {
  switch (evidence.kind) {
    case "exchange":
      return `answer ${evidence.response.status}`;
    case "measurement":
      return measured(evidence);
    case "command":
      return `exit code ${evidence.exitCode}`;
    default:
      return undefined;
  }
}

const measured = ({ value, unit }: Extract<Evidence, { kind: "measurement" }>): string =>
  unit === undefined ? String(value) : `${value} ${unit}`;

function linesOf(evidence: Evidence): string[] {
  switch (evidence.kind) {
    case "exchange": {
      const { request, response } = evidence;
      return [
        `> ${request.method} ${request.url} (${request.protocol})`,
        ...request.headers.map((header) => `> ${header}`),
        ...(request.body === undefined ? [] : [`> ${request.body}`]),
        `< ${response.status}, ${response.bytes} bytes`,
        ...response.headers.map((header) => `< ${header}`),
        ...(response.body === "" ? [] : [response.body]),
      ];
    }
    case "file": {
      const line = evidence.line === undefined ? "" : `:${evidence.line}`;
      return [`${evidence.file}${line}`, evidence.excerpt ?? evidence.sha256 ?? ""];
    }
    case "measurement":
      return [measured(evidence)];
    case "command":
      return [`$ ${evidence.command}`, `exit code ${evidence.exitCode}`, evidence.output];
    case "contract":
      return [evidence.at];
  }
}
