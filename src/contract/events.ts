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
import type { Severity } from "./events/event-description.ts";
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

const cut = (text: string): string => (text.length > maxEventText ? `${text.slice(0, maxEventText)}…` : text);

/** What a field of an event holds. */
export type EventFieldKind = "text" | "number" | "texts";

/** What is read of the catalogue for each event that comes. */
export interface EventShape {
  readonly severity: Severity;
  readonly fields: readonly (readonly [name: string, kind: EventFieldKind])[];
}

const shapes: Readonly<Record<string, EventShape>> = Object.fromEntries(
  Object.entries(eventCatalogue).map(([type, { severity, fields }]) => [
    type,
    { severity, fields: Object.entries(fields) },
  ]),
);

/** By the event's type. */
export const eventShapes = shapes as Readonly<Record<SecurityEventType, EventShape>>;

const isType = (value: unknown): value is SecurityEventType =>
  typeof value === "string" && Object.hasOwn(eventShapes, value);

/** Tells whether something is one of the catalogue's events. Of its fields nothing is known: {@link boundedField} reads each. */
export function isSecurityEvent(value: unknown): value is SecurityEvent {
  if (typeof value !== "object" || value === null) return false;
  const { type, time } = value as Record<string, unknown>;
  return isType(type) && typeof time === "number" && Number.isFinite(time);
}

/** What is kept of a field's value: bounded, and undefined if it is of another kind. */
export function boundedField(
  value: unknown,
  kind: EventFieldKind,
): string | number | readonly string[] | undefined {
  if (kind === "text") return typeof value === "string" ? cut(value) : undefined;
  if (kind === "number") return typeof value === "number" && Number.isFinite(value) ? value : undefined;
  if (!Array.isArray(value)) return undefined;
  return value
    .filter((entry) => typeof entry === "string")
    .slice(0, maxEventTexts)
    .map(cut);
}

/** Reads one event from what a domain sent: only fields that the catalogue names, bounded. Undefined if it is none. */
export function parseSecurityEvent(value: unknown): SecurityEvent | undefined {
  if (!isSecurityEvent(value)) return undefined;
  const event: Record<string, unknown> = { type: value.type, time: value.time };
  for (const [name, kind] of eventShapes[value.type].fields) {
    const field = boundedField(value[name as keyof SecurityEvent], kind);
    if (field !== undefined) event[name] = field;
  }
  return event as unknown as SecurityEvent;
}
