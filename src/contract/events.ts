import { browserEvents } from "./events/browser-events.ts";
import { edgeEvents } from "./events/edge-events.ts";
import { egressEvents } from "./events/egress-events.ts";
import { functionEvents } from "./events/function-events.ts";
import { gatewayEvents } from "./events/gateway-events.ts";
import { ledgerEvents } from "./events/ledger-events.ts";
import { operatorEvents } from "./events/operator-events.ts";
import { stackEvents } from "./events/stack-events.ts";
import { vaultEvents } from "./events/vault-events.ts";
import { webhookEvents } from "./events/webhook-events.ts";
export type { Severity } from "./events/event-description.ts";

/**
 * Every security event that exists, with the fields it may carry. What is not listed here is not written, so a log line
 * cannot grow a field with a secret in it by accident. No field may hold a token, a body, a header or a query.
 *
 * @see CHECKLIST item MON-1
 */
export const eventCatalogue = {
  ...stackEvents,
  ...vaultEvents,
  ...edgeEvents,
  ...gatewayEvents,
  ...webhookEvents,
  ...egressEvents,
  ...browserEvents,
  ...functionEvents,
  ...ledgerEvents,
  ...operatorEvents,
} as const;

type Catalogue = typeof eventCatalogue;

/** Name of an event. */
export type SecurityEventType = keyof Catalogue;

type FieldValue<Kind> = Kind extends "number" ? number : Kind extends "texts" ? readonly string[] : string;

type FieldsOf<Type extends SecurityEventType> = {
  readonly [Name in keyof Catalogue[Type]["fields"]]?:
    | FieldValue<Catalogue[Type]["fields"][Name]>
    | undefined;
};

/** One security event. `time` is in milliseconds since 1970. */
export type SecurityEvent = {
  [Type in SecurityEventType]: { readonly type: Type; readonly time: number } & FieldsOf<Type>;
}[SecurityEventType];

/** Where a room sends its events. Never throws, never waits. */
export type EventSink = (event: SecurityEvent) => void;

/** Longest text that an event keeps; what is longer is cut. */
export const maxEventText = 300;
const maxEventTexts = 20;

const isType = (value: unknown): value is SecurityEventType =>
  typeof value === "string" && Object.hasOwn(eventCatalogue, value);
const cut = (text: string): string => (text.length > maxEventText ? `${text.slice(0, maxEventText)}…` : text);

/** The catalogue's fields as they are read for each event. */
const fieldsOf: ReadonlyMap<string, readonly (readonly [string, "text" | "number" | "texts"])[]> = new Map(
  Object.entries(eventCatalogue).map(([type, { fields }]) => [type, Object.entries(fields)]),
);

/** Reads one event from what a domain sent: only fields that the catalogue names, bounded. Undefined if it is none. */
export function parseSecurityEvent(value: unknown): SecurityEvent | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const given = value as Record<string, unknown>;
  if (!isType(given.type) || typeof given.time !== "number" || !Number.isFinite(given.time)) return undefined;
  const event: Record<string, unknown> = { type: given.type, time: given.time };
  for (const [name, kind] of fieldsOf.get(given.type) ?? []) {
    const field = given[name];
    if (field === undefined) continue;
    if (kind === "text" && typeof field === "string") event[name] = cut(field);
    if (kind === "number" && typeof field === "number" && Number.isFinite(field)) event[name] = field;
    if (kind === "texts" && Array.isArray(field))
      event[name] = field
        .filter((entry) => typeof entry === "string")
        .slice(0, maxEventTexts)
        .map(cut);
  }
  return event as unknown as SecurityEvent;
}
