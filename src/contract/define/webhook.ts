/** How a sender signs its webhooks, and with which secret. Made by {@link standardWebhook}, {@link stripe}, {@link github} and {@link slack}. */
export interface WebhookOption<Name extends string = string> {
  readonly kind: "webhook";
  readonly scheme: "standard" | "stripe" | "github" | "slack";
  /** The name of a `webhookSecret`. */
  readonly secret: Name;
  /** How old a signature may be, in seconds. GitHub's say no time. */
  readonly toleranceSeconds: number;
}

/** Options of a webhook's scheme. */
export interface WebhookOptions {
  /** How old a signature may be, and how far ahead of our clock, in seconds, 10 to 3 600. Default 300. */
  toleranceSeconds?: number;
}

/** Makes a webhook's option, given the secret that its sender signs with. */
type WebhookScheme = <const Name extends string>(
  secret: Name,
  options?: WebhookOptions,
) => WebhookOption<Name>;

const webhook =
  (scheme: WebhookOption["scheme"]): WebhookScheme =>
  (secret, options) =>
    // What is misspelt is kept too, so that the contract's check tells it.
    Object.freeze({ toleranceSeconds: 300, ...options, kind: "webhook", scheme, secret });

/** Signed as Standard Webhooks says: `webhook-id`, `webhook-timestamp`, `webhook-signature`. */
export const standardWebhook: WebhookScheme = webhook("standard");

/** Signed as Stripe does: `Stripe-Signature: t=…,v1=…`. */
export const stripe: WebhookScheme = webhook("stripe");

/** Signed as GitHub does: `X-Hub-Signature-256`. It signs no time: what is sent again is known by `X-GitHub-Delivery` while we remember it. */
export const github: WebhookScheme = webhook("github");

/** Signed as Slack does: `X-Slack-Signature` over `X-Slack-Request-Timestamp` and the body. */
export const slack: WebhookScheme = webhook("slack");
