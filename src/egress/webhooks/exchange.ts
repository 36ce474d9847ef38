import type { WebhookVerdict } from "./webhook-checks.ts";

// How the edge asks about webhooks: HTTP on the socket that it reaches egress by, in origin form, which no request to a service has.

/** Where a delivery is judged: its body, the headers that schemes need, and the route in `x-curtainwall-route`. */
export const webhookCheckPath = "/webhooks/check";
/** Where it is told how one was answered: a {@link WebhookSettlement}. */
export const webhookSettlePath = "/webhooks/settle";

/** How a genuine delivery was answered. */
export interface WebhookSettlement {
  readonly ticket: string;
  readonly isTaken: boolean;
}

/** Reads a settlement; undefined: it is none. */
export function readWebhookSettlement(value: unknown): WebhookSettlement | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { ticket, isTaken } = value as Record<string, unknown>;
  return typeof ticket === "string" && typeof isTaken === "boolean" ? { ticket, isTaken } : undefined;
}

/** Reads a verdict; undefined: it is none. */
export function readWebhookVerdict(value: unknown): WebhookVerdict | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, ticket, reason } = value as Record<string, unknown>;
  switch (kind) {
    case "genuine":
      return typeof ticket === "string" ? { kind, ticket } : undefined;
    case "repeated":
    case "under-way":
      return { kind };
    case "refused":
    case "unavailable":
      return typeof reason === "string" ? { kind, reason } : undefined;
    default:
      return undefined;
  }
}
