import type { EventDescription } from "./event-description.ts";

/** What visitors' browsers report. */
export const browserEvents = {
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
} as const satisfies Record<`browser.${string}`, EventDescription>;
