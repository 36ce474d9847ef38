import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { CurtainwallError } from "../../shared/index.ts";
import { everyone, signedIn } from "../access.ts";
import { ownerLookup } from "../access/owner-lookup.ts";
import type { Contract } from "../contract.ts";
import { defineStack } from "../define.ts";
import { bearer } from "../define/inject.ts";
import { download, eventStream } from "../define/exchange.ts";
import { fn } from "../define/function.ts";
import { none } from "../define/schema.ts";
import { secret, webhookSecret } from "../define/secret.ts";
import { upstream } from "../define/upstream.ts";
import { github, slack, standardWebhook, stripe } from "../define/webhook.ts";
import { parseContract } from "../parse.ts";

type Members = Record<string, unknown>;

const secrets = {
  DELIVERY_KEY: secret({ use: "GET https://api.delivery.example/v1", by: fn("quotes"), inject: bearer() }),
  PAYMENT_KEY: webhookSecret(),
};
const identity = { issuer: "https://login.bakery.example", audience: "shop" };
const post = {
  access: everyone,
  limit: "9/min per client",
  body: z.object({ name: z.string() }),
  response: z.object({ id: z.string() }),
  to: fn("quotes"),
};
const { body: _, ...get } = post;

function parse(options: Members): Contract {
  const upstreams = { shop: upstream({ url: "https://shop.example" }) };
  return parseContract(
    defineStack({
      origin: "https://www.bakery.example",
      identity,
      upstreams,
      functions: { quotes: {} },
      secrets,
      ...options,
    }),
  );
}
const withFunctions = (functions: unknown): Contract => parse({ functions });
const withRoute = (changes: Members, key = "POST /api/q"): Contract =>
  parse({ routes: { [key]: { ...(key.startsWith("GET") ? get : post), ...changes } } });

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof CurtainwallError, String(error));
    return `${error.code}: ${error.message} ${error.hint ?? ""}`;
  }
  return assert.fail("the contract was accepted");
}

test("a function's defaults are filled in", () => {
  const { functions } = withFunctions({ quotes: {}, mail: { every: "15min", runner: "node" }, list: {} });
  assert.deepEqual(functions.get("quotes"), {
    name: "quotes",
    reaches: [],
    settings: {},
    timeoutMs: 10_000,
    memoryMb: 256,
    concurrency: 64,
    maxResponseBytes: 1_048_576,
    runner: "workerd",
    group: "quotes",
    everyMs: undefined,
  });
  assert.equal(functions.get("mail")?.everyMs, 900_000);
});

test("settings are texts", () => {
  const settings = { courier: "https://api.delivery.example" };
  assert.deepEqual(withFunctions({ quotes: { settings } }).functions.get("quotes")?.settings, settings);
  for (const wrong of ["a", ["a"], { retries: 3 }])
    assert.throws(() => withFunctions({ quotes: { settings: wrong } }), /settings must be texts by name/);
});

suite("Functions share a process", () => {
  test("only if they use no secrets, unless their contract says so", () => {
    const { functions } = withFunctions({
      quotes: {},
      list: {},
      mail: { runner: "node" },
      pay: { group: "quotes" },
    });
    assert.deepEqual(
      [...functions.values()].map(({ name, group }) => [name, group]),
      [
        ["quotes", "quotes"],
        ["list", "plain"],
        ["mail", "plain-node"],
        ["pay", "quotes"],
      ],
    );
  });
  test("never with another runner, nor where functions without secrets are", () => {
    const two = { quotes: {}, mail: { runner: "node", group: "quotes" } };
    assert.match(
      refusalOf(() => withFunctions(two)),
      /run by node.*functions\.quotes.*by workerd/,
    );
    assert.match(
      refusalOf(() => withFunctions({ quotes: { group: "plain" } })),
      /functions that use none/,
    );
    assert.match(
      refusalOf(() => withFunctions({ quotes: {}, plain: {} })),
      /call it something else/,
    );
  });
});

suite("A function is refused", () => {
  const refused: Record<string, [options: unknown, told: RegExp]> = {
    "that is no object": [true, /must be an object/],
    "with an option that there isn't": [{ timeout: 5 }, /Did you mean "timeoutMs"/],
    "that may take all day": [{ timeoutMs: 3_600_000 }, /10 to 300000/],
    "with no memory": [{ memoryMb: 1 }, /64 to 4096/],
    "with another runner": [{ runner: "deno" }, /"workerd" or "node"/],
    "that runs at times nobody can read": [{ every: "hourly" }, /every: "15min"/],
    "that runs all the time": [{ every: "0s" }, /every: "15min"/],
    "that reaches anything": [{ reaches: "GET https://**" }, /reaches/],
    "whose group is a path": [{ group: "../other" }, /\.group must be a name/],
  };
  for (const [what, [options, told]] of Object.entries(refused))
    test(what, () =>
      assert.match(
        refusalOf(() => withFunctions({ quotes: options })),
        told,
      ),
    );
  for (const name of ["Quotes", "../quotes", "fn:quotes", "", "a".repeat(41)])
    test(`called ${JSON.stringify(name)}`, () =>
      assert.match(
        refusalOf(() => withFunctions({ quotes: {}, [name]: {} })),
        /named like its file/,
      ));
});

suite("A route that a function answers", () => {
  test("may be kept, tagged, and belong to whom the answer names", () => {
    assert.equal(withRoute({}).routes[0]?.to, "fn:quotes");
    const kept = withRoute({ etag: true, cache: { seconds: 5 } }, "GET /api/q").routes[0];
    assert.equal(kept?.cache?.seconds, 5);
  });
  test("has its function's time unless it says another", () => {
    const functions = { quotes: { timeoutMs: 30_000 } };
    assert.equal(parse({ functions, routes: { "POST /api/q": post } }).routes[0]?.timeoutMs, 30_000);
  });
  const refused: Record<string, [changes: Members, told: RegExp, key?: string]> = {
    "with events": [{ response: eventStream({ a: z.object({}) }) }, /not in parts/, "GET /api/q"],
    "with a file": [
      { response: download({ types: ["text/plain"], maxBytes: 9 }) },
      /not in parts/,
      "GET /api/q",
    ],
    "that is asked whose it is": [
      { access: ownerLookup({ get: "/orders/:id", field: "by" }), params: { id: z.string() } },
      /must be asked of an upstream/,
      "POST /api/q/:id",
    ],
    "that may be done twice": [{ idempotent: true, method: "PUT" }, /idempotent/, "PUT /api/q"],
    "that there isn't": [{ to: "fn:quots" }, /CONTRACT_REFERENCE_UNKNOWN.*fn\("quotes"\)/s],
  };
  for (const [what, [{ method: _method, ...changes }, told, key]] of Object.entries(refused))
    test(`is refused ${what}`, () =>
      assert.match(
        refusalOf(() => withRoute(changes, key)),
        told,
      ));

  test("can't be taken for an upstream", () => {
    const upstreams = { "fn:quotes": upstream({ url: "https://shop.example" }) };
    assert.match(
      refusalOf(() => parse({ upstreams })),
      /names that begin with "fn:" are functions'/,
    );
  });
});

suite("A webhook", () => {
  const webhook = stripe("PAYMENT_KEY");
  test("says how its sender signs, and how old a signature may be", () => {
    for (const [made, scheme] of [
      [stripe, "stripe"],
      [github, "github"],
      [slack, "slack"],
      [standardWebhook, "standard"],
    ] as const)
      assert.deepEqual(withRoute({ webhook: made("PAYMENT_KEY") }).routes[0]?.webhook, {
        scheme,
        secret: "PAYMENT_KEY",
        toleranceSeconds: 300,
      });
    assert.ok(withRoute({ webhook, to: "shop" }), "an upstream may be told too");
  });

  const refused: Record<string, [changes: Members, told: RegExp, key?: string]> = {
    "without a body": [{ webhook, body: none }, /it declares none/],
    "that GET would bring": [{ webhook }, /a GET has none/, "GET /api/q"],
    "of whoever is signed in": [{ webhook, access: signedIn }, /access: everyone/],
    "that signs its sender in": [{ webhook, createsSession: true }, /createsSession/],
    "of a secret that there isn't": [
      { webhook: stripe("PAYMENT_KYE") },
      /no webhookSecret\(\).*Did you mean "PAYMENT_KEY"/s,
    ],
    "of a secret for requests": [{ webhook: stripe("DELIVERY_KEY") }, /no webhookSecret\(\)/],
    "of a year ago": [{ webhook: stripe("PAYMENT_KEY", { toleranceSeconds: 31_536_000 }) }, /10 to 3600/],
    "of nobody's scheme": [{ webhook: { kind: "webhook", scheme: "plain" } }, /was not made by/],
  };
  for (const [what, [changes, told, key]] of Object.entries(refused))
    test(`is refused ${what}`, () =>
      assert.match(
        refusalOf(() => withRoute(changes, key)),
        told,
      ));
});

test("that nothing holds processes apart is told with its reason", () => {
  const reason = "a laptop, with test keys only";
  const contract = parse({ insecureReducedIsolation: reason });
  assert.equal(contract.allowsReducedIsolation, true);
  assert.deepEqual(contract.weakenings, [{ at: "insecureReducedIsolation", reason }]);
  assert.equal(parse({}).allowsReducedIsolation, false);
  assert.match(
    refusalOf(() => parse({ insecureReducedIsolation: true })),
    /CONTRACT_REASON_MISSING/,
  );
});
