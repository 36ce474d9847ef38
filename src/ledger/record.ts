import { eventCatalogue, parseSecurityEvent } from "../contract/index.ts";
import type { SecurityEvent } from "../contract/index.ts";

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
    return parseSecurityEvent(JSON.parse(decoder.decode(line)));
  } catch {
    return undefined;
  }
}

/** Writes one event as a line. JSON escapes control characters, so no field can forge a line or drive a terminal. */
export function formatRecord(event: SecurityEvent, source: string): string {
  const { type, time, ...fields } = event;
  const about = "source" in fields ? { about: fields.source } : {};
  const record: LedgerRecord = {
    ...fields,
    ...about,
    time: isoTime(time),
    source,
    severity: eventCatalogue[type].severity,
    event: type,
  };
  const { time: when, source: from, severity, event: name, ...others } = record;
  return `${escapeControls(JSON.stringify({ time: when, source: from, severity, event: name, ...others }))}\n`;
}

/** A domain may send any number; one that is no date is written as the beginning of time rather than not at all. */
const isoTime = (time: number): string => new Date(Math.abs(time) <= 8.64e15 ? time : 0).toISOString();

// oxlint-disable-next-line no-control-regex -- C1 controls and line separators pass through JSON unescaped
const controls = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escapeControls = (json: string): string =>
  json.replace(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
