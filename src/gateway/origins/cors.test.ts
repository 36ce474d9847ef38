import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import type { Contract } from "../../contract/index.ts";
import { createCors } from "./cors.ts";
import { isFromOwnPage, mayActAsVisitor } from "./cross-site.ts";

const own = "https://www.bakery.test";
const partner = "https://app.partner.test";
const cors = createCors({ origin: own, corsOrigins: [partner] });

const withHeaders = (headers: Readonly<Record<string, string | undefined>>, method = "POST") => ({
  method,
  header: (name: string) => headers[name],
});
const judge = (origin: string | undefined, site?: string) =>
  cors.judge(withHeaders({ origin, "sec-fetch-site": site }));

suite("Origins", () => {
  test("of the contract are told apart to the letter; everything else is refused", () => {
    assert.equal(judge(undefined), "own");
    assert.equal(judge(own), "own");
    assert.equal(judge(partner), "allowed");
    const near = fc
      .tuple(fc.constantFrom(own, partner), fc.nat(30), fc.string({ maxLength: 2 }))
      .map(([origin, at, text]) => origin.slice(0, at) + text + origin.slice(at + 1));
    const site = fc.constantFrom("cross-site", "same-site", "none", "same-origin", undefined);
    fc.assert(
      fc.property(fc.oneof(near, fc.string(), fc.webUrl()), site, (origin, fetchSite) => {
        fc.pre(origin !== own && origin !== partner && origin !== "null");
        assert.equal(judge(origin, fetchSite), "refused");
        assert.deepEqual(cors.readHeaders(origin), []);
        assert.deepEqual(cors.preflightHeaders(origin, ["GET"], undefined), []);
      }),
    );
  });

  test("that are hidden are refused, unless the browser says that the page is ours", () => {
    for (const site of [undefined, "cross-site", "same-site", "none", "Same-Origin", ""])
      assert.equal(judge("null", site), "refused", String(site));
    assert.equal(judge("null", "same-origin"), "own");
    assert.deepEqual(cors.readHeaders("null"), []);
    assert.deepEqual(cors.preflightHeaders("null", ["GET"], undefined), []);
  });

  test("are never echoed when the contract lacks them, and credentials are never allowed", () => {
    for (const headers of [
      cors.readHeaders(partner),
      cors.preflightHeaders(partner, ["GET", "POST"], undefined),
      cors.preflightHeaders(own, ["GET"], undefined),
    ]) {
      assert.ok(headers.includes("access-control-allow-origin"));
      assert.ok(!headers.includes("*") && !headers.includes("access-control-allow-credentials"));
    }
  });

  test("may send the headers that the route declares, and read those that it answers with", () => {
    const route = { headers: z.strictObject({ "idempotency-key": z.uuid(), "content-type": z.string() }) };
    assert.ok(
      cors
        .preflightHeaders(partner, ["POST"], route)
        .includes("authorization, content-type, idempotency-key"),
    );
    assert.ok(cors.preflightHeaders(partner, ["POST"], undefined).includes("authorization, content-type"));
    assert.ok(cors.readHeaders(partner, ["etag"]).includes("RateLimit, RateLimit-Policy, Retry-After, etag"));
  });
});

suite("A request is from a page of ours", () => {
  const fromOwn = (origin: string | undefined, site: string | undefined, method?: string) =>
    isFromOwnPage(own, withHeaders({ origin, "sec-fetch-site": site }, method));

  test("when the browser says so, whether or not it names the page", () => {
    for (const origin of [own, undefined, "null"]) assert.ok(fromOwn(origin, "same-origin"), String(origin));
  });

  test("in a browser that says nothing, when it names our origin", () => {
    assert.ok(fromOwn(own, undefined));
    for (const origin of [undefined, "null", partner, `${own}/`, own.toUpperCase()])
      assert.ok(!fromOwn(origin, undefined), String(origin));
  });

  test("or when somebody typed its address, which is how pages are read and nothing is changed", () => {
    assert.ok(fromOwn(undefined, "none", "GET"));
    assert.ok(!fromOwn(undefined, "none", "POST"));
    assert.ok(!fromOwn(own, "none", "POST"));
  });

  test("but not when a page had it fetched ahead, of which a browser says the same", () => {
    for (const purpose of ["prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip", ""]) {
      const headers = { "sec-fetch-site": "none", "sec-purpose": purpose };
      assert.ok(!isFromOwnPage(own, withHeaders(headers, "GET")), purpose);
      assert.ok(!mayActAsVisitor(own, withHeaders(headers, "GET")), purpose);
      assert.ok(isFromOwnPage(own, withHeaders({ ...headers, "sec-fetch-site": "same-origin" }, "GET")));
    }
  });

  test("never when it comes from elsewhere, not even from a neighbour under the same domain", () => {
    for (const site of ["cross-site", "same-site", "", "SAME-ORIGIN", "same-origin, same-origin"])
      for (const origin of [own, undefined, "null", partner])
        assert.ok(!fromOwn(origin, site), `${origin} ${site}`);
    assert.ok(!fromOwn(partner, "same-origin"), "a contradiction");
  });
});

test("with proofs of possession, a page of a declared origin may send them, and is told why one failed", () => {
  const identity = { dpop: "accepted" } as Contract["identity"];
  const proving = createCors({ origin: own, corsOrigins: [partner], identity });
  const headers = proving.preflightHeaders(partner, ["GET"], undefined);
  assert.ok(headers.includes("authorization, content-type, dpop"), headers.join());
  assert.ok(proving.readHeaders(partner).at(-1)?.includes("WWW-Authenticate"));
  assert.ok(!cors.preflightHeaders(partner, ["GET"], undefined).join().includes("dpop"));
});
