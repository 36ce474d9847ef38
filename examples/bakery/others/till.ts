import { createHmac, randomUUID } from "node:crypto";
import type { Server } from "node:https";
import { createApi, nothingHere } from "./api.ts";
import type { ApiAnswer, Certificate } from "./api.ts";

/** A request that the till sends. */
export interface SignedDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What was paid. */
export interface Payment {
  readonly order: string;
  readonly amountCents: number;
  readonly currency: string;
}

/** What the till says of a payment. */
export const wordOf = (payment: Payment, now: Date = new Date()) => ({
  type: "payment.succeeded",
  timestamp: now.toISOString(),
  data: payment,
});

/** Signs a body as Standard Webhooks says: over a new id, the time and the body. Returns the headers that go beside it. */
export function signBody(body: string | Uint8Array, key: string, now: Date): Record<string, string> {
  const id = `msg_${randomUUID()}`;
  const seconds = Math.floor(now.getTime() / 1000).toString();
  const secret = Buffer.from(key.replace("whsec_", ""), "base64");
  const signature = createHmac("sha256", secret).update(`${id}.${seconds}.`).update(body).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": `v1,${signature}` };
}

/** Word of a payment, signed. */
export function signDelivery(payment: Payment, key: string, now: Date = new Date()): SignedDelivery {
  const body = JSON.stringify(wordOf(payment, now));
  return { headers: { "content-type": "application/json", ...signBody(body, key, now) }, body };
}

/** Options of {@link createTill}. */
export interface TillOptions {
  readonly certificate: Certificate;
  readonly key: string;
  /** Takes a delivery to the bakery; says how it was answered. */
  readonly send: (delivery: SignedDelivery) => Promise<number>;
}

/** Whoever takes payments. Here nobody pays: `POST /v1/demonstrations` does as if somebody had. */
export function createTill({ certificate, key, send }: TillOptions): Server {
  return createApi(certificate, async ({ method, url, body }): Promise<ApiAnswer> => {
    if (method !== "POST" || url.pathname !== "/v1/demonstrations") return nothingHere;
    const { order, amountCents, currency } = JSON.parse(body) as Payment;
    const status = await send(signDelivery({ order, amountCents, currency }, key));
    return { status: 200, body: { answered: status } };
  });
}
