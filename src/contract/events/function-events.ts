import type { EventDescription } from "./event-description.ts";

/** How the site's functions and their processes do. */
export const functionEvents = {
  "function.failed": {
    severity: "warning",
    says: "A function did not answer a call as it should",
    fields: { function: "text", id: "text", code: "text", reason: "text" },
  },
  "function.group.ended": {
    severity: "alert",
    says: "A process of functions was ended, or ended by itself; these functions were under way",
    fields: { group: "text", reason: "text", functions: "texts" },
  },
  "function.quarantined": {
    severity: "alert",
    says: "A function ended its process too often, and is refused for a while",
    fields: { function: "text", forMs: "number", times: "number" },
  },
  "function.schedule.started": {
    severity: "notice",
    says: "A scheduled function was called",
    fields: { function: "text", id: "text" },
  },
  "function.schedule.done": {
    severity: "notice",
    says: "A scheduled function has ended well",
    fields: { function: "text", id: "text", tookMs: "number" },
  },
  "function.schedule.failed": {
    severity: "alert",
    says: "A scheduled function has failed",
    fields: { function: "text", id: "text", code: "text" },
  },
  "function.schedule.skipped": {
    severity: "warning",
    says: "A scheduled function was due while it still ran, and was not called",
    fields: { function: "text" },
  },
} as const satisfies Record<`function.${string}`, EventDescription>;
