import { keyOfText, readHeader, readHexSignature, readTimestamp, usable } from "./scheme.ts";
import type { WebhookScheme } from "./scheme.ts";

/**
 * Stripe's: `Stripe-Signature: t=…,v1=…,v1=…`, over the time, a full stop and the body. `v0` is of test deliveries, made with nobody's key, and
 * counts for nothing. The key is the whole text, `whsec_` with it.
 *
 * @see https://docs.stripe.com/webhooks#verify-manually
 */
export const stripeScheme: WebhookScheme = {
  headers: ["stripe-signature"],
  read(header) {
    const given = readHeader(header, "stripe-signature");
    if (given.fault !== undefined) return given.fault;
    const parts = given.text.split(",").map((part) => part.trim());
    const valuesOf = (name: string): string[] =>
      parts.flatMap((part) => (part.startsWith(`${name}=`) ? [part.slice(name.length + 1)] : []));
    const [time, ...others] = valuesOf("t");
    const timestamp = others.length === 0 ? readTimestamp(time) : undefined;
    if (timestamp === undefined) return "stripe-signature says no one time";
    const signatures = usable(valuesOf("v1").map(readHexSignature));
    if (typeof signatures === "string") return signatures;
    return { timestamp, prefix: `${time}.`, signatures, id: undefined };
  },
  keyOf: keyOfText,
};
