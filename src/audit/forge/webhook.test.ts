import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { verify } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import { Stripe } from "stripe";
import { forgeSignature } from "./webhook.ts";

// A forgery has to be right in all but its key: else it would be refused for its form, and show nothing. So it is held to what senders publish.

const text = '{"sacks":3}';
const body = new TextEncoder().encode(text);
const secret = "a-key-for-tests-of-32-characters";
const key = new TextEncoder().encode(secret);

test("a Standard Webhooks signature made with the right key is right", async () => {
  const headers = await forgeSignature("standard", body, new Date(), key);
  const webhook = new Webhook(Buffer.from(secret).toString("base64"));
  assert.deepEqual(webhook.verify(text, { ...headers }), { sacks: 3 });
  assert.throws(() => webhook.verify(`${text} `, { ...headers }));
});

test("a Stripe signature made with the right key is right", async () => {
  const { "stripe-signature": signature = "" } = await forgeSignature("stripe", body, new Date(), key);
  assert.ok(Stripe.webhooks.constructEvent(text, signature, secret, 300));
});

test("a GitHub signature made with the right key is right", async () => {
  const { "x-hub-signature-256": signature = "" } = await forgeSignature("github", body, new Date(), key);
  assert.equal(await verify(secret, text, signature), true);
});

test("a Slack signature made with the right key is right", async () => {
  const headers = await forgeSignature("slack", body, new Date(1_700_000_000_000), key);
  const made = createHmac("sha256", secret).update(`v0:1700000000:${text}`).digest("hex");
  assert.deepEqual(headers, {
    "x-slack-request-timestamp": "1700000000",
    "x-slack-signature": `v0=${made}`,
  });
});

test("without a key it is signed with another each time", async () => {
  const at = new Date();
  const [one, other] = await Promise.all([
    forgeSignature("github", body, at),
    forgeSignature("github", body, at),
  ]);
  assert.notDeepEqual(one, other);
});
