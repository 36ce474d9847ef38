import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { z } from "zod";
import { everyone } from "../access.ts";
import { defineStack } from "../define.ts";
import { none } from "../define/schema.ts";
import { upstream } from "../define/upstream.ts";
import { parseContract } from "../parse.ts";
import { createClient } from "./client.ts";
import { requestOf } from "./request.ts";
import { routeTableOf } from "./table-of.ts";

const open = { access: everyone, limit: "9/min per client", to: "shop" } as const;
const stack = defineStack({
  origin: "https://www.bakery.example",
  upstreams: { shop: upstream({ url: "https://shop.internal" }) },
  routes: {
    "GET /api/products/:id": {
      ...open,
      params: { id: z.string().max(40) },
      query: { page: z.coerce.number().optional() },
      response: z.object({ name: z.string() }),
    },
    "POST /api/orders": { ...open, body: z.object({ item: z.string() }), response: none },
  },
});

test("a parameter can't lead a call to another route than the one that is named", () => {
  const url = (id: string): string => requestOf("GET /api/users/:id/orders", { params: { id } }).url;
  assert.equal(url("a b/../c?d#e"), "/api/users/a%20b%2F..%2Fc%3Fd%23e/orders");
  for (const id of ["", ".", "..", "\ud800"]) assert.throws(() => url(id), { code: "CLIENT_INPUT_INVALID" });
  assert.throws(() => requestOf("GET /api/users/:id", {}), { code: "CLIENT_INPUT_INVALID" });
  assert.throws(() => requestOf("GET /api/users/:constructor", { params: {} }), {
    code: "CLIENT_INPUT_INVALID",
  });
});

test("a call says what was asked, goes along with cookies, follows no redirect, and keeps no token", () => {
  const { url, init } = requestOf("POST /api/x", {
    query: { q: "a&b", n: 1, none: undefined, tag: ["x", "y z"] },
    body: { a: 1 },
    bearer: "t",
  });
  assert.equal(url, "/api/x?q=a%26b&n=1&tag=x&tag=y%20z");
  assert.deepEqual(init, {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/json", authorization: "Bearer t" },
    credentials: "same-origin",
    mode: "same-origin",
    redirect: "error",
    body: '{"a":1}',
  });
});

test("a call ends when its time is up or its signal says so, and knows no route but its own", async (context) => {
  const server = createServer(() => undefined);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const table = routeTableOf(parseContract(stack).routes);
  const api = createClient<typeof stack>({ table });
  const real = globalThis.fetch;
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // A browser resolves the address against the page's; Node has no page.
  globalThis.fetch = (url, init) => real(new URL(url as string, origin), init);
  context.after(() => {
    globalThis.fetch = real;
  });
  const call = (options: { timeoutMs?: number; signal?: AbortSignal }): Promise<unknown> =>
    api("GET /api/products/:id", { params: { id: "rye" }, ...options });
  await assert.rejects(call({ timeoutMs: 20 }), { code: "CLIENT_TIMED_OUT" });
  await assert.rejects(call({ signal: AbortSignal.abort() }), { code: "CLIENT_ABORTED" });
  const nothing = createClient<typeof stack>();
  await assert.rejects(nothing("POST /api/orders", { body: { item: "rye" } }), {
    code: "CLIENT_ROUTE_UNKNOWN",
  });
});

/** Checked by the compiler alone. */
export async function typed(): Promise<void> {
  const api = createClient<typeof stack>();
  const { name } = await api("GET /api/products/:id", { params: { id: "rye" }, query: { page: 2 } });
  name.toUpperCase();
  const nothing = await api("POST /api/orders", { body: { item: "rye" } });
  assert.equal(nothing satisfies undefined, undefined);
  // @ts-expect-error: no such route
  await api("GET /api/product");
  // @ts-expect-error: its parameter is missing
  await api("GET /api/products/:id");
  // @ts-expect-error: no such parameter
  await api("GET /api/products/:id", { params: { slug: "rye" } });
  // @ts-expect-error: the body's member has another name
  await api("POST /api/orders", { body: { items: "rye" } });
  const product = await api("GET /api/products/:id", { params: { id: "rye" } });
  // @ts-expect-error: it answers a name, not a price
  product.price.toFixed();
}
