import type { EventDescription } from "./event-description.ts";

/** What the gateway refuses, drops and misses, request by request. */
export const gatewayEvents = {
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
    says: "Answers had undeclared fields, which were dropped: the first at once, then once a minute how many since",
    fields: { id: "text", route: "text", fields: "texts", count: "number" },
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
  "gateway.keys.address.refused": {
    severity: "alert",
    says: "The issuer's name leads to addresses outside of its network, which are not connected to",
    fields: { issuer: "text", host: "text", addresses: "texts" },
  },
  "gateway.keys.loaded": {
    severity: "notice",
    says: "The issuer's keys were loaded",
    fields: { issuer: "text", keys: "number" },
  },
} as const satisfies Record<`gateway.${string}`, EventDescription>;
