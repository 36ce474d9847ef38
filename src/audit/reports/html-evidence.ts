import { escapeText } from "../../html/index.ts";
import { printable } from "../evidence.ts";
import type { Evidence } from "../evidence.ts";

/**
 * A piece of evidence as HTML: what was looked at, and what was seen.
 *
 * @param where to mend it, of what failed
 */
export function htmlEvidence(evidence: Evidence, isFailing: boolean, where: string | undefined): string {
  const seen = linesOf(evidence).map(text).join("\n");
  const place = where === undefined ? "" : ` <span class="where">${text(where)}</span>`;
  return `<div class="evidence${isFailing ? " failing" : ""}"><p>${text(evidence.about)}${place}</p><pre>${seen}</pre></div>`;
}

const text = (value: string): string => escapeText(printable(value, 4000));

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
      return [`${evidence.value} ${evidence.unit ?? ""}`];
    case "command":
      return [`$ ${evidence.command}`, `exit code ${evidence.exitCode}`, evidence.output];
    case "contract":
      return [evidence.at];
  }
}
