import assert from "node:assert/strict";
import { test } from "node:test";
import { lookAlikeKinds, lookAlikes, lookAlikesFor } from "./cors-origins.ts";

test("every kind of look-alike is made, and none of them is an allowed origin", () => {
  const allowed = ["https://www.bakery.example", "https://app.bakery.example:8443"];
  const found = lookAlikes(allowed);
  assert.deepEqual(new Set(found.map(({ kind }) => kind)), new Set(lookAlikeKinds));
  for (const { origin } of found) assert.ok(!allowed.includes(origin), origin);
});

test("a look-alike that is allowed itself is left out", () => {
  const found = lookAlikes(["https://bakery.example", "https://sub.bakery.example"]);
  assert.ok(!found.some(({ origin }) => origin === "https://sub.bakery.example"));
});

test("an origin without letters has no other case", () => {
  assert.ok(!lookAlikes(["https://127.0.0.1:8443"]).some(({ kind }) => kind === "case"));
});

test("a letter stands in each dot's place, one at a time, and in no address's", () => {
  const found = lookAlikes(["https://www.bakery.example:8443", "https://127.0.0.1:8443"]);
  assert.deepEqual(
    found.filter(({ kind }) => kind === "dot").map(({ origin }) => origin),
    ["https://wwwxbakery.example:8443", "https://www.bakeryxexample:8443"],
  );
});

const route = (
  key: string,
  more: Partial<Parameters<typeof lookAlikesFor>[2]> = {},
): Parameters<typeof lookAlikesFor>[2] => ({ key, to: "shop", stream: undefined, ...more });

test("the first route of each sort is asked for all of a kind, each other one for one, in turn", () => {
  const all = lookAlikes(["https://www.bakery.example"]);
  const found = all.filter(({ kind }) => kind === "development");
  const downloads = { stream: { kind: "download", types: [], maxBytes: 1, fileName: undefined } } as const;
  const routes = [
    route("GET /api/tills", { to: "fn:till", webhook: {} as never }),
    route("GET /api/products"),
    route("GET /api/quotes", { to: "fn:quotes" }),
    route("GET /api/kept", { cache: {} as never }),
    route("GET /api/receipt", downloads),
    route("POST /api/orders"),
    route("PATCH /api/orders/:id"),
    route("GET /api/other", { to: "other" }),
    route("POST /api/contact", { to: "fn:contact" }),
  ];
  const asked = routes.map((one) => lookAlikesFor("development", found, one, routes));
  assert.deepEqual(
    asked.map(({ length }) => length),
    [1, 4, 4, 4, 4, 1, 1, 1, 1],
  );
  assert.deepEqual(new Set(asked.slice(5).flat()), new Set(found), "four in turn are asked for all");
  const suffixes = all.filter(({ kind }) => kind === "suffix");
  for (const one of routes) assert.equal(lookAlikesFor("suffix", suffixes, one, routes), suffixes);
});

test("every route is asked for every kind", () => {
  const all = lookAlikes(["https://www.bakery.example"]);
  for (const count of [1, 2, 3, 16]) {
    const routes = Array.from({ length: count }, (_, index) => route(`GET /api/${index}`));
    for (const one of routes)
      for (const kind of lookAlikeKinds) {
        const found = all.filter((candidate) => candidate.kind === kind);
        assert.ok(lookAlikesFor(kind, found, one, routes).length > 0, `${kind} of ${one.key}`);
      }
  }
});
