import { escapeText } from "../../html/index.ts";
import { printable } from "../evidence.ts";
import type { AuditCheck, AuditRow, Verdict } from "../report.ts";
import { rowCounts } from "./row-counts.ts";

/** Text of a report between tags: nothing of it is markup, acts, or is longer than anybody reads. */
export const htmlText = (text: string): string => escapeText(printable(text, 4000));

const verdictMarks: Record<Verdict, string> = {
  failed: "✗",
  unknown: "?",
  attested: "a",
  evidenced: "e",
  proved: "✓",
};

const stateMarks: Record<AuditCheck["state"], [mark: string, className: string]> = {
  failed: ["✗", "failed"],
  missing: ["?", "unknown"],
  passed: ["✓", "proved"],
  "not applicable": ["–", "idle"],
};

const htmlMark = (mark: string, className: string): string =>
  `<span class="mark ${className}" aria-hidden="true">${mark}</span>`;

/** The mark of a verdict. It stands beside the word, which is what is read out. */
export const verdictMark = (verdict: Verdict): string => htmlMark(verdictMarks[verdict], verdict);

/** The mark of a check's state. */
export const stateMark = (state: AuditCheck["state"]): string => htmlMark(...stateMarks[state]);

/** Where the page has an item, or a mend, by its place there. No name of a report is an address. */
export const anchorOf = (kind: "item" | "mend", index: number): string => `${kind}-${index + 1}`;

/** The verdict of an item, and what became of its checks: how many passed of those that apply, then what failed and what was not made. */
export const htmlVerdict = (row: AuditRow): string =>
  `<span class="${row.verdict}">${row.verdict}</span><span class="of"> ${rowCounts(row, { isShort: true })}</span>`;

/** A place in the project. */
export const htmlPlace = (where: string | undefined): string =>
  where === undefined ? "" : ` <span class="where">${htmlText(where)}</span>`;

/** A command to paste. */
export const htmlCommand = (command: string | undefined): string =>
  command === undefined ? "" : `<pre class="command">${htmlText(command)}</pre>`;
