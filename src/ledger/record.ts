import { eventCatalogue, parseSecurityEvent } from "../contract/events.ts";
import type { SecurityEvent } from "../contract/events.ts";

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
  const { severity } = eventCatalogue[event.type];
  const head = `{"time":"${isoTime(event.time)}","source":${JSON.stringify(source)},"severity":"${severity}","event":"${event.type}"`;
  return `${head}${escapeControls(fieldsText(event))}\n`;
}

/** An event's fields as the end of a JSON object. Mostly its own text can be cut: what builds an object anew takes twice as long, for each event there is. */
function fieldsText(event: SecurityEvent): string {
  if (!("source" in event)) {
    const text = JSON.stringify(event);
    const begin = `{"type":"${event.type}","time":${event.time}`;
    if (text.startsWith(begin)) return text.slice(begin.length);
  }
  const fields: Record<string, unknown> = {};
  let about: unknown;
  for (const name in event) {
    const value: unknown = event[name as keyof SecurityEvent];
    if (name === "source") about = value;
    else if (name !== "type" && name !== "time") fields[name] = value;
  }
  // An event that speaks of a source must not pass for one that comes from there.
  const text = JSON.stringify(about === undefined ? fields : { ...fields, about });
  return text === "{}" ? "}" : `,${text.slice(1)}`;
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

/** What JSON leaves as it is and a terminal or an editor obeys or hides: C1 controls, line separators, bidi, invisible and tag characters. */
const controls =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

/** Mostly there is nothing of the kind, and to see that takes half as long as to replace nothing. */
const isPlain = (json: string): boolean => !/[^\0-\x7e]/.test(json);

/** Writes what a terminal or an editor would obey or hide as the escapes of JSON. */
export const escapeControls = (json: string): string =>
  isPlain(json)
    ? json
    : json.replace(controls, (match) =>
        [...Array(match.length).keys()]
          .map((index) => `\\u${match.charCodeAt(index).toString(16).padStart(4, "0")}`)
          .join(""),
      );
