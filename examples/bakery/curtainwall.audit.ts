import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { defineAudit } from "curtainwall/audit";
import type { AuditIdentity } from "curtainwall/audit";
import { breads } from "./collections.ts";
import { getToken } from "./login/get-token.ts";
import { clientIds } from "./login/clients.ts";
import { alice, bob, demonstrationPassword, marta } from "./people.ts";
import type { Person } from "./people.ts";
import { apiAudience, caFile, readAddresses, root, stateFolder, wholesaleAudience } from "./settings.ts";
import { brokenProduct, canaries, comingProduct, orderOf, voucherCode } from "./shop/seed.ts";

/** Somebody with a real account, whose tokens come from the real sign-in form. */
function identity({ id, username, roles }: Person): AuditIdentity {
  const token = async (audience: string, clientId: string = clientIds.audit): Promise<string> =>
    getToken({
      issuer: readAddresses().loginUrl,
      ca: await readFile(join(root, caFile), "utf8"),
      username,
      password: demonstrationPassword,
      audience,
      clientId,
    });
  return {
    subject: id,
    roles,
    token: () => token(apiAudience),
    expiredToken: () => token(apiAudience, clientIds.auditExpiring),
    otherAudienceToken: () => token(wholesaleAudience),
  };
}

/** How many rows a table of the shop has: what a refused write must not change. */
function rowsOf(table: "messages" | "orders" | "redemptions"): () => Promise<unknown> {
  return async () => {
    const database = new DatabaseSync(join(stateFolder, "example/shop.db"), { readOnly: true });
    try {
      return database.prepare(`SELECT count(*) AS rows FROM ${table}`).get();
    } finally {
      database.close();
    }
  };
}

export default defineAudit({
  identities: { alice: identity(alice), bob: identity(bob), marta: identity(marta) },
  samples: {
    "GET /api/products/:id": { params: { id: breads[0].id } },
    "GET /api/users/:user/orders": {
      as: {
        alice: { params: { user: alice.id }, canary: alice.id },
        bob: { params: { user: bob.id }, canary: bob.id },
        marta: { params: { user: marta.id }, canary: marta.id },
      },
    },
    "GET /api/orders/:id": {
      as: {
        alice: { params: { id: orderOf.alice }, canary: alice.id },
        bob: { params: { id: orderOf.bob }, canary: bob.id },
        marta: { params: { id: orderOf.marta }, canary: marta.id },
      },
    },
    "GET /api/orders/:id/receipt": {
      as: {
        alice: { params: { id: orderOf.alice }, canary: orderOf.alice },
        bob: { params: { id: orderOf.bob }, canary: orderOf.bob },
        marta: { params: { id: orderOf.marta }, canary: orderOf.marta },
      },
    },
    "GET /api/staff/orders": { query: { status: "collected" } },
    "POST /api/orders": {
      body: { items: [{ product: breads[0].id, quantity: 1 }] },
    },
    "POST /api/vouchers": { body: { code: voucherCode } },
    "POST /api/contact": {
      body: { name: "The audit", email: "audit@example.com", message: "Only testing that this arrives." },
    },
  },
  hidden: {
    "GET /api/products": { canary: comingProduct.name },
    "GET /api/products/:id": { params: { id: comingProduct.id }, canary: comingProduct.name },
  },
  guesses: { "POST /api/vouchers": { body: { code: "FREE-BREAD" } } },
  errors: {
    "POST /api/orders": { 422: { body: { items: [{ product: "yesterdays-loaf", quantity: 1 }] } } },
  },
  failures: { "GET /api/products/:id": { params: { id: brokenProduct } } },
  state: {
    "POST /api/orders": rowsOf("orders"),
    "POST /api/vouchers": rowsOf("redemptions"),
    "POST /api/contact": rowsOf("messages"),
  },
  canaries: Object.values(canaries),
  start: "npm start",
});
