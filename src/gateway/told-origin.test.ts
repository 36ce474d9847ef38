import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../contract/index.ts";
import type { Upstream } from "../contract/index.ts";
import { openSmall } from "./fixtures/small-gateway.ts";

const route = {
  access: everyone,
  limit: "9000/s per client",
  response: z.object({ ok: z.boolean() }),
  to: "shop",
};
const routes = { "GET /api/a": route, "GET /api/kept": { ...route, cache: { seconds: 9 } } };
const theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/** What the upstream is told, by header; and the request's id. */
async function told(
  options: Partial<Upstream>,
  { target = "/api/a", headers = {}, client = "192.0.2.7" } = {},
): Promise<Record<string, string>> {
  const shop = openSmall(routes, {
    upstreams: { shop: upstream({ url: "https://shop.bakery.test", ...options }) },
  });
  assert.equal((await shop.call({ target, headers, client })).status, 200);
  const [request] = shop.forwarded;
  const about = request?.about ?? [];
  const pairs = about.flatMap((name, index) => (index % 2 === 0 ? [[name, about[index + 1]]] : []));
  return { ...Object.fromEntries(pairs), id: request?.id };
}

const claims = {
  "x-forwarded-for": "203.0.113.9",
  "x-forwarded-host": "evil.example",
  "x-forwarded-proto": "http",
  forwarded: "for=203.0.113.9",
  traceparent: theirs,
  tracestate: "evil=1",
};

suite("who the client is", () => {
  test("is told to nobody who does not want to know", async () => {
    assert.deepEqual(Object.keys(await told({}, { headers: claims })), ["id"]);
  });

  test("is told in headers made anew, whatever the client says of itself", async () => {
    const { id: _, ...headers } = await told({ forwardClient: "x-forwarded-for" }, { headers: claims });
    assert.deepEqual(headers, {
      "x-forwarded-for": "192.0.2.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "www.bakery.test",
    });
    const ofIPv6 = await told({ forwardClient: "forwarded" }, { headers: claims, client: "2001:db8::1" });
    assert.equal(ofIPv6["forwarded"], 'for="[2001:db8::1]";host="www.bakery.test";proto=https');
    assert.equal(ofIPv6["x-forwarded-for"], undefined);
    assert.equal(
      (await told({ forwardClient: "forwarded" }))["forwarded"],
      'for=192.0.2.7;host="www.bakery.test";proto=https',
    );
  });

  test("is not told to those whose answers are kept: others get them too", async () => {
    const options = { forwardClient: "x-forwarded-for", trace: "continue" } as const;
    const headers = await told(options, { target: "/api/kept", headers: claims });
    assert.deepEqual(Object.keys(headers), ["traceparent", "id"]);
    assert.ok(
      !headers["traceparent"]?.includes(theirs.slice(3, 35)),
      "nor is one client's trace continued for others",
    );
  });
});

suite("a trace", () => {
  test("is a new one whose id is the request's in the log, whatever the client sends", async () => {
    const { traceparent = "", tracestate, id = "" } = await told({ trace: "new" }, { headers: claims });
    assert.match(traceparent, /^00-[\da-f]{32}-[\da-f]{16}-01$/);
    assert.equal(traceparent.slice(3, 35), id.replaceAll("-", ""));
    assert.equal(tracestate, undefined);
  });

  test("of the client is continued where that is declared, with a step of its own", async () => {
    const headers = { traceparent: theirs, tracestate: "congo=t61rcWkgMzE, rojo@x=00f067aa0ba902b7" };
    const { traceparent = "", tracestate } = await told({ trace: "continue" }, { headers });
    assert.equal(traceparent.slice(0, 36), theirs.slice(0, 36));
    assert.notEqual(traceparent.slice(36, 52), theirs.slice(36, 52));
    assert.equal(traceparent.slice(52), "-01");
    assert.equal(tracestate, headers.tracestate);
    const other = await told({ trace: "continue" }, { headers: { traceparent: `${theirs.slice(0, -2)}fe` } });
    assert.equal(other["traceparent"]?.slice(52), "-00", "of the flags only the one that is known");
  });

  for (const [name, traceparent] of Object.entries({
    "no trace": "",
    "a trace of zeros": `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    "a step of zeros": `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`,
    capitals: theirs.toUpperCase(),
    "another version": theirs.replace(/^00/, "01"),
    "a forbidden version": theirs.replace(/^00/, "ff"),
    "something behind it": `${theirs}-00`,
    "two of them": `${theirs}, ${theirs}`,
    "a line break": `${theirs}\n`,
    "a short trace": theirs.replace("4bf9", "4bf"),
  }))
    test(`that is malformed (${name}) is replaced by a new one, without its state`, async () => {
      const headers = { traceparent, tracestate: "congo=1" };
      const given = await told({ trace: "continue" }, { headers });
      assert.equal(given["traceparent"]?.slice(3, 35), given["id"]?.replaceAll("-", ""));
      assert.equal(given["tracestate"], undefined);
    });

  test("goes on without a state that is malformed or too large", async () => {
    for (const tracestate of [
      "congo",
      "congo=",
      "=1",
      "Congo=1",
      "congo=a=b",
      "congo=1,congo=2",
      "congo=1,,rojo=2",
      "congo=\u00e9",
      `congo=${"a".repeat(600)}`,
      Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(),
    ]) {
      const given = await told({ trace: "continue" }, { headers: { traceparent: theirs, tracestate } });
      assert.equal(given["traceparent"]?.slice(0, 36), theirs.slice(0, 36));
      assert.equal(given["tracestate"], undefined, tracestate);
    }
  });
});

test("what an upstream is told and shown is checked when a contract is read", () => {
  const parse = (options: object, url = "https://shop.bakery.test"): unknown =>
    parseContract(
      defineStack({
        origin: "https://www.bakery.test",
        upstreams: { shop: upstream({ url, ...options }) },
        routes: { "GET /api/a": { ...route, limit: "9000/s per client", to: "shop" } },
      }),
    );
  for (const [options, message] of [
    [{ trace: true }, /shop\.trace must be "new" or "continue"/],
    [{ forwardClient: true }, /shop\.forwardClient must be "x-forwarded-for" or "forwarded"/],
    [{ clientCertificate: "a.pem" }, /shop\.clientCertificate must be an object/],
    [{ clientCertificate: { certFile: "a.pem" } }, /shop\.clientCertificate\.keyFile must be a text/],
    [
      { clientCertificate: { certFile: "a.pem", keyFile: "a.key", passphrase: "x" } },
      /no option "passphrase"/,
    ],
  ] as const)
    assert.throws(() => parse(options), { message });
  const files = { clientCertificate: { certFile: "a.pem", keyFile: "a.key" } };
  assert.throws(() => parse({ ...files, insecureAllowHttp: "on this machine" }, "http://127.0.0.1:1"), {
    message: /nobody to show it to/,
  });
  parse(files);
});

test("answers are kept only where they may be, as a contract says", () => {
  const parse = (key: string, options: object): unknown =>
    parseContract(
      defineStack({
        origin: "https://www.bakery.test",
        upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
        budgets: { mail: "9/h" },
        routes: { [key]: { ...route, ...options } },
      } as never),
    );
  const cache = { seconds: 60 };
  for (const [key, options, message] of [
    ["POST /api/a", { body: z.object({}), cache }, /there to change something/],
    ["GET /api/a", { cache, createsSession: true }, /made for one visitor/],
    ["GET /api/a", { cache, failures: "3/h per client" }, /hide whether an attempt failed/],
    ["GET /api/a", { cache, spends: { mail: 1 } }, /does not cost/],
    ["GET /api/a", { cache: {} }, /does not say for how long/],
    ["GET /api/a", { cache: { seconds: 0 } }, /seconds must be a whole number from 1/],
    ["GET /api/a", { cache: { seconds: 1.5 } }, /seconds must be a whole number/],
    ["GET /api/a", { cache: { seconds: 60, stale: 1 } }, /no option "stale"/],
    ["GET /api/a", { cache: true }, /cache must be an object/],
  ] as const)
    assert.throws(() => parse(key, options), { message });
  parse("GET /api/a", { cache });
});
