import type { Severity } from "../contract/events.ts";
import type { LedgerRecord } from "./record.ts";

/** Which records are wanted; what is left out does not matter. */
export interface RecordFilter {
  /** Names of events; one that ends with `*` stands for all that begin so. */
  readonly events?: readonly string[] | undefined;
  /** This severity and graver ones. */
  readonly severity?: Severity | undefined;
  readonly source?: string | undefined;
  /** Milliseconds since 1970, included. */
  readonly sinceMs?: number | undefined;
  /** Milliseconds since 1970, not included. */
  readonly untilMs?: number | undefined;
  /** As contracts write it: `GET /api/orders/:id`. */
  readonly route?: string | undefined;
  /** As errors name it, or the beginning of that. */
  readonly id?: string | undefined;
}

const gravity: Readonly<Record<string, number>> = { notice: 0, warning: 1, alert: 2 } satisfies Record<
  Severity,
  number
>;

/** Tells whether a record is among those that are wanted. */
export function selects(filter: RecordFilter, record: LedgerRecord): boolean {
  const { events, severity, source, sinceMs, untilMs, route, id } = filter;
  if (source !== undefined && record.source !== source) return false;
  if (route !== undefined && record["route"] !== route) return false;
  if (id !== undefined && !(typeof record["id"] === "string" && record["id"].startsWith(id))) return false;
  // What no severity of ours names is not passed over.
  if (severity !== undefined && (gravity[record.severity] ?? 2) < (gravity[severity] ?? 0)) return false;
  if (events !== undefined && !events.some((name) => isNamed(record.event, name))) return false;
  if (sinceMs === undefined && untilMs === undefined) return true;
  const time = Date.parse(record.time);
  return !(time < (sinceMs ?? -Infinity) || time >= (untilMs ?? Infinity));
}

const isNamed = (event: string, name: string): boolean =>
  name.endsWith("*") ? event.startsWith(name.slice(0, -1)) : event === name;
