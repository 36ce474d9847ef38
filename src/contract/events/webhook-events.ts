import type { EventDescription } from "./event-description.ts";

/** What senders signed, and what only looked like it. */
export const webhookEvents = {
  "webhook.accepted": {
    severity: "notice",
    says: "A webhook was signed by who has its key",
    fields: { route: "text", secret: "text", version: "number" },
  },
  "webhook.refused": {
    severity: "warning",
    says: "A webhook was not taken: it is not signed as its sender signs, too old, or was taken before",
    fields: { route: "text", secret: "text", version: "number", reason: "text" },
  },
  "webhook.memory.lost": {
    severity: "alert",
    says: "What was noted of webhooks is not whole: those that were signed before this are refused, since they may have been taken",
    fields: { reason: "text" },
  },
} as const satisfies Record<`webhook.${string}`, EventDescription>;
