import { printable } from "../../audit/index.ts";
import type { Evidence } from "../../audit/index.ts";

/** Text of the report as it may be printed, whoever made the report. */
export const clean = (text: string): string => printable(text, 2000);

/** Evidence in full: what was looked at, and what was seen. */
export function evidenceLines(evidence: Evidence, columns: number): string[] {
  const about = wrap(clean(evidence.about), columns, "    ");
  return [...about, ...seen(evidence).map((line) => cut(`      ${line}`, columns))];
}

/** Evidence in a line: what was looked at, and how it ended. */
export function evidenceLine(evidence: Evidence, columns: number): string {
  const about = clean(evidence.about);
  switch (evidence.kind) {
    case "exchange":
      return `${cut(about, columns - 6)} → ${evidence.response.status}`;
    case "measurement":
      return cut(`${about}: ${valueOf(evidence)}`, columns);
    default:
      return cut(about, columns);
  }
}

function seen(evidence: Evidence): string[] {
  switch (evidence.kind) {
    case "exchange": {
      const { request, response } = evidence;
      const body = response.body === "" ? "" : `: ${clean(response.body)}`;
      return [
        `> ${clean(request.method)} ${clean(request.url)} (${clean(request.protocol)})`,
        `< ${response.status}${body}`,
      ];
    }
    case "file": {
      const line = evidence.line === undefined ? "" : `:${evidence.line}`;
      return [`${clean(evidence.file)}${line} ${clean(evidence.excerpt ?? evidence.sha256 ?? "")}`];
    }
    case "measurement":
      return [valueOf(evidence)];
    case "command":
      return [`$ ${clean(evidence.command)} → ${evidence.exitCode} ${clean(evidence.output)}`];
    case "contract":
      return [clean(evidence.at)];
  }
}

const valueOf = ({ value, unit }: { value: string | number; unit?: string }): string =>
  `${clean(String(value))} ${clean(unit ?? "")}`.trimEnd();

/** A line that ends where the terminal does. */
export const cut = (line: string, columns: number): string =>
  line.length <= columns ? line.trimEnd() : `${line.slice(0, columns - 1)}…`;

/** Breaks a text at spaces; what follows the first line stands two columns further in. */
export function wrap(text: string, columns: number, indent: string): string[] {
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

/** A reason; a command that ends it, behind two spaces, stays whole on a line of its own. */
export function reasonLines(text: string, columns: number, margin: string): string[] {
  const at = text.indexOf("  ");
  if (at < 0) return wrap(text, columns, margin);
  return [...wrap(text.slice(0, at), columns, margin), `${margin}  $ ${text.slice(at).trim()}`];
}
