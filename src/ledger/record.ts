import { boundedField, eventShapes, isSecurityEvent } from "../contract/events.ts";
import type { SecurityEvent } from "../contract/events.ts";
import { escapeControls } from "../shared/index.ts";

/** An event as it stands in the log: one JSON object a line. */
export interface LedgerRecord {
  /** ISO 8601, UTC. */
  time: string;
  /** The domain that sent it, as the supervisor knows it; a domain can't choose it. */
  source: string;
  severity: string;
  event: string;
  [field: string]: unknown;
}

const decoder = new TextDecoder("utf-8");

/** Turns a line that a domain sent into the record that is written. What is not in the catalogue does not get in. */
export function recordLine(line: Uint8Array | undefined, source: string, now: number): string {
  const event = line === undefined ? undefined : readEvent(line);
  if (event !== undefined) return formatRecord(event, source);
  const reason = line === undefined ? "the line is too long" : "the line is no event of the catalogue";
  return formatRecord({ type: "ledger.line.refused", time: now, source, reason }, "ledger");
}

function readEvent(line: Uint8Array): SecurityEvent | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(line));
    return isSecurityEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes one event as a line: of its fields those that the catalogue names, bounded. JSON escapes control characters, so no field can forge a line or drive
 * a terminal.
 */
export function formatRecord(event: SecurityEvent, source: string): string {
  const { severity, fields } = eventShapes[event.type];
  // As text at once: what builds an object of each event, to be written as JSON, takes twice as long.
  let line = `{"time":"${isoTime(event.time)}","source":${jsonOf(source)},"severity":"${severity}","event":"${event.type}"`;
  let about = "";
  for (const [name, kind] of fields) {
    const value = boundedField(event[name as keyof SecurityEvent], kind);
    if (value === undefined) continue;
    // An event that speaks of a source must not pass for one that comes from there.
    if (name === "source") about = `,"about":${jsonOf(value)}`;
    else line += `,"${name}":${jsonOf(value)}`;
  }
  return `${line}${about}}\n`;
}

const severityMark = '"severity":"';

/** Whether a record's line is of an event that somebody should be woken for. What says so comes first in it, and no field can say it: see `formatRecord`. */
export const isAlert = (line: string): boolean =>
  line.startsWith("alert", line.indexOf(severityMark) + severityMark.length);

/** What JSON writes as it is. */
const plain = /^[ !#-[\]-~]*$/;

function jsonOf(value: string | number | readonly string[]): string {
  if (typeof value === "string" && plain.test(value)) return `"${value}"`;
  return typeof value === "number" ? String(value) : escapeControls(JSON.stringify(value));
}

let knownSecond = NaN;
let knownText = "";

/** A domain may send any number; one that is no date is written as the beginning of time rather than not at all. */
function isoTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (!Number.isSafeInteger(time) || time < 0 || Math.abs(time) > 8.64e15)
    return new Date(Math.abs(time) <= 8.64e15 ? time : 0).toISOString();
  if (second !== knownSecond) {
    knownSecond = second;
    knownText = new Date(second * 1000).toISOString().slice(0, -4);
  }
  return `${knownText}${String(time - second * 1000).padStart(3, "0")}Z`;
}
