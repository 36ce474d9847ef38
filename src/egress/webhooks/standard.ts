import { fromBase64 } from "../../shared/index.ts";
import { readHeader, readTimestamp, usable } from "./scheme.ts";
import type { WebhookScheme } from "./scheme.ts";

/** What stands before and between is separated by full stops, so a name must have none: else two splits of one text would both be signed. */
const idGrammar = /^[!-\-/-~]{1,128}$/;
/** A key of fewer bytes can be guessed; the specification asks for 24 to 64. */
const leastKeyBytes = 24;

/**
 * Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`. Signatures of kind `v1` count. Those of kind `v1a` are made with a
 * private key that only the sender has (Ed25519), and are left aside: a `webhookSecret` is the key of both sides.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const standardScheme: WebhookScheme = {
  headers: ["webhook-id", "webhook-timestamp", "webhook-signature"],
  read(header) {
    const id = readHeader(header, "webhook-id");
    if (id.fault !== undefined) return id.fault;
    if (!idGrammar.test(id.text)) return "webhook-id is no name";
    const written = readHeader(header, "webhook-timestamp");
    if (written.fault !== undefined) return written.fault;
    const timestamp = readTimestamp(written.text);
    if (timestamp === undefined) return "webhook-timestamp is no time";
    const list = readHeader(header, "webhook-signature");
    if (list.fault !== undefined) return list.fault;
    const signatures = usable(
      list.text
        .split(" ")
        .map((entry) => (entry.startsWith("v1,") ? readBase64(entry.slice("v1,".length)) : undefined)),
    );
    if (typeof signatures === "string") return signatures;
    return { timestamp, prefix: `${id.text}.${written.text}.`, signatures, id: id.text };
  },
  keyOf(value) {
    const key = readBase64(value.startsWith("whsec_") ? value.slice("whsec_".length) : value);
    return key === undefined || key.length < leastKeyBytes ? undefined : key;
  },
};

/** Standard base64; its padding may be left out. */
const readBase64 = (text: string): Uint8Array | undefined =>
  /[-_]/.test(text) ? undefined : fromBase64(text);
