import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ContractWebhook, SecurityEvent } from "../../contract/index.ts";
import { Secret } from "../../shared/index.ts";
import { createWebhookChecks, webhookHeaders } from "./webhook-checks.ts";

const schemes: ContractWebhook["scheme"][] = ["standard", "stripe", "github", "slack"];
const key = ["whsec", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"].join("_");
const nowMs = 1_800_000_000_000;

/** What somebody would write who knows how such headers look. */
const piece = fc.constantFrom(
  "v1,",
  "v1=",
  "v0=",
  "v1a,",
  "sha256=",
  "t=",
  "1800000000",
  "1799999999",
  ",",
  " ",
  "=",
  ".",
  ":",
  "-1",
  "1e9",
  "0",
  "\0",
  "é",
  "%00",
  "a".repeat(64),
  "0".repeat(64),
  `${"A".repeat(43)}=`,
  "__proto__",
  "x".repeat(3000),
);
const header = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
  fc.string({ maxLength: 60 }),
  fc.constant(undefined),
);

test("whatever headers somebody without the key sends, no delivery of theirs is genuine, nothing throws, and nothing is remembered", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...schemes),
      fc.array(header, { minLength: webhookHeaders.length, maxLength: webhookHeaders.length }),
      fc.uint8Array({ maxLength: 50 }),
      async (scheme, values, body) => {
        const events: SecurityEvent[] = [];
        const checks = createWebhookChecks({
          routes: [{ key: "r", webhook: { scheme, secret: "KEY", toleranceSeconds: 300 }, timeoutMs: 1 }],
          keys: { keysOf: async () => [{ version: 1, value: new Secret(key) }] },
          events: (event) => void events.push(event),
          // Were anything remembered, the second would be told that there is no room.
          maxRemembered: 0,
          now: () => nowMs,
        });
        for (let time = 0; time < 2; time++) {
          const given = (name: string): string | undefined => values[webhookHeaders.indexOf(name)];
          const verdict = await checks.check({ route: "r", header: given, body });
          assert.equal(verdict.kind, "refused");
        }
        assert.ok(events.every(({ type }) => type === "webhook.refused"));
        assert.ok(!JSON.stringify(events).includes(key));
      },
    ),
  );
});

test("settling what was never asked about changes nothing, and takes nothing", async () => {
  const checks = createWebhookChecks({
    routes: [{ key: "r", webhook: { scheme: "slack", secret: "KEY", toleranceSeconds: 300 }, timeoutMs: 1 }],
    keys: { keysOf: async () => [] },
    events: () => undefined,
  });
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.boolean(), async (ticket, isTaken) =>
      assert.equal(await checks.settle(ticket, isTaken), !isTaken),
    ),
  );
  assert.equal(await checks.settle("KEY __proto__ constructor", true), false);
});
