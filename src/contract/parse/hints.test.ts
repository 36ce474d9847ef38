import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { CurtainwallError } from "../../shared/index.ts";
import { everyone } from "../access.ts";
import { defineStack } from "../define.ts";
import { parseContract } from "../parse.ts";
import { upstream } from "../define/upstream.ts";

const plain = {
  access: everyone,
  limit: "9/min per client",
  response: z.object({ a: z.string() }),
  to: "shop",
};

function errorOf(options: object, more: object = {}): CurtainwallError {
  try {
    parseContract(
      defineStack({
        origin: "https://localhost:8443",
        upstreams: { shop: upstream({ url: "https://shop.test" }) },
        routes: { "GET /api/a": { ...plain, ...options } as never },
        ...more,
      }),
    );
  } catch (error) {
    assert.ok(error instanceof CurtainwallError);
    return error;
  }
  return assert.fail("the contract was accepted");
}

const observed = { insecureObserve: { until: "2020-01-01", reason: "" } };

/** A mistake that is made in the first hour, and what the error tells to write instead. */
const mistakes: [name: string, error: CurtainwallError, hint: RegExp][] = [
  ["a condition as a text", errorOf({ access: "everyone" }), /without quotes, and {2}import \{ everyone \}/],
  ["a condition's call as a text", errorOf({ access: 'role("staff")' }), /import \{ role \}/],
  [
    "a response without z.object()",
    errorOf({ response: { a: z.string() } }),
    /^Write {2}response: z\.object\(/,
  ],
  ["a query with z.object()", errorOf({ query: z.object({ q: z.string() }) }), /without z\.object\(\)$/],
  ["a cache's seconds alone", errorOf({ cache: 30 }), /^cache: \{ seconds: 60 \},$/],
  ["origins without their name", errorOf({}, { cors: ["https://a.test"] }), /^cors: \{ origins: \["https:/],
  [
    "an observation's reason alone",
    errorOf({ insecureObserve: "why not" }),
    /^insecureObserve: \{ until: "\d/,
  ],
  ["an observation without a reason", errorOf(observed), /^insecureObserve: \{ until: "\d/],
];

for (const [name, { message, hint }, says] of mistakes) {
  test(`${name}: the error shows the line to write`, () => {
    assert.match(hint ?? "", says);
    assert.doesNotMatch(message, /_zod|"def"/);
  });
}

test("two routes for the same requests are told with a way out", () => {
  const route = { ...plain, params: { name: z.string() } };
  const error = errorOf(
    {},
    { routes: { "GET /api/:name": route, "GET /api/:id": { ...plain, params: { id: z.string() } } } },
  );
  assert.equal(error.code, "CONTRACT_ROUTE_CONFLICT");
  assert.match(error.hint ?? "", /fixed segment/);
});

test("an issuer and an audience that are left to fill in are told once each", () => {
  const { message } = errorOf({}, { identity: { issuer: "", audience: "" } });
  assert.match(message, /^The contract has 2 problems\./);
  assert.match(message, /identity\.issuer must be an absolute URL, not ""/);
  assert.match(message, /identity\.audience is empty\./);
});
