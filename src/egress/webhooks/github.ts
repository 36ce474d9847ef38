import { keyOfText, readHeader, readHexSignature, usable } from "./scheme.ts";
import type { WebhookScheme } from "./scheme.ts";

/**
 * GitHub's: `X-Hub-Signature-256: sha256=…`, over the body and nothing else. `X-GitHub-Delivery` is not signed, whoever sends a delivery again
 * can give it another: so it is known by its body.
 *
 * @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
export const githubScheme: WebhookScheme = {
  headers: ["x-hub-signature-256"],
  read(header) {
    const given = readHeader(header, "x-hub-signature-256");
    if (given.fault !== undefined) return given.fault;
    const signatures = usable([
      given.text.startsWith("sha256=") ? readHexSignature(given.text.slice("sha256=".length)) : undefined,
    ]);
    if (typeof signatures === "string") return signatures;
    return { timestamp: undefined, prefix: "", signatures, id: undefined };
  },
  keyOf: keyOfText,
};
