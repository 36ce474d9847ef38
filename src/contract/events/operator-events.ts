import type { EventDescription } from "./event-description.ts";

/** What people do at the command line that changes what a site permits, serves or knows. */
export const operatorEvents = {
  "operator.action.begun": {
    severity: "warning",
    says: "Somebody asked for a change at the command line: this is on disk before it is made",
    fields: { action: "text", target: "text", id: "text", by: "text" },
  },
  "operator.action.failed": {
    severity: "notice",
    says: "A change that was asked for was not made, or not wholly",
    fields: { action: "text", target: "text", id: "text", by: "text", reason: "text" },
  },
} as const satisfies Record<`operator.${string}`, EventDescription>;
