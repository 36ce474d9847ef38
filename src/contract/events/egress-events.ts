import type { EventDescription } from "./event-description.ts";

/** What was asked of other services, with which secret, by whom. */
export const egressEvents = {
  "egress.used": {
    severity: "notice",
    says: "A request was sent to somebody else's service, with the secret that it names",
    fields: {
      caller: "text",
      secret: "text",
      version: "number",
      method: "text",
      origin: "text",
      path: "text",
      status: "text",
      tookMs: "number",
      count: "number",
    },
  },
  "egress.refused": {
    severity: "warning",
    says: "A request to somebody else's service was not sent: the contract does not permit it",
    fields: { caller: "text", method: "text", origin: "text", code: "text", reason: "text", count: "number" },
  },
  "egress.failed": {
    severity: "warning",
    says: "A permitted request to somebody else's service has no answer",
    fields: {
      caller: "text",
      secret: "text",
      version: "number",
      method: "text",
      origin: "text",
      path: "text",
      code: "text",
      reason: "text",
      count: "number",
    },
  },
  "egress.address.refused": {
    severity: "alert",
    says: "A service's name leads to addresses outside of its network, which are not connected to",
    fields: { origin: "text", addresses: "texts" },
  },
  "egress.connection.opened": {
    severity: "notice",
    says: "A connection to a database or store was opened, and its password said there",
    fields: { secret: "text", version: "number", service: "text" },
  },
  "egress.connection.failed": {
    severity: "alert",
    says: "A database or store can't be connected to, or does not take its password",
    fields: { secret: "text", service: "text", reason: "text" },
  },
  "egress.connection.refused": {
    severity: "alert",
    says: "A domain sent a database or store something that it has no leave for, and was cut off",
    fields: { secret: "text", service: "text", reason: "text" },
  },
} as const satisfies Record<`egress.${string}`, EventDescription>;
