import { keyOfText, readHeader, readHexSignature, readTimestamp, usable } from "./scheme.ts";
import type { WebhookScheme } from "./scheme.ts";

/**
 * Slack's: `X-Slack-Signature: v0=…` over `v0:`, the time in `X-Slack-Request-Timestamp`, a colon and the body.
 *
 * @see https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export const slackScheme: WebhookScheme = {
  headers: ["x-slack-signature", "x-slack-request-timestamp"],
  read(header) {
    const written = readHeader(header, "x-slack-request-timestamp");
    if (written.fault !== undefined) return written.fault;
    const timestamp = readTimestamp(written.text);
    if (timestamp === undefined) return "x-slack-request-timestamp is no time";
    const given = readHeader(header, "x-slack-signature");
    if (given.fault !== undefined) return given.fault;
    const signatures = usable([
      given.text.startsWith("v0=") ? readHexSignature(given.text.slice("v0=".length)) : undefined,
    ]);
    if (typeof signatures === "string") return signatures;
    return { timestamp, prefix: `v0:${written.text}:`, signatures, id: undefined };
  },
  keyOf: keyOfText,
};
