import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { isCurtainwallError } from "../../shared/index.ts";
import { everyone } from "../access.ts";
import { defineStack } from "../define.ts";
import { upstream } from "../define/upstream.ts";
import type { EdgeOptions } from "../define/host.ts";
import { parseContract } from "../parse.ts";

function contractWith(edge: unknown, origin = "https://www.bakery.example") {
  return parseContract(
    defineStack({
      origin,
      edge: edge as EdgeOptions,
      upstreams: { shop: upstream({ url: "https://shop.internal" }) },
      routes: {
        "GET /api/breads": {
          access: everyone,
          limit: "9/min per client",
          response: z.object({ id: z.string() }),
          to: "shop",
        },
      },
    }),
  );
}

function refusal(edge: unknown, origin?: string): { code: string; message: string } {
  try {
    contractWith(edge, origin);
  } catch (error) {
    if (isCurtainwallError(error)) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `accepted: ${JSON.stringify(edge)}` });
}

suite("Proxies in front of the edge", () => {
  test("are declared by their networks, or by their number", () => {
    const { proxies } = contractWith({
      proxies: { trusted: ["10.0.0.0/8", "2001:db8::7"], clientFrom: "forwarded" },
    }).edge;
    assert.deepEqual(proxies?.trusted, [
      { bytes: Uint8Array.of(10, 0, 0, 0), prefix: 8 },
      { bytes: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...Array.from({ length: 11 }, () => 0), 7), prefix: 128 },
    ]);
    assert.equal(
      contractWith({ proxies: { trusted: 2, clientFrom: "x-forwarded-for" } }).edge.proxies?.trusted,
      2,
    );
    assert.equal(contractWith({}).edge.proxies, undefined);
  });

  test("are refused when the contract does not say which header they set: clients can write the others", () => {
    assert.match(refusal({ proxies: { trusted: 1 } }).message, /clientFrom/);
    assert.match(refusal({ proxies: { trusted: 1, clientFrom: "x-real-ip" } }).message, /clientFrom/);
  });

  test("are refused when they could be anybody, or nobody can tell who is meant", () => {
    const clientFrom = "x-forwarded-for";
    for (const trusted of [
      ["0.0.0.0/0"],
      ["::/0"],
      ["10.1.0.0/8"],
      ["balancer.internal"],
      [],
      0,
      9,
      1.5,
      "10.0.0.0/8",
      undefined,
    ])
      assert.equal(
        refusal({ proxies: { trusted, clientFrom } }).code,
        "CONTRACT_OPTION_INVALID",
        String(trusted),
      );
    assert.match(refusal({ proxies: { trusted: 1, clientFrom: "proxy-protocol" } }).message, /must be known/);
    assert.equal(refusal({ proxies: true }).code, "CONTRACT_OPTION_INVALID");
    assert.equal(refusal({ proxies: { trusted: 1, clientFrom, hops: 1 } }).code, "CONTRACT_OPTION_UNKNOWN");
  });

  test("must be declared where the edge of a site of the internet listens on loopback alone, and routes have limits by client", () => {
    const addresses = ["127.0.0.1", "::1"];
    assert.equal(refusal({ addresses }).code, "CONTRACT_PROXY_UNDECLARED");
    assert.equal(contractWith({ addresses, proxies: "none" }).edge.deniesProxies, true);
    assert.ok(contractWith({ addresses, proxies: { trusted: ["127.0.0.1"], clientFrom: "forwarded" } }));
    assert.ok(contractWith({ addresses }, "https://localhost:8443"));
    assert.ok(contractWith({ addresses: ["127.0.0.1", "192.0.2.1"] }));
  });
});
