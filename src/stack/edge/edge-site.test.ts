import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { clientsOf, edgeSiteOf } from "./edge-site.ts";
import type { EdgeSite } from "./edge-site.ts";

const handedOver = (contract: Contract): EdgeSite =>
  JSON.parse(JSON.stringify(edgeSiteOf(contract))) as EdgeSite;

suite("what the edge is told of a site", () => {
  test("trusted networks arrive as they were declared", () => {
    const contract = parseContract(
      defineStack({
        origin: "https://www.bakery.example",
        edge: { proxies: { trusted: ["192.0.2.0/24", "2001:db8::/32"], clientFrom: "x-forwarded-for" } },
      }),
    );
    const { proxies, refuseUndeclared } = clientsOf(handedOver(contract));
    assert.deepEqual(proxies, contract.edge.proxies);
    assert.equal(refuseUndeclared, true);
  });

  test("a site of this machine takes whoever speaks for others; one that nobody stands before says so", () => {
    const local = parseContract(defineStack({ origin: "https://localhost" }));
    assert.equal(clientsOf(handedOver(local)).refuseUndeclared, false);
    assert.equal(clientsOf(handedOver(local)).proxies, undefined);
    const denied = parseContract(
      defineStack({ origin: "https://www.bakery.example", edge: { proxies: "none" } }),
    );
    assert.equal(clientsOf(handedOver(denied)).refuseUndeclared, false);
  });

  test("there is an API where there is a route, and else none", () => {
    assert.equal(edgeSiteOf(parseContract(defineStack({ origin: "https://localhost" }))).hasApi, false);
    const withRoute = defineStack({
      origin: "https://localhost",
      upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
      routes: {
        "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" },
      },
    });
    assert.equal(edgeSiteOf(parseContract(withRoute)).hasApi, true);
  });
});
