import type { ContractWebhook } from "../../contract/index.ts";
import { toBase64, toHex } from "../../shared/index.ts";

type Headers = Readonly<Record<string, string>>;

/**
 * Signs a body as a scheme says.
 *
 * @param key default: one that nobody else has
 */
export async function forgeSignature(
  scheme: ContractWebhook["scheme"],
  body: Uint8Array,
  at: Date,
  key: Uint8Array<ArrayBuffer> = crypto.getRandomValues(new Uint8Array(32)),
): Promise<Headers> {
  const seconds = Math.floor(at.getTime() / 1000);
  const id = `msg_${crypto.randomUUID()}`;
  const sign = (before: string): Promise<Uint8Array> => hmac(key, before, body);
  switch (scheme) {
    case "standard":
      return {
        "webhook-id": id,
        "webhook-timestamp": `${seconds}`,
        "webhook-signature": `v1,${toBase64(await sign(`${id}.${seconds}.`))}`,
      };
    case "stripe":
      return { "stripe-signature": `t=${seconds},v1=${toHex(await sign(`${seconds}.`))}` };
    case "github":
      return { "x-hub-signature-256": `sha256=${toHex(await sign(""))}` };
    case "slack":
      return {
        "x-slack-request-timestamp": `${seconds}`,
        "x-slack-signature": `v0=${toHex(await sign(`v0:${seconds}:`))}`,
      };
  }
}

async function hmac(key: Uint8Array<ArrayBuffer>, before: string, body: Uint8Array): Promise<Uint8Array> {
  const prefix = new TextEncoder().encode(before);
  const signed = new Uint8Array(prefix.length + body.length);
  signed.set(prefix);
  signed.set(body, prefix.length);
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, signed));
}
