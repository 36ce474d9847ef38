import assert from "node:assert/strict";
import { generateKeyPair, hash, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { developmentCertificate } from "curtainwall/edge";
import { createAssertionVerifier } from "curtainwall/upstream";
import { SignJWT } from "jose";
import { breads, currency } from "../collections.ts";
import { close, listen } from "../listen.ts";
import { alice, bob } from "../people.ts";
import { openShopDatabase } from "./database.ts";
import { brokenProduct, canaries, comingProduct, orderOf, voucherCode } from "./seed.ts";
import { createShop } from "./server.ts";
import { createWitness, receivedByShop } from "./witness.ts";

const origin = "https://bakery.test";
const audience = "https://shop.bakery.test";

interface Call {
  subject?: string;
  body?: unknown;
  rawBody?: string;
  contentType?: string;
  /** Undefined signs an assertion for this very request. */
  assertion?: string | null;
  shopKey?: string;
}

const running = await startShop();
after(running.stop);

async function startShop() {
  const folder = await mkdtemp(join(tmpdir(), "bakery-shop-"));
  const certificate = await developmentCertificate({ folder: join(folder, "ca"), hosts: ["localhost"] });
  const { publicKey, privateKey } = await promisify(generateKeyPair)("ed25519");
  const jwksFile = join(folder, "assertion.jwks.json");
  await writeFile(jwksFile, JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1" }] }));
  const database = openShopDatabase({ file: join(folder, "shop.db"), products: breads, currency });
  const errors: unknown[] = [];
  const witness = createWitness();
  const server = createShop({
    database,
    certificate,
    verify: createAssertionVerifier({ jwksFile, audience, issuer: origin }),
    paymentsKey: "opens-payments-in-tests",
    onArrival: witness.note,
    onError: (error) => errors.push(error),
  });
  const port = await listen(server, { name: "the shop", port: 0, variable: "BAKERY_SHOP_PORT" });

  const sign = (method: string, path: string, subject?: string, text?: string): Promise<string> => {
    const body = text === undefined ? {} : { body: hash("sha256", text, "base64url") };
    const token = new SignJWT({ htm: method, htp: path, roles: [], ...body })
      .setProtectedHeader({ alg: "EdDSA", typ: "curtainwall-assertion+jwt", kid: "1" })
      .setIssuer(origin)
      .setAudience(`${audience}/`)
      .setIssuedAt()
      .setExpirationTime("30s")
      .setJti(randomUUID());
    return (subject === undefined ? token : token.setSubject(subject)).sign(privateKey);
  };

  return {
    port,
    folder,
    database,
    sign,
    errors,
    witness,
    certificate,
    stop: async () => {
      await close(server);
      database.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function call(
  method: string,
  path: string,
  { subject, body, rawBody, contentType, assertion, shopKey }: Call = {},
) {
  const text = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  const signed = assertion === undefined ? await running.sign(method, path, subject, text) : assertion;
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const outgoing = request(
    {
      host: "localhost",
      port: running.port,
      ca: running.certificate.ca,
      method,
      path,
      agent: false,
      headers: {
        ...(signed === null ? {} : { "curtainwall-assertion": signed }),
        ...(shopKey === undefined ? {} : { "x-shop-key": shopKey }),
        ...(text === undefined ? {} : { "content-type": contentType ?? "application/json" }),
      },
    },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    },
  );
  outgoing.on("error", reject);
  outgoing.end(text);
  const answer = await promise;
  const json = JSON.parse(answer.text) as Record<string, unknown>;
  return { ...answer, json };
}

const newOrder = { items: [{ product: breads[0].id, quantity: 2 }] };

test("the witness tells whoever can read the state folder what came, and nobody else", async () => {
  const door = await running.witness.open(running.folder);
  const file = join(running.folder, "example/shop-witness.json");
  try {
    const subject = alice.id;
    await call("POST", "/api/orders?of=the-witness", { subject, rawBody: '{"items":"none"}' });
    const seen = (await receivedByShop(running.folder)).find(({ target }) => target.endsWith("the-witness"));
    assert.equal(seen?.method, "POST");
    assert.match(String(seen?.headers["curtainwall-assertion"]), /^e/);
    assert.deepEqual(seen?.body, { base64: btoa('{"items":"none"}') });
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const { url } = JSON.parse(await readFile(file, "utf8")) as { url: string };
    const uninvited = await fetch(url, { headers: { authorization: "Bearer guessed", connection: "close" } });
    assert.deepEqual([uninvited.status, await uninvited.json()], [403, {}]);
  } finally {
    door.close();
  }
});

test("the witness tells of payments too, and never the key that they come with", async () => {
  const door = await running.witness.open(running.folder);
  try {
    const shopKey = "opens-payments-in-tests";
    await call("POST", "/payments", { assertion: null, body: { order: randomUUID() }, shopKey });
    await call("POST", "/payments", { assertion: null, body: { order: "none" }, shopKey: "guessed" });
    const received = await receivedByShop(running.folder);
    assert.equal(received.filter(({ target }) => target === "/payments").length, 1);
    assert.doesNotMatch(JSON.stringify(received), /opens-payments/);
  } finally {
    door.close();
  }
});

test("the witness forgets what came long ago, and keeps no more than the beginning of a body", async () => {
  const witness = createWitness();
  const arrival = { method: "GET", target: "/", headers: {}, body: new Uint8Array(100_000) };
  for (let count = 0; count < 400; count++) witness.note({ ...arrival, target: `/${count}` });
  const door = await witness.open(running.folder);
  try {
    const received = await receivedByShop(running.folder);
    assert.deepEqual([received.length, received[0]?.target, received.at(-1)?.target], [300, "/100", "/399"]);
    const { body } = received[0] ?? {};
    assert.equal(typeof body === "object" && atob(body.base64).length, 16_384);
  } finally {
    door.close();
  }
});

test("a request without an assertion is refused, and so is one with a forged one", async () => {
  assert.equal((await call("GET", "/api/products", { assertion: null })).status, 401);
  assert.equal((await call("GET", "/api/products", { assertion: "e30.e30.e30" })).status, 401);
});

test("an assertion for one request does not open another", async () => {
  const assertion = await running.sign("GET", "/api/products");
  assert.equal((await call("GET", "/api/products", { assertion })).status, 200);
  assert.equal((await call("GET", "/api/staff/orders", { assertion })).status, 401);
  assert.equal((await call("GET", "/api/products?a=1", { assertion })).status, 401);
});

test("the products are those of the site, in its order, at its prices, and one that is not announced", async () => {
  const { status, json } = await call("GET", "/api/products");
  assert.equal(status, 200);
  const all = json["products"] as {
    id: string;
    name: string;
    priceCents: number;
    available: boolean;
    announced: boolean;
  }[];
  const products = all.filter(({ announced }) => announced);
  assert.deepEqual(
    all.filter(({ announced }) => !announced).map(({ id }) => id),
    [comingProduct.id],
  );
  assert.deepEqual(
    products.map(({ id, name, priceCents }) => ({ id, name, priceCents })),
    breads.map(({ id, name, priceCents }) => ({ id, name, priceCents })),
  );
  assert.ok(products.every(({ available }) => available));
});

test("the shop sends internal columns along: keeping them in is the gateway's work", async () => {
  const { text } = await call("GET", `/api/products/${breads[0].id}`);
  assert.match(text, /costCents/);
  assert.ok(text.includes(canaries.supplierNote) && text.includes(canaries.laboratory));
  const order = await call("GET", `/api/orders/${orderOf.alice}`, { subject: alice.id });
  assert.ok(order.text.includes(canaries.passwordHash) && order.text.includes(canaries.orderNote));
});

test("a voucher is redeemed by its code, each time with a row; another code is 422", async () => {
  const rows = () => running.database.prepare("SELECT count(*) AS rows FROM redemptions").get()?.["rows"];
  assert.equal((await call("POST", "/api/vouchers", { body: { code: "FREE-BREAD" } })).status, 422);
  assert.equal(rows(), 0);
  const { status, json } = await call("POST", "/api/vouchers", { body: { code: voucherCode } });
  assert.equal(status, 200);
  assert.equal(json["percentOff"], 10);
  assert.equal(rows(), 1);
});

test("an unknown product is 404, and text that looks like SQL is only text", async () => {
  assert.equal((await call("GET", "/api/products/no-such-bread")).status, 404);
  const sql = encodeURIComponent("x' OR '1'='1'; DROP TABLE products; --");
  assert.equal((await call("GET", `/api/products/${sql}`)).status, 404);
  assert.deepEqual((await call("GET", `/api/staff/orders?status=${sql}`)).json["orders"], []);
  assert.equal((await call("GET", "/api/products")).status, 200);
});

test("a card is that of who asks, with the loaves that were collected, and may be said again for a while", async () => {
  const card = async (subject: string) => call("GET", "/api/card", { subject });
  const ofAlice = await card(alice.id);
  assert.deepEqual(
    [ofAlice.json["id"], ofAlice.json["loaves"]],
    [alice.id, 3],
    "what is baking is not had yet",
  );
  assert.equal((await card(bob.id)).json["loaves"], 7);
  assert.ok(ofAlice.text.includes(canaries.passwordHash), "the whole row, as careless code sends it");
  assert.equal((await card(randomUUID())).status, 404);
});

test("a kitchen's standing order is sent to whoever the gateway lets ask, with what is nobody's business", async () => {
  const { text, json } = await call("GET", `/api/kitchens/${alice.kitchen}/standing-order`);
  assert.deepEqual(
    (json["lines"] as { product: string; loaves: number }[]).map(({ loaves }) => loaves),
    [6, 12],
  );
  assert.ok(text.includes(canaries.kitchenNote));
  assert.deepEqual((await call("GET", "/api/kitchens/no-such-kitchen/standing-order")).json["lines"], []);
});

test("an unknown path is 404, a wrong method 405, a malformed path 404", async () => {
  assert.equal((await call("GET", "/api/nothing")).status, 404);
  assert.equal((await call("DELETE", "/api/products")).status, 405);
  assert.equal((await call("GET", "/api/products/%zz")).status, 404);
  assert.equal((await call("GET", "//")).status, 404);
});

test("a customer's orders are theirs, newest first", async () => {
  const { json } = await call("GET", `/api/users/${alice.id}/orders`, { subject: alice.id });
  const orders = json["orders"] as { id: string; customerId: string; placedAt: string }[];
  assert.ok(orders.length >= 2 && orders.every(({ customerId }) => customerId === alice.id));
  assert.deepEqual(
    orders.map(({ placedAt }) => placedAt),
    orders
      .map(({ placedAt }) => placedAt)
      .toSorted()
      .toReversed(),
  );
});

test("an assertion for one order does not carry another", async () => {
  const path = "/api/orders";
  const assertion = await running.sign("POST", path, alice.id, '{"items":[]}');
  assert.equal((await call("POST", path, { assertion, body: { items: [1] } })).status, 401);
  const bare = await running.sign("POST", path, alice.id);
  assert.equal((await call("POST", path, { assertion: bare, body: { items: [] } })).status, 401);
});

test("an order belongs to whom the assertion names, whatever its body says", async () => {
  const own = await call("POST", "/api/orders", {
    subject: bob.id,
    body: { ...newOrder, customerId: alice.id },
  });
  assert.equal(own.status, 201);
  assert.equal(own.json["customerId"], bob.id);
  assert.equal(own.json["totalCents"], 2 * breads[0].priceCents);
  const read = await call("GET", `/api/orders/${String(own.json["id"])}`, { subject: bob.id });
  assert.equal(read.json["customerId"], bob.id);
});

test("nobody signed in, and nobody unknown, can order", async () => {
  assert.equal((await call("POST", "/api/orders", { body: newOrder })).status, 403);
  assert.equal((await call("POST", "/api/orders", { subject: randomUUID(), body: newOrder })).status, 403);
});

test("an order sent twice with one reference is placed once; the reference is the customer's own", async () => {
  const reference = randomUUID();
  const send = (subject: string, body: object) =>
    call("POST", "/api/orders", { subject, body: { ...body, reference } });
  const first = await send(alice.id, newOrder);
  const again = await send(alice.id, newOrder);
  assert.deepEqual([first.status, again.status], [201, 200]);
  assert.equal(again.json["id"], first.json["id"]);
  assert.equal((await send(alice.id, { items: [{ product: breads[1].id, quantity: 1 }] })).status, 409);
  const other = await send(bob.id, newOrder);
  assert.equal(other.status, 201);
  assert.notEqual(other.json["id"], first.json["id"]);
});

test("an order for something that is not sold is refused whole", async () => {
  const before = running.database.prepare("SELECT count(*) AS n FROM orders").get()?.["n"];
  const items = [...newOrder.items, { product: brokenProduct, quantity: 1 }];
  assert.equal((await call("POST", "/api/orders", { subject: alice.id, body: { items } })).status, 422);
  assert.equal(running.database.prepare("SELECT count(*) AS n FROM orders").get()?.["n"], before);
});

test("bodies that are no JSON, no order, or too large are refused", async () => {
  const post = (options: Call) => call("POST", "/api/orders", { subject: alice.id, ...options });
  assert.equal((await post({ rawBody: "{" })).status, 400);
  assert.equal((await post({ rawBody: "" })).status, 400);
  assert.equal((await post({ body: null })).status, 400);
  assert.equal((await post({ body: { items: [] } })).status, 400);
  assert.equal((await post({ body: { items: [{ product: breads[0].id, quantity: -3 }] } })).status, 400);
  assert.equal((await post({ body: { items: [{ product: breads[0].id, quantity: 1.5 }] } })).status, 400);
  assert.equal((await post({ rawBody: JSON.stringify(newOrder), contentType: "text/plain" })).status, 415);
  assert.equal((await post({ rawBody: `"${"a".repeat(70_000)}"` })).status, 413);
});

test("a row that the shop can't read is an error with a stack: keeping it in is the gateway's work", async () => {
  const { status, text } = await call("GET", `/api/products/${brokenProduct}`);
  assert.equal(status, 500);
  assert.ok(text.includes(canaries.brokenRow) && text.includes("stack"));
  assert.equal(running.errors.length, 1);
});

test("the database is made once and kept; the same seed always makes the same", async () => {
  const file = join(running.folder, "again.db");
  const dump = () => {
    const database = openShopDatabase({ file, products: breads, currency });
    const tables = ["products", "customers", "orders", "items"].map((table) =>
      database.prepare(`SELECT * FROM ${table}`).all(),
    );
    database.close();
    return JSON.stringify(tables);
  };
  const first = dump();
  assert.equal(dump(), first);
  await rm(file);
  assert.equal(dump(), first);
});

test("a new price reaches a database that is there, also one from before it knew its seed; orders stay as they were placed", async () => {
  const file = join(running.folder, "prices.db");
  const open = (products: readonly { id: string; name: string; priceCents: number }[]) =>
    openShopDatabase({ file, products, currency });
  const pricesOf = (database: ReturnType<typeof open>) =>
    database.prepare("SELECT id, priceCents, retired FROM products ORDER BY rowid").all();
  const ordersOf = (database: ReturnType<typeof open>) =>
    JSON.stringify(database.prepare("SELECT * FROM orders JOIN items ON orderId = id").all());
  const first = open(breads);
  const orders = ordersOf(first);
  // As the first version left it.
  first.exec(
    "DROP TABLE seeds; DROP TABLE standingOrders; DROP TABLE payments; DROP TABLE redemptions; DROP TABLE vouchers; ALTER TABLE products DROP COLUMN announced; ALTER TABLE orders DROP COLUMN note; PRAGMA user_version = 1",
  );
  first.close();
  const [weirLoaf, ...others] = breads;
  const dearer = [{ ...weirLoaf, priceCents: 475 }, ...others.slice(0, -1)];
  for (let round = 0; round < 2; round++) {
    const database = open(dearer);
    const products = pricesOf(database);
    assert.equal(products.find(({ id }) => id === weirLoaf.id)?.["priceCents"], 475);
    assert.equal(products.find(({ id }) => id === others.at(-1)?.id)?.["retired"], 1, "no longer sold");
    assert.equal(ordersOf(database), orders);
    database.close();
  }
  const back = open(breads);
  assert.equal(pricesOf(back)[0]?.["priceCents"], weirLoaf.priceCents);
  back.close();
});

test("a file that is no database is left alone, and the error names it", async () => {
  const file = join(running.folder, "garbage.db");
  await writeFile(file, "this is not a database, and long enough to be taken for one".repeat(40));
  assert.throws(() => openShopDatabase({ file, products: breads, currency }), /garbage\.db cannot be used/);
});

test("a payment is noted for whoever has the shop's key, once, and for nobody else", async () => {
  const pay = (order: string, shopKey?: string): ReturnType<typeof call> =>
    call("POST", "/payments", {
      assertion: null,
      body: { order },
      ...(shopKey === undefined ? {} : { shopKey }),
    });
  const isPaid = async (): Promise<unknown> => (await call("GET", `/api/orders/${orderOf.bob}`)).json["paid"];
  assert.equal((await pay(orderOf.bob)).status, 401);
  assert.equal((await pay(orderOf.bob, "another-key")).status, 401);
  assert.equal(await isPaid(), false);
  assert.equal((await pay(orderOf.bob, "opens-payments-in-tests")).status, 200);
  assert.equal((await pay(orderOf.bob, "opens-payments-in-tests")).status, 200);
  assert.equal(await isPaid(), true);
  assert.equal((await pay(randomUUID(), "opens-payments-in-tests")).status, 404);
  assert.equal((await pay("no-order", "opens-payments-in-tests")).status, 400);
});

test("the gateway's assertion does not open the list of payments", async () => {
  assert.equal((await call("POST", "/payments", { body: { order: orderOf.bob } })).status, 401);
});

test("an order's note can be changed while nobody has begun with it", async () => {
  const placed = await call("POST", "/api/orders", {
    subject: alice.id,
    body: { ...newOrder, note: "Sliced" },
  });
  assert.deepEqual([placed.status, placed.json["note"]], [201, "Sliced"]);
  const path = `/api/orders/${String(placed.json["id"])}`;
  const changed = await call("PATCH", path, { body: { note: "Not sliced" } });
  assert.deepEqual([changed.status, changed.json["note"]], [200, "Not sliced"]);
  assert.equal((await call("GET", path)).json["note"], "Not sliced");
  assert.equal((await call("PATCH", path, { body: { note: "x".repeat(201) } })).status, 400);
  running.database.prepare("UPDATE orders SET status = 'baking' WHERE id = ?").run(String(placed.json["id"]));
  assert.equal((await call("PATCH", path, { body: { note: "Too late" } })).status, 409);
  assert.equal((await call("GET", path)).json["note"], "Not sliced");
});

test("an order can be cancelled while nobody has begun with it or paid for it, and then there is none", async () => {
  const place = async (): Promise<string> =>
    String((await call("POST", "/api/orders", { subject: alice.id, body: newOrder })).json["id"]);
  const [id, paid] = [await place(), await place()];
  const cancelled = await call("DELETE", `/api/orders/${id}`);
  assert.deepEqual([cancelled.status, cancelled.json["id"]], [200, id]);
  for (const method of ["GET", "DELETE"]) assert.equal((await call(method, `/api/orders/${id}`)).status, 404);
  assert.equal((await call("PATCH", `/api/orders/${id}`, { body: { note: "Gone" } })).status, 404);
  running.database.prepare("INSERT INTO payments VALUES (?, ?)").run(paid, new Date().toISOString());
  for (const later of [paid, orderOf.alice])
    assert.equal((await call("DELETE", `/api/orders/${later}`)).status, 409);
  assert.equal((await call("GET", `/api/orders/${paid}`)).status, 200);
});
