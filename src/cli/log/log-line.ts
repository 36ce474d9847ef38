import type { LedgerRecord } from "../../ledger/index.ts";
import { escapeControls, printable } from "../../shared/index.ts";

/** A record as a program reads it: one line, whatever somebody wrote into the log. */
export const recordJson = (record: LedgerRecord): string => escapeControls(JSON.stringify(record));

/** What a record has beside what it says. */
const placed = new Set(["time", "source", "severity", "event", "seq", "chain", "unchained"]);
const maxValue = 200;

/** A record as a person reads it: when, how grave, from whom, what, and its fields. Nothing in it drives a terminal. */
export function recordText(record: LedgerRecord): string {
  const fields = Object.entries(record)
    .filter(([name]) => !placed.has(name))
    .map(([name, value]) => `${printable(name, 40)}=${valueText(value)}`);
  const { time, severity, source, event } = record;
  return [
    ...(record["unchained"] === true ? ["NOT IN THE CHAIN"] : []),
    printable(time, 30),
    printable(severity, 10).padEnd(7),
    printable(source, 20).padEnd(10),
    printable(event, 60),
    ...fields,
  ]
    .join(" ")
    .trimEnd();
}

function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  const shown = printable(text, maxValue);
  return /^[^\s"=]+$/.test(shown) ? shown : JSON.stringify(shown);
}
