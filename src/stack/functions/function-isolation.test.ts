import assert from "node:assert/strict";
import { test } from "node:test";
import { bearer, defineStack, fn, parseContract, secret } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { assertFunctionsIsolated, hasFunctionSandboxes } from "./function-isolation.ts";

const withSecret = (more: object = {}): Contract =>
  parseContract(
    defineStack({
      origin: "https://localhost",
      functions: { quotes: { every: "1h" }, tidy: { every: "1d" } },
      secrets: {
        COURIER_KEY: secret({
          use: "GET https://api.delivery.example/v1/quotes",
          by: fn("quotes"),
          inject: bearer(),
        }),
      },
      ...more,
    }),
  );

test("functions that use secrets don't start without sandboxes, and the error says which they are", () => {
  assert.throws(() => assertFunctionsIsolated(withSecret(), false), {
    code: "STACK_ISOLATION_REDUCED",
    message: /: quotes\.$/,
  });
});

test("they start in sandboxes, where the contract says why it does not matter, and where no function uses a secret", () => {
  assertFunctionsIsolated(withSecret(), true);
  assertFunctionsIsolated(withSecret({ insecureReducedIsolation: "a laptop, with test keys only" }), false);
  const none = parseContract(
    defineStack({ origin: "https://localhost", functions: { tidy: { every: "1d" } } }),
  );
  assertFunctionsIsolated(none, false);
});

test("reduced isolation has no sandboxes, and a site without functions asks for none", () => {
  assert.equal(hasFunctionSandboxes(withSecret(), "/srv/bakery", "reduced"), false);
  assert.equal(hasFunctionSandboxes(withSecret(), "/srv/bakery", "bwrap"), true);
  const none = parseContract(defineStack({ origin: "https://localhost" }));
  assert.equal(hasFunctionSandboxes(none, "/srv/bakery", "uid"), false);
});
