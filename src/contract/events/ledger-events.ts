import type { EventDescription } from "./event-description.ts";

/** What the log itself lost or refused, and how it is chained. */
export const ledgerEvents = {
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
  "ledger.opened": {
    severity: "notice",
    says: "A log begins: its name, the bytes without a chain that lie before it in its file, and how many older files lie beside it",
    fields: { log: "text", bytes: "number", digest: "text", earlier: "number" },
  },
  "ledger.resumed": {
    severity: "notice",
    says: "The log goes on, in a new file or after what a crash left unfinished",
    fields: { log: "text", bytes: "number", digest: "text" },
  },
  "ledger.rotated": {
    severity: "notice",
    says: "The oldest records give way to new ones: which, and how the chain stood after them",
    fields: { first: "number", last: "number", head: "text" },
  },
  "ledger.flooded": {
    severity: "alert",
    says: "So much is written that records go for it: half of what the log keeps came in less than a day",
    fields: { log: "text", through: "number", bytes: "number", seconds: "number" },
  },
  "ledger.checkpoint": {
    severity: "notice",
    says: "The log up to a record, signed by who can't write it",
    fields: {
      log: "text",
      through: "number",
      head: "text",
      holder: "text",
      after: "text",
      key: "text",
      signature: "text",
    },
  },
  "ledger.checkpoint.begun": {
    severity: "alert",
    says: "Another log is signed than the one that was signed last: that one is not gone on with",
    fields: { log: "text", before: "text" },
  },
  "ledger.checkpoint.behind": {
    severity: "alert",
    says: "The vault's key signed more of the log than its store remembered: that is an older copy",
    fields: { log: "text", through: "number", remembered: "number" },
  },
  "ledger.checkpoint.refused": {
    severity: "alert",
    says: "The log was not signed: it is less than, or other than, what was signed before",
    fields: { log: "text", through: "number", reason: "text" },
  },
} as const satisfies Record<`ledger.${string}`, EventDescription>;
