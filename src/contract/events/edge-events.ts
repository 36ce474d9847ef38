import type { EventDescription } from "./event-description.ts";

/** What the edge refuses before anybody looks at what is asked. */
export const edgeEvents = {
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
} as const satisfies Record<`edge.${string}`, EventDescription>;
