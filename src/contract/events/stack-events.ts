import type { EventDescription } from "./event-description.ts";

/** What the stack itself does: it starts and stops, its domains, certificates, tokens and releases. */
export const stackEvents = {
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
} as const satisfies Record<`stack.${string}`, EventDescription>;
