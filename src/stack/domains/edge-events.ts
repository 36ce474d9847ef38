import type { SecurityEvent } from "../../contract/index.ts";
import type { EdgeEvent } from "../../edge/index.ts";

const aboutRequests = new Set<EdgeEvent["kind"]>(["request-refused", "client-unknown", "api-failed"]);

/** An edge's event as the ledger's catalogue has it. */
export function securityEventOf(
  { kind, remoteAddress, status, detail }: EdgeEvent,
  time: number,
): SecurityEvent {
  const reason = `${kind}: ${detail}`;
  return aboutRequests.has(kind)
    ? { type: "edge.request.refused", time, client: remoteAddress, status, reason }
    : { type: "edge.connection.refused", time, client: remoteAddress, reason };
}
