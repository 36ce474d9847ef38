/** How much an event matters: `notice` is worth keeping, `warning` worth a look, `alert` worth waking somebody. */
export type Severity = "notice" | "warning" | "alert";

/** What kind of value an event's field holds. */
type FieldKind = "text" | "number" | "texts";

interface EventDescription {
  readonly severity: Severity;
  readonly says: string;
  readonly fields: Readonly<Record<string, FieldKind>>;
}

/**
 * Every security event that exists, with the fields it may carry. What is not listed here is not written, so a log line
 * cannot grow a field with a secret in it by accident. No field may hold a token, a body, a header or a query.
 *
 * @see CHECKLIST item MON-1
 */
export const eventCatalogue = {
  "stack.started": {
    severity: "notice",
    says: "The stack serves",
    fields: { release: "text", isolation: "text" },
  },
  "stack.stopped": { severity: "notice", says: "The stack was stopped", fields: { reason: "text" } },
  "stack.weakened": {
    severity: "warning",
    says: "The contract weakens a default",
    fields: { option: "text", reason: "text" },
  },
  "stack.domain.exited": {
    severity: "alert",
    says: "A trust domain ended unexpectedly",
    fields: { domain: "text", exit: "text" },
  },
  "stack.domain.restarted": {
    severity: "warning",
    says: "A trust domain was started again",
    fields: { domain: "text", attempt: "number" },
  },
  "stack.certificate.replaced": {
    severity: "notice",
    says: "The certificate was replaced",
    fields: { fingerprint: "text" },
  },
  "stack.tokens.revoked": {
    severity: "warning",
    says: "Access tokens were revoked: those that were issued until then are refused on all threads",
    fields: { of: "text", subjects: "texts" },
  },
  "stack.release.accepted": {
    severity: "notice",
    says: "A release was checked and is served from now on",
    fields: { release: "text", sequence: "number" },
  },
  "stack.release.refused": {
    severity: "alert",
    says: "A release was refused; what was served before is served still",
    fields: { release: "text", sequence: "number", code: "text", reason: "text" },
  },
  "edge.connection.refused": {
    severity: "notice",
    says: "A connection was refused or cut",
    fields: { client: "text", reason: "text" },
  },
  "edge.request.refused": {
    severity: "notice",
    says: "A request was refused before it was routed",
    fields: { client: "text", reason: "text", status: "number" },
  },
  "gateway.request.refused": {
    severity: "notice",
    says: "An API request was refused",
    fields: {
      id: "text",
      route: "text",
      method: "text",
      client: "text",
      subject: "text",
      code: "text",
      status: "number",
      fields: "texts",
      reason: "text",
    },
  },
  "gateway.request.observed": {
    severity: "warning",
    says: "A request or an answer broke its contract, and was let pass: its route is being observed",
    fields: { id: "text", route: "text", code: "text", fields: "texts", count: "number", until: "text" },
  },
  "gateway.answer.trimmed": {
    severity: "warning",
    says: "An answer had undeclared fields, which were dropped",
    fields: { id: "text", route: "text", fields: "texts" },
  },
  "gateway.answer.refused": {
    severity: "alert",
    says: "An answer broke its contract and was not released",
    fields: { id: "text", route: "text", subject: "text", reason: "text", fields: "texts" },
  },
  "gateway.upstream.failed": {
    severity: "warning",
    says: "An upstream could not be used",
    fields: { id: "text", route: "text", upstream: "text", reason: "text" },
  },
  "gateway.upstream.address.refused": {
    severity: "alert",
    says: "An upstream's name leads to addresses outside of its network, which are not connected to",
    fields: { upstream: "text", host: "text", addresses: "texts" },
  },
  "gateway.upstream.avoided": {
    severity: "warning",
    says: "An upstream's address fails, and is sent nothing for a while",
    fields: { upstream: "text", address: "text", reason: "text", forMs: "number" },
  },
  "gateway.upstream.restored": {
    severity: "notice",
    says: "An upstream's address works again",
    fields: { upstream: "text", address: "text" },
  },
  "gateway.check.failed": {
    severity: "alert",
    says: "A check of the contract's own gave no answer, and the request was refused for it",
    fields: { route: "text", check: "text", reason: "text" },
  },
  "gateway.check.slow": {
    severity: "warning",
    says: "A check of the contract's own kept a whole thread longer than it may wait",
    fields: { route: "text", check: "text", tookMs: "number" },
  },
  "gateway.budget.exhausted": {
    severity: "alert",
    says: "A budget is used up: what spends of it answers 503 until there is some again",
    fields: { budget: "text", route: "text" },
  },
  "gateway.load.shed": {
    severity: "warning",
    says: "A thread had more to do than it could, and refused requests to the API",
    fields: { count: "number", delayMs: "number", pending: "number" },
  },
  "gateway.limits.degraded": {
    severity: "alert",
    says: "The shared limit store can't be reached: this host admits its share of each limit, and routes that count failures answer 503",
    fields: { store: "text", reason: "text" },
  },
  "gateway.limits.restored": {
    severity: "notice",
    says: "The shared limit store counts again",
    fields: { store: "text", afterMs: "number" },
  },
  "gateway.api-keys.loaded": {
    severity: "notice",
    says: "The list of API keys was read",
    fields: { keys: "number" },
  },
  "gateway.api-keys.refused": {
    severity: "alert",
    says: "The list of API keys can't be used; the one before counts on",
    fields: { reason: "text" },
  },
  "gateway.sessions.unavailable": {
    severity: "alert",
    says: "Sessions can't be looked up: requests with one are answered 503",
    fields: { reason: "text" },
  },
  "gateway.keys.unavailable": {
    severity: "alert",
    says: "The issuer's keys can't be had: routes that need them answer 503",
    fields: { issuer: "text", reason: "text" },
  },
  "gateway.keys.loaded": {
    severity: "notice",
    says: "The issuer's keys were loaded",
    fields: { issuer: "text", keys: "number" },
  },
  "browser.policy.violated": {
    severity: "warning",
    says: "A browser reported that a page's policy refused something; anybody can send such a report",
    fields: {
      page: "text",
      directive: "text",
      blocked: "text",
      disposition: "text",
      file: "text",
      line: "number",
      sample: "text",
      count: "number",
    },
  },
  "browser.reports.dropped": {
    severity: "notice",
    says: "Reports of browsers were not kept",
    fields: { reason: "text", count: "number" },
  },
  "ledger.events.lost": {
    severity: "alert",
    says: "Events could not be handed to the ledger in time",
    fields: { source: "text", count: "number" },
  },
  "ledger.line.refused": {
    severity: "alert",
    says: "A domain sent something that is no event",
    fields: { source: "text", reason: "text" },
  },
} as const satisfies Record<string, EventDescription>;

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

/** Reads one event from what a domain sent: only fields that the catalogue names, bounded. Undefined if it is none. */
export function parseSecurityEvent(value: unknown): SecurityEvent | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const given = value as Record<string, unknown>;
  if (!isType(given.type) || typeof given.time !== "number" || !Number.isFinite(given.time)) return undefined;
  const event: Record<string, unknown> = { type: given.type, time: given.time };
  for (const [name, kind] of Object.entries(eventCatalogue[given.type].fields)) {
    const field = given[name];
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
