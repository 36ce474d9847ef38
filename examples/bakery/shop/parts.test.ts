import assert from "node:assert/strict";
import { createServer, get } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { breads, currency } from "../collections.ts";
import { openShopDatabase } from "./database.ts";
import { lieAboutProduct, lies } from "./lies.ts";
import { shopRoutes } from "./routes.ts";
import type { ShopAnswer } from "./routes.ts";
import { canaries, comingProduct, orderOf } from "./seed.ts";
import { send } from "./send.ts";
import { createShopStore } from "./store.ts";

const database = openShopDatabase({ file: ":memory:", products: breads, currency });
const store = createShopStore(database);
const routes = shopRoutes(store);
after(() => database.close());

const ask = (path: string, params: Record<string, string> = {}): ShopAnswer | undefined =>
  routes
    .find((route) => route.path === path)
    ?.answer({ params, query: new URLSearchParams(), body: undefined, subject: undefined });

test("the oven tells of the last batches at once, as long as somebody listens, with the whole row of it", async () => {
  const answer = ask("/api/oven");
  assert.ok(answer !== undefined && "listen" in answer);
  let stopped = 0;
  const listen: typeof answer.listen = (tell) => {
    const stop = answer.listen(tell);
    return () => {
      stopped++;
      stop();
    };
  };
  const closed = Promise.withResolvers<void>();
  const server = createServer((_, response) => {
    send(response, { listen });
    response.on("close", closed.resolve);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const request = get({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  assert.equal(response.headers["content-type"], "text/event-stream");
  const [event] = (await once(response, "data")) as [Buffer];
  assert.match(String(event), /^(?:event: batch\ndata: \{.*"loaves":12,.*\}\n\n)+$/);
  assert.ok(String(event).includes(canaries.supplierNote));
  request.destroy();
  await closed.promise;
  server.close();
  assert.equal(stopped, 1);
});

test("what is not announced yet leaves no oven", () => {
  for (let number = 0; number < 20; number++) assert.notEqual(store.batch(number)["id"], comingProduct.id);
});

test("a receipt is a text with what was bought, and there is none of an order that there is not", () => {
  const answer = ask("/api/orders/:id/receipt", { id: orderOf.alice });
  assert.ok(answer !== undefined && "file" in answer);
  assert.match(answer.file, new RegExp(`^Order ${orderOf.alice}\n2026-11-02T.*\n1 .* at \\d+\\.\\d\\d\n`));
  assert.deepEqual(Object.entries(ask("/api/orders/:id/receipt", { id: "x" }) ?? {})[0], ["status", 404]);
});

test("a lie is told where there are some, and about its own products alone; the shop itself has none", () => {
  const lying = shopRoutes(store, {
    product: lieAboutProduct,
    order: () => undefined,
    receipt: () => undefined,
  }).find(({ path }) => path === "/api/products/:id");
  const about = (route: typeof lying, id: string): ShopAnswer | undefined =>
    route?.answer({ params: { id }, query: new URLSearchParams(), body: undefined, subject: undefined });
  for (const id of Object.keys(lies)) {
    const told = about(lying, id);
    assert.ok(told !== undefined && "lie" in told, id);
    const truth = ask("/api/products/:id", { id });
    assert.ok(truth !== undefined && "status" in truth && truth.status === 404, id);
  }
  const honest = about(lying, breads[0].id);
  assert.ok(honest !== undefined && "status" in honest && honest.status === 200);
});

test("the list of products may be said again for a while, and nothing else", () => {
  const list = ask("/api/products");
  assert.ok(list !== undefined && "status" in list && list.keepSeconds === 5);
  const one = ask("/api/products/:id", { id: breads[0].id });
  assert.ok(one !== undefined && "status" in one && one.keepSeconds === undefined);
});
