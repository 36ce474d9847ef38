export type { EgressAnswerCode, EgressErrorCode, EgressRefusal } from "./errors.ts";
export { functionHeader, refusalHeader, routeHeader } from "./headers.ts";
export { callerText } from "./types.ts";
export type { EgressCaller, SecretSource, SecretValue } from "./types.ts";
export {
  readWebhookSettlement,
  readWebhookVerdict,
  webhookCheckPath,
  webhookSettlePath,
} from "./webhooks/exchange.ts";
export type { WebhookSettlement } from "./webhooks/exchange.ts";
export { tolerancesOf } from "./webhooks/delivery-journal.ts";
export type { DeliveryJournal } from "./webhooks/delivery-journal.ts";
export type { RememberedDelivery } from "./webhooks/replay-memory.ts";
export { createWebhookChecks, webhookHeaders } from "./webhooks/webhook-checks.ts";
export type {
  Delivery,
  WebhookChecks,
  WebhookChecksOptions,
  WebhookKey,
  WebhookKeys,
  WebhookVerdict,
} from "./webhooks/webhook-checks.ts";
