import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRouteKey } from "../contract/index.ts";
import type { ContractRoute } from "../contract/index.ts";
import { createRouter } from "./router.ts";
import type { Router } from "./router.ts";

function routerOf(...keys: string[]): Router<string> {
  const routes = keys.map((key) => ({ key, ...(parseRouteKey(key) as object) }) as ContractRoute);
  return createRouter(routes, (route) => route.key);
}

function look(router: Router<string>, path: string): unknown {
  const match = router(path);
  return typeof match === "object" ? [[...match.handlers.values()].join(), match.values] : match;
}

test("a path leads to its route, with its parameters decoded once, in order", () => {
  const router = routerOf("GET /api/users/:user/orders/:order", "GET /api/users/:user");
  assert.deepEqual(look(router, "/api/users/a%20b/orders/%C3%BC"), [
    "GET /api/users/:user/orders/:order",
    ["a b", "ü"],
  ]);
  assert.deepEqual(look(router, "/api/users/a+b"), ["GET /api/users/:user", ["a+b"]]);
  for (const path of [
    "/api/users",
    "/api/users/a/orders",
    "/api/users/a/orders/b/c",
    "/api/users/a/",
    "/api/users//orders/b",
    "/",
    "",
  ])
    assert.ok(router(path) === undefined || router(path) === "invalid", path);
});

test("fixed text wins; a parameter is tried when it leads nowhere", () => {
  const router = routerOf("GET /api/a/b/c", "GET /api/:x/b/d", "GET /api/a/:y", "DELETE /api/a/:y");
  assert.deepEqual(look(router, "/api/a/b/c"), ["GET /api/a/b/c", []]);
  assert.deepEqual(look(router, "/api/a/b/d"), ["GET /api/:x/b/d", ["a"]]);
  assert.deepEqual(look(router, "/api/a/b"), ["GET /api/a/:y,DELETE /api/a/:y", ["b"]]);
  const match = router("/api/a/z");
  assert.deepEqual(typeof match === "object" && match.methods, ["GET", "DELETE"]);
});

test("a segment that another server could take for a separator, a folder or an end is no path", () => {
  const router = routerOf("GET /api/:x");
  for (const segment of [
    "%2f",
    "%5C",
    "\\",
    "a%2Fb",
    ".",
    "..",
    "%2e",
    ".%2E",
    "%00",
    "%0a",
    "a%7f",
    "%25",
    "%252f",
    "%",
    "%a",
    "%ff",
    "%ed%a0%80",
    "\ud800",
    "a\u0000",
  ])
    assert.equal(router(`/api/${segment}`), "invalid", segment);
  for (const path of ["api/x", "*", "http://h/api/x"]) assert.equal(router(path), "invalid", path);
});

test("names of Object's own are no routes", () => {
  const router = routerOf("GET /api/x");
  for (const path of ["/api/__proto__", "/api/constructor", "/__proto__/x", "/api/x/toString"])
    assert.equal(router(path), undefined, path);
});

test("of any routes and any path it finds what a plain search finds, and never throws", () => {
  const part = fc.constantFrom("a", "b", ":x");
  const paths = fc.uniqueArray(fc.array(part, { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 8,
    selector: (parts) => parts.join("/"),
  });
  const asked = fc.array(fc.constantFrom("a", "b", "c", "", "%61"), { maxLength: 5 });
  fc.assert(
    fc.property(paths, asked, (declared, segments) => {
      const router = routerOf(
        ...declared.map(
          (parts) =>
            `GET /api/${parts.map((name, index) => (name === ":x" ? `:x${index}` : name)).join("/")}`,
        ),
      );
      const decoded = segments.map((segment) => decodeURIComponent(segment));
      const fits = declared.filter(
        (parts) =>
          parts.length === decoded.length &&
          parts.every((name, index) => (name === ":x" ? decoded[index] !== "" : name === decoded[index])),
      );
      // The best is the one whose first difference from the others is fixed text.
      const best = fits
        .map((parts) => parts.map((name) => (name === ":x" ? "1" : "0")).join(""))
        .toSorted()[0];
      const match = router(["/api", ...segments].join("/"));
      assert.equal(match !== undefined, best !== undefined);
      if (typeof match === "object") {
        const values = decoded.filter((_, index) => best?.[index] === "1");
        assert.deepEqual(match.values, values);
      }
    }),
  );
  const router = routerOf("GET /api/:x/:y");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void router(`/api/${text}`)));
});

test("a look-up costs the same among ten thousand routes as among ten", () => {
  const many = routerOf(...Array.from({ length: 10_000 }, (_, index) => `GET /api/r${index}/:x`));
  assert.deepEqual(look(many, "/api/r9999/v"), ["GET /api/r9999/:x", ["v"]]);
});
