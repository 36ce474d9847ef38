import assert from "node:assert/strict";
import { test } from "node:test";
import { defineStack, everyone, none, parseContract, upstream } from "../../../contract/index.ts";
import type { AuditContext } from "../../context.ts";
import { pathWithoutDelete } from "./odd-answers.ts";

const route = { access: everyone, limit: "9/min per client", response: none, to: "shop" } as const;

const contextOf = (routes: object): AuditContext =>
  ({
    contract: parseContract(
      defineStack({
        origin: "https://localhost:8443",
        upstreams: { shop: upstream({ url: "https://shop.test" }) },
        routes,
      }),
    ),
    release: undefined,
  }) as Partial<AuditContext> as AuditContext;

test("of an API alone a refused method is asked of a route that takes no DELETE", () => {
  const routes = {
    "GET /api/cakes": route,
    "DELETE /api/cakes": route,
    "GET /api/sales": route,
  };
  assert.equal(pathWithoutDelete(contextOf(routes)), "/api/sales");
  assert.equal(pathWithoutDelete(contextOf({})), "/");
});
