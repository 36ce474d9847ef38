import type { ContractRoute } from "../../contract/index.ts";
import type { RouteStep } from "../explain/explain.ts";

const senders = {
  standard: "Standard Webhooks",
  stripe: "Stripe",
  github: "GitHub",
  slack: "Slack",
} as const satisfies Record<NonNullable<ContractRoute["webhook"]>["scheme"], string>;

/** Says how a route's senders sign, if they do. */
export function explainWebhook({ webhook }: ContractRoute): RouteStep | false {
  if (webhook === undefined) return false;
  const { scheme, secret, toleranceSeconds } = webhook;
  const time =
    scheme === "github"
      ? `not twice within ${toleranceSeconds} s`
      : `within ${toleranceSeconds} s, and not twice`;
  return {
    check: "signature",
    passes: `signed as ${senders[scheme]} does with ${secret}, ${time}; checked by egress, before anything is parsed`,
    otherwise: "403 GATEWAY_WEBHOOK_REFUSED, 409 GATEWAY_WEBHOOK_UNDER_WAY, 503 GATEWAY_WEBHOOKS_UNAVAILABLE",
  };
}
