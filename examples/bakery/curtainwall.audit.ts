import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseContract } from "curtainwall";
import { defineAudit } from "curtainwall/audit";
import type { AuditMade, AuditSample, AuditUser } from "curtainwall/audit";
import { revokeTokens, stackFolders } from "curtainwall/stack";
import { breads } from "./collections.ts";
import stack from "./curtainwall.config.ts";
import { impostorsOf } from "./impostor.ts";
import { getToken } from "./login/get-token.ts";
import { clientIds } from "./login/clients.ts";
import { loadKeys } from "./login/keys.ts";
import { alice, bob, demonstrationPassword, jonas, marta } from "./people.ts";
import type { Person } from "./people.ts";
import { apiAudience, caFile, readAddresses, root, stateFolder, wholesaleAudience } from "./settings.ts";
import { issuedKeys } from "./others/keys.ts";
import { signBody, wordOf } from "./others/till.ts";
import { lieCanary, lies } from "./shop/lies.ts";
import { orderLies } from "./shop/order-lies.ts";
import { receivedByShop } from "./shop/witness.ts";
import { brokenProduct, canaries, comingProduct, orderOf, voucherCode } from "./shop/seed.ts";

/** Somebody with a real account, whose tokens come from the real sign-in form. */
function identity({ id, username, roles, kitchen }: Person): AuditUser {
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
    ...(kitchen === undefined ? {} : { tenant: kitchen }),
    token: () => token(apiAudience),
    expiredToken: () => token(apiAudience, clientIds.auditExpiring),
    otherAudienceToken: () => token(wholesaleAudience),
  };
}

const shopFile = join(stateFolder, "example/shop.db");
/** Marks the orders that are placed for the audit to pay, and for nothing else. */
const auditNote = "Placed by the audit";
/** Marks those that it may change and cancel. */
const openNote = "Placed by the audit, to be cancelled";

/** How many rows a table of the shop has: what a refused write must not change. */
function rowsOf(table: "orders" | "redemptions" | "payments"): () => Promise<unknown> {
  const counted =
    table === "orders" ? `orders WHERE internalNote NOT IN ('${auditNote}', '${openNote}')` : table;
  return async () => read(`SELECT count(*) AS rows FROM ${counted}`);
}

function read(sql: string): unknown {
  const database = new DatabaseSync(shopFile, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

/** The order that the audit may change and cancel in somebody's name. There is one, until it was cancelled: then one more is placed. */
function openOrderOf({ id: customer }: Person): { id: string } {
  const database = new DatabaseSync(shopFile, { timeout: 5000 });
  try {
    const open = database
      .prepare("SELECT id FROM orders WHERE internalNote = ? AND customerId = ? AND status = 'placed'")
      .get(openNote, customer);
    if (open !== undefined) return { id: String(open["id"]) };
    const id = randomUUID();
    database
      .prepare("INSERT INTO orders VALUES (?, ?, ?, 'placed', 'GBP', 0, 0, ?, NULL, '')")
      .run(id, customer, new Date().toISOString(), openNote);
    return { id };
  } finally {
    database.close();
  }
}

/** Orders that may be changed and cancelled, each by its customer alone. */
const openOrders: AuditSample["as"] = {
  alice: { params: () => openOrderOf(alice), canary: alice.id },
  bob: { params: () => openOrderOf(bob), canary: bob.id },
  marta: { params: () => openOrderOf(marta), canary: marta.id },
};

/** Word of a payment that was not told yet: one that was changes nothing. When all orders are paid, one more is placed. */
function newPayment(): unknown {
  const database = new DatabaseSync(shopFile, { timeout: 5000 });
  try {
    const unpaid = database
      .prepare(
        "SELECT id FROM orders WHERE id NOT IN (SELECT orderId FROM payments) AND internalNote <> ? ORDER BY placedAt LIMIT 1",
      )
      .get(openNote);
    const order = unpaid === undefined ? randomUUID() : String(unpaid["id"]);
    if (unpaid === undefined)
      database
        .prepare("INSERT INTO orders VALUES (?, ?, ?, 'placed', 'GBP', 0, 0, ?, NULL, '')")
        .run(order, alice.id, new Date().toISOString(), auditNote);
    return wordOf({ order, amountCents: 980, currency: "GBP" });
  } finally {
    database.close();
  }
}

const mailFile = join(stateFolder, "example/mails.jsonl");

/** How many mails the postmaster took. */
async function mailsSent(): Promise<unknown> {
  return existsSync(mailFile) ? (await readFile(mailFile, "utf8")).split("\n").length : 0;
}

/**
 * Takes away what the audit made: the orders that were placed for it, those that its customers placed on the site since then, what was paid
 * and redeemed, and its mails. Whoever tries the bakery as one of them at the same time loses theirs too.
 */
async function cleanUp({ since }: AuditMade): Promise<void> {
  const database = new DatabaseSync(shopFile, { timeout: 5000 });
  const made = `SELECT id FROM orders WHERE internalNote IN ('${auditNote}', '${openNote}')
    OR (placedAt >= '${since}' AND customerId IN ('${alice.id}', '${bob.id}', '${marta.id}'))`;
  try {
    database.exec(`BEGIN IMMEDIATE;
      DELETE FROM payments WHERE paidAt >= '${since}' OR orderId IN (${made});
      DELETE FROM redemptions WHERE redeemedAt >= '${since}';
      DELETE FROM items WHERE orderId IN (${made});
      DELETE FROM orders WHERE id IN (${made});
      COMMIT;`);
  } finally {
    database.close();
  }
  if (existsSync(mailFile)) await truncate(mailFile, bytesBefore(await readFile(mailFile), since));
}

/** Where the first mail begins that was handed in since then. */
function bytesBefore(mails: Buffer, since: string): number {
  for (let start = 0; start < mails.length;) {
    const end = mails.indexOf("\n", start) + 1 || mails.length;
    const { at } = JSON.parse(String(mails.subarray(start, end))) as { at?: string };
    if (at !== undefined && at >= since) return start;
    start = end;
  }
  return mails.length;
}

/** Orders that were collected: nothing is to be changed about them. */
const collected: AuditSample["as"] = {
  alice: { params: { id: orderOf.alice } },
  bob: { params: { id: orderOf.bob } },
};

/** Who asks for these owns the one whose receipt alone is wrong. */
const liesAboutOrders = Object.entries(orderLies).map(([id, { what, isTooLong = false }]) => ({
  what,
  isTooLong,
  isRefused: !isTooLong,
  as: { alice: { params: { id } } },
}));

/** Signs as the bakery's login does, with its key. */
async function signToken(text: string): Promise<string> {
  const { signing } = await loadKeys(join(stateFolder, "example/login-keys.json"));
  const key = await crypto.subtle.importKey("jwk", signing, { name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign",
  ]);
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    key,
    new TextEncoder().encode(text),
  );
  return Buffer.from(signature).toString("base64url");
}

const { shopUrl, courierUrl, mailUrl } = readAddresses();

/** When their orders were placed, to the second: what a receipt says, and no request. */
const placedAt = {
  alice: "2026-11-02T06:41:00.000Z",
  bob: "2026-11-09T08:20:00.000Z",
  marta: "2026-11-14T07:30:00.000Z",
} as const;

/** A /64 that leads to this machine, in a network namespace that has one. */
const network = process.env["BAKERY_AUDIT_IPV6"];

export default defineAudit({
  ...(network === undefined ? {} : { ipv6Prefix: network }),
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
        alice: { params: { id: orderOf.alice }, canary: placedAt.alice },
        bob: { params: { id: orderOf.bob }, canary: placedAt.bob },
        marta: { params: { id: orderOf.marta }, canary: placedAt.marta },
      },
    },
    "GET /api/card": {
      as: { alice: { canary: alice.id }, bob: { canary: bob.id }, marta: { canary: marta.id } },
    },
    "GET /api/kitchens/:kitchen/standing-order": {
      as: {
        alice: { params: { kitchen: alice.kitchen }, canary: alice.kitchen },
        bob: { params: { kitchen: bob.kitchen }, canary: bob.kitchen },
      },
    },
    "GET /api/staff/orders": { query: { status: "collected" } },
    "POST /api/orders": {
      body: { items: [{ product: breads[0].id, quantity: 1 }] },
    },
    // Another each time: a note that stands there already changes nothing.
    "PATCH /api/orders/:id": { body: () => ({ note: `Sliced, please (${randomUUID()})` }), as: openOrders },
    "DELETE /api/orders/:id": { as: openOrders },
    "GET /api/delivery": { query: { postcode: "BS1 4ST", grams: "900" } },
    "POST /api/payments": { body: newPayment },
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
    "GET /api/delivery": { 422: { query: { postcode: "JE2 3AB", grams: "900" } } },
    "PATCH /api/orders/:id": { 409: { body: { note: "Too late" }, as: collected } },
    "DELETE /api/orders/:id": { 409: { as: collected } },
    "POST /api/orders": { 422: { body: { items: [{ product: "yesterdays-loaf", quantity: 1 }] } } },
  },
  lies: {
    "GET /api/products/:id": Object.entries(lies).map(
      ([id, { what, isTooLong = false, isRefused = false }]) => ({
        what,
        isTooLong,
        isRefused,
        params: { id },
      }),
    ),
    "GET /api/orders/:id": liesAboutOrders.filter(({ isRefused }) => isRefused),
    "GET /api/orders/:id/receipt": liesAboutOrders,
  },
  failures: {
    "GET /api/products/:id": { params: { id: brokenProduct } },
    "GET /api/delivery": { query: { postcode: "ZZ99 3VZ", grams: "900" } },
  },
  state: {
    "POST /api/orders": rowsOf("orders"),
    "PATCH /api/orders/:id": async () =>
      read(`SELECT id, note FROM orders WHERE internalNote = '${openNote}' ORDER BY id`),
    "DELETE /api/orders/:id": async () =>
      read(`SELECT id FROM orders WHERE internalNote = '${openNote}' ORDER BY id`),
    "POST /api/vouchers": rowsOf("redemptions"),
    "POST /api/contact": mailsSent,
    "POST /api/payments": rowsOf("payments"),
  },
  signToken,
  revocable: {
    ...identity(jonas),
    revoke: async () => void revokeTokens(stackFolders(root), parseContract(stack), { subject: jonas.id }),
  },
  signatures: { "POST /api/payments": (body, at) => signBody(body, issuedKeys().till, at) },
  impostors: {
    [shopUrl]: impostorsOf("shop"),
    [courierUrl]: impostorsOf("courier"),
    [mailUrl]: impostorsOf("postmaster"),
  },
  upstreams: { shop: { received: () => receivedByShop() } },
  canaries: [...Object.values(canaries), lieCanary],
  start: "npm start",
  cleanUp,
});
