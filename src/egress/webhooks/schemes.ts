import type { ContractWebhook } from "../../contract/index.ts";
import { githubScheme } from "./github.ts";
import type { WebhookScheme } from "./scheme.ts";
import { slackScheme } from "./slack.ts";
import { standardScheme } from "./standard.ts";
import { stripeScheme } from "./stripe.ts";

/** How each sender signs, by the contract's name for it. */
export const webhookSchemes: Readonly<Record<ContractWebhook["scheme"], WebhookScheme>> = {
  standard: standardScheme,
  stripe: stripeScheme,
  github: githubScheme,
  slack: slackScheme,
};
