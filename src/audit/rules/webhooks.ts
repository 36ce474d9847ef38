import type { ContractRoute, ContractWebhook } from "../../contract/index.ts";
import type { AuditContext } from "../context.ts";
import { withoutRoutes } from "./shared.ts";

/** A route that takes what its sender signed. */
export type WebhookRoute = ContractRoute & { readonly webhook: ContractWebhook };

/** Routes that take what their senders signed. */
export function webhookRoutes({ contract }: AuditContext): WebhookRoute[] {
  return contract.routes.filter(takesWebhooks);
}

/** Tells whether a route takes what its sender signed. */
export const takesWebhooks = (route: ContractRoute): route is WebhookRoute => route.webhook !== undefined;

/** For {@link Check.notApplicable}: no route takes webhooks. */
export const withoutWebhooks = (context: AuditContext): string | undefined =>
  withoutRoutes(context) ?? (webhookRoutes(context).length === 0 ? "no route takes webhooks" : undefined);
