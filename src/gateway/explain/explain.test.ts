import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import {
  allOf,
  anyOf,
  bearer,
  check,
  defineStack,
  everyone,
  fn,
  none,
  ownerField,
  ownerLookup,
  parseContract,
  role,
  scope,
  secret,
  upstream,
} from "../../contract/index.ts";
import { explainRoute } from "./explain.ts";
import type { RouteExplanation } from "./explain.ts";

const text = z.string().max(40);

function explain(key: string, options: object): RouteExplanation {
  const contract = parseContract(
    defineStack({
      origin: "https://www.bakery.test",
      identity: { issuer: "https://login.bakery.test/", audience: "shop" },
      budgets: { mail: "9/h" },
      upstreams: { shop: upstream({ url: "https://shop.bakery.test", concurrency: 9 }) },
      routes: { [key]: { limit: ["9/min per client", "5/min per user"], to: "shop", ...options } },
    } as never),
  );
  const [route] = contract.routes;
  assert.ok(route !== undefined);
  return explainRoute(route, contract);
}

const put = {
  access: allOf(
    scope("orders:write"),
    anyOf(role("staff"), ownerLookup({ get: "/orders/:id", field: "customerId", ifMatch: true })),
    check("open-now", () => true),
    check("small-order", () => true, { body: true, timeoutMs: 40 }),
  ),
  hide: true,
  params: { id: text },
  headers: { "x-version": text },
  body: z.object({ a: text }),
  failures: "5/15min per client",
  spends: { mail: 1 },
  response: none,
};

const Explanation = z.strictObject({
  key: z.string(),
  to: z.string(),
  countedOn: z.string().regex(/Node \d+\.\d+\.\d+, \d{4}-\d{2}-\d{2}$/),
  steps: z.array(
    z.strictObject({
      check: z.string().min(1),
      passes: z.string().min(1),
      otherwise: z.string().regex(/GATEWAY_[A-Z_]+|never refuses/),
      cost: z.int().min(0).optional(),
    }),
  ),
});

suite("A route's checks, explained", () => {
  test("stand where they are made: what is asked stands before and behind the body, and while the request is under way", () => {
    const { steps } = explain("PUT /api/orders/:id", put);
    assert.deepEqual(
      steps.map(({ check: name }) => name),
      [
        "path",
        "method",
        "origin",
        "load",
        "limit by client",
        "token",
        "limit by user",
        "access",
        "parameters",
        "query",
        "headers",
        "check",
        "body",
        "under way",
        "check",
        "look-up",
        "failures",
        "budget",
        "upstream",
        "answer",
      ],
    );
    assert.deepEqual(
      steps.filter(({ check: name }) => name === "check" || name === "look-up").map(({ passes }) => passes),
      [
        '"open-now" says true within 250 ms, if that decides',
        '"small-order" says true of the body within 40 ms, if that decides',
        "GET /orders/:id of shop names the caller as customerId, and has an ETag for If-Match, if that decides",
      ],
    );
    const access = steps.find(({ check: name }) => name === "access");
    assert.match(access?.passes ?? "", /; what is not known yet is decided below$/);
    assert.equal(access?.otherwise, "404 GATEWAY_NOT_FOUND");
  });

  test("an owner that the answer names is told behind the upstream", () => {
    const options = {
      access: ownerField("customerId"),
      params: { id: text },
      response: z.object({ a: text }),
    };
    const { steps } = explain("GET /api/orders/:id", options);
    assert.deepEqual(
      steps.slice(-3).map(({ check: name }) => name),
      ["upstream", "ownership", "answer"],
    );
    assert.match(JSON.stringify(steps), /"decided below|; decided below","otherwise":"never refuses"/);
  });

  test("that a session is made says whose pages may ask", () => {
    const options = {
      access: everyone,
      limit: "9/min per client",
      body: z.object({ a: text }),
      response: none,
    };
    const originOf = (more: object): object | undefined =>
      explain("POST /api/login", { ...options, ...more }).steps.find(({ check: name }) => name === "origin");
    assert.deepEqual(originOf({}), {
      check: "origin",
      passes: "none, https://www.bakery.test",
      otherwise: "403 GATEWAY_ORIGIN_REFUSED",
    });
    assert.deepEqual(originOf({ createsSession: true }), {
      check: "origin",
      passes: "a page of https://www.bakery.test, as the browser says (Origin or Sec-Fetch-Site)",
      otherwise: "403 GATEWAY_ORIGIN_REFUSED, GATEWAY_CROSS_SITE_REFUSED",
    });
  });

  test("keep their form, with a cost where one was counted", () => {
    const whole = Explanation.parse(explain("PUT /api/orders/:id", put));
    const costs = new Map(whole.steps.map(({ check: name, cost }) => [name, cost]));
    for (const name of ["path", "token", "limit by client", "access", "body", "look-up", "budget"])
      assert.ok((costs.get(name) ?? 0) > 0, name);
    assert.equal(costs.get("query"), undefined, "there is none");
    const open = Explanation.parse(
      explain("GET /api/a", { access: everyone, limit: "9/s per client", response: none }),
    );
    assert.ok(!open.steps.some(({ check: name }) => name === "token"));
    const twice = explain("GET /api/a", {
      access: everyone,
      limit: ["9/s per client", "99/h per client"],
      response: none,
    });
    const limitOf = ({ steps }: RouteExplanation): number =>
      steps.find(({ check: name }) => name.startsWith("limit"))?.cost ?? 0;
    assert.equal(limitOf(twice), 2 * limitOf(open as RouteExplanation));
  });
});

suite("Where a route's answer comes from", () => {
  const stack = {
    origin: "https://www.bakery.test",
    functions: { quotes: { reaches: "GET https://maps.test/v1/*" as const }, list: {}, tags: {} },
    secrets: {
      COURIER_KEY: secret({ use: "GET https://courier.test/v1/quotes", by: fn("quotes"), inject: bearer() }),
      WEATHER_KEY: secret({ use: "GET https://weather.test/**", by: "GET /api/weather", inject: bearer() }),
    },
    upstreams: { weather: upstream({ url: "https://weather.test" }) },
  };
  const last = (to: string, key = "GET /api/x"): string => {
    const route = { access: everyone, limit: "9/min per client", response: none, to };
    const weather = { ...route, to: "weather" };
    const routes = { "GET /api/weather": weather, [key]: route } as never;
    const contract = parseContract(defineStack({ ...stack, routes }));
    const found = contract.routes.find((candidate) => candidate.key === key) ?? assert.fail();
    const step = explainRoute(found, contract).steps.find(
      ({ check: name }) => name === "function" || name === "upstream",
    );
    return `${step?.check}: ${step?.passes}`;
  };

  test("a function is told with its sandbox, and with whom it may ask for what", () => {
    assert.equal(
      last("fn:quotes"),
      "function: quotes answers within 10000 ms; in a sandbox of its own (workerd, 256 MiB), without environment, files or network; 64 calls at once; by egress it reaches GET https://courier.test/v1/quotes with COURIER_KEY, GET https://maps.test/v1/*",
    );
    assert.match(last("fn:list"), /in the sandbox plain, which others share .*; it reaches nobody$/);
  });

  test("an upstream whose requests get a secret is told as such, by name alone", () => {
    assert.match(
      last("weather", "GET /api/weather"),
      /^upstream: weather answers .*; sent by egress, which adds WEATHER_KEY$/,
    );
    assert.doesNotMatch(last("weather", "GET /api/other"), /egress/);
  });
});
