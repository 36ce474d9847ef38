import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { CurtainwallError } from "../shared/index.ts";
import { everyone, owner, ownerField, role, signedIn } from "./access.ts";
import { defineStack, route } from "./define.ts";
import { none } from "./define/schema.ts";
import { upstream } from "./define/upstream.ts";
import type { ContractErrorCode } from "./errors.ts";
import { parseContract } from "./parse.ts";

const Product = z.object({ name: z.string() });
const plain = { access: everyone, limit: "9/min per client", response: Product, to: "shop" } as const;
const withParam = { ...plain, params: { id: z.string() } };

/** A whole contract, as JavaScript would hand it over: nothing has checked its types. */
function stackOf(changes: Record<string, unknown> = {}): unknown {
  return defineStack({
    origin: "https://www.bakery.example",
    identity: { issuer: "https://login.bakery.example/", audience: "https://api.bakery.example" },
    upstreams: { shop: upstream({ url: "https://shop.internal" }) },
    ...changes,
  });
}

const withRoute = (key: string, options: unknown): unknown => stackOf({ routes: { [key]: options } });

function without(options: object, name: string): object {
  return Object.fromEntries(Object.entries(options).filter(([key]) => key !== name));
}

/** The one error of a contract, checked for what each of them owes its reader. */
function errorOf(stack: unknown): CurtainwallError {
  try {
    parseContract(stack);
  } catch (error) {
    assert.ok(error instanceof CurtainwallError, String(error));
    return error;
  }
  return assert.fail("the contract was accepted");
}

function assertRefused(stack: unknown, code: ContractErrorCode, message: RegExp, hint?: RegExp): void {
  const error = errorOf(stack);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  if (hint !== undefined) assert.match(error.hint ?? "", hint);
}

test("a contract's defaults are filled in", () => {
  const contract = parseContract(withRoute("GET /api/products/:id", withParam));
  const [parsed] = contract.routes;
  assert.equal(contract.origin, "https://www.bakery.example");
  assert.deepEqual(contract.edge, {
    addresses: ["::"],
    port: 443,
    redirectPort: 80,
    threads: undefined,
    certificate: undefined,
    maxClients: 100_000,
    proxies: undefined,
    deniesProxies: false,
    ipv6Prefix: 64,
  });
  assert.deepEqual(contract.identity?.algorithms, ["RS256", "ES256", "EdDSA"]);
  assert.equal(contract.upstreams.get("shop")?.timeoutMs, 5000);
  assert.equal(parsed?.timeoutMs, 5000);
  assert.equal(parsed?.maxBodyBytes, 65_536);
  assert.deepEqual([...contract.apiRoots], ["api"]);
  assert.deepEqual(contract.corsOrigins, []);
  assert.deepEqual(contract.weakenings, []);
});

test("a local origin listens on loopback only, and its redirect is off", () => {
  for (const origin of ["https://localhost:8443", "https://shop.localhost:8443", "https://127.0.0.1:8443"]) {
    const { edge } = parseContract(stackOf({ origin }));
    assert.deepEqual(edge.addresses, ["127.0.0.1", "::1"]);
    assert.equal(edge.port, 8443);
    assert.equal(edge.redirectPort, false);
  }
});

test("the log is kept in nine files of 64 MiB, unless the contract says how many of what size", () => {
  assert.deepEqual(parseContract(stackOf({})).ledger, { maxFileBytes: 67_108_864, keepFiles: 8 });
  const ledger = { maxFileBytes: 1_000_000, keepFiles: 30 };
  assert.deepEqual(parseContract(stackOf({ ledger })).ledger, ledger);
  const witness = { file: "/mnt/elsewhere/log.json" };
  assert.equal(parseContract(stackOf({ ledger: { witness } })).ledger.witnessFile, witness.file);
  assertRefused(
    stackOf({ ledger: { keepFiles: 0 } }),
    "CONTRACT_OPTION_INVALID",
    /^ledger\.keepFiles must be/,
  );
  assertRefused(
    stackOf({ ledger: { maxSize: 1 } }),
    "CONTRACT_OPTION_UNKNOWN",
    /there is no option "maxSize"/,
  );
});

test("browsers report to /_reports, elsewhere if the contract says so, or not at all", () => {
  assert.deepEqual(parseContract(stackOf({})).reports, { path: "/_reports" });
  assert.deepEqual(parseContract(stackOf({ reports: { path: "/csp/in" } })).reports, { path: "/csp/in" });
  assert.equal(parseContract(stackOf({ reports: false })).reports, undefined);
  for (const path of ["", "/", "reports", "/a b", "/a;b", '/a"b', "/../a", "/a/", 7, "https://a.example/"])
    assertRefused(
      stackOf({ reports: { path } }),
      "CONTRACT_OPTION_INVALID",
      /^reports\.path must be a plain path/,
    );
  assertRefused(
    stackOf({ routes: { "GET /api/a": plain }, reports: { path: "/api/a" } }),
    "CONTRACT_OPTION_INVALID",
    /which is a route/,
  );
});

test("a route's time-out is its upstream's, unless it has its own", () => {
  const upstreams = { shop: upstream({ url: "https://shop.internal", timeoutMs: 700 }) };
  const routes = {
    "GET /api/a": plain,
    "GET /api/b": { ...plain, timeoutMs: 80 },
  };
  const contract = parseContract(stackOf({ upstreams, routes }));
  assert.deepEqual(
    contract.routes.map((parsed) => parsed.timeoutMs),
    [700, 80],
  );
});

test("a route written with route() in a file of its own is the same route", () => {
  const one = route("GET /api/products/:id", withParam);
  const contract = parseContract(stackOf({ routes: { ...one } }));
  assert.deepEqual(
    contract.routes.map((parsed) => parsed.key),
    ["GET /api/products/:id"],
  );
});

test("what was not made by defineStack is refused", () => {
  for (const value of [undefined, null, 1, "x", [], {}, { origin: "https://x.example" }, () => 0])
    assertRefused(value, "CONTRACT_SHAPE_INVALID", /defineStack/, /export default defineStack/);
});

test("a contract without an origin is told the line to write", () => {
  assertRefused(
    stackOf({ origin: undefined }),
    "CONTRACT_SHAPE_INVALID",
    /where the site is found/,
    /^Add {2}origin: "https:/,
  );
});

/** What a route leaves out, what the error says of it, and the line that it tells to write. */
const missing: [key: string, options: object, name: string, says: RegExp, line: RegExp][] = [
  ["GET /api/products", plain, "access", /does not say who may call it/, /^Add {2}access: everyone,/],
  [
    "GET /api/products",
    plain,
    "limit",
    /how often it may be called/,
    /^Add {2}limit: "120\/min per client",/,
  ],
  ["GET /api/products", plain, "response", /what it answers/, /^Add {2}response: z\.object\(/],
  ["GET /api/products", plain, "to", /who answers it/, /^Add {2}to: "shop",/],
  ["GET /api/products/:id", withParam, "params", /its parameter "id"/, /^Add {2}params: \{ id: z\.string/],
  ["POST /api/orders", { ...plain, body: Product }, "body", /what its body is/, /^Add {2}body: z\.object\(/],
  ["PUT /api/orders", { ...plain, body: Product }, "body", /what its body is/, /or none/],
  ["PATCH /api/orders", { ...plain, body: Product }, "body", /what its body is/, /or none/],
];

for (const [key, options, name, says, line] of missing) {
  test(`${key} without ${name} does not start: the error names the route and the line to write`, () => {
    assert.doesNotThrow(() => parseContract(withRoute(key, options)));
    const error = errorOf(withRoute(key, without(options, name)));
    assert.equal(error.code, "CONTRACT_ROUTE_INCOMPLETE");
    assert.match(error.message, says);
    assert.ok(error.message.includes(`"${key}"`), error.message);
    assert.match(error.hint ?? "", line);
  });
}

for (const access of [signedIn, role("staff"), owner("id"), ownerField("customerId")]) {
  test(`a route for ${access.kind} needs to be told who issues tokens`, () => {
    const options = { ...withParam, access };
    const routes = { "GET /api/orders/:id": options };
    assert.doesNotThrow(() => parseContract(stackOf({ routes })));
    assertRefused(
      stackOf({ routes, identity: undefined }),
      "CONTRACT_ROUTE_INCOMPLETE",
      /"GET \/api\/orders\/:id" needs to know who calls/,
      /^Add {2}identity: \{ issuer:/,
    );
  });
}

test("a misspelt option is refused wherever it stands, and the right one is suggested", () => {
  const cases: [stack: unknown, hint: RegExp][] = [
    [stackOf({ orgin: "x" }), /"origin"/],
    [stackOf({ identity: { isuer: "x", issuer: "https://a.example/", audience: "x" } }), /"issuer"/],
    [
      stackOf({ upstreams: { shop: { ...upstream({ url: "https://a.example" }), timeout: 3 } } }),
      /"timeoutMs"/,
    ],
    [stackOf({ edge: { ports: 1 } }), /"port"/],
    [stackOf({ edge: { certificate: { certfile: "a", certFile: "a", keyFile: "b" } } }), /"certFile"/],
    [stackOf({ cors: { origin: [], origins: [] } }), /"origins"/],
    [stackOf({ site: { contents: "a", content: "a", templates: "b", collections: {} } }), /"content"/],
    [withRoute("GET /api/a", { ...plain, acess: everyone }), /"access"/],
  ];
  for (const [stack, hint] of cases)
    assertRefused(stack, "CONTRACT_OPTION_UNKNOWN", /there is no option/, hint);
});

test("an option that resembles none is answered with the list", () => {
  assertRefused(
    withRoute("GET /api/a", { ...plain, middleware: [] }),
    "CONTRACT_OPTION_UNKNOWN",
    /"middleware"/,
    /^Options: access, limit, .*response, .*to,/,
  );
});

const invalidStacks: [what: string, stack: unknown, says: RegExp][] = [
  ["an origin with a path", stackOf({ origin: "https://a.example/x" }), /scheme, host and port only/],
  ["an origin with a slash", stackOf({ origin: "https://a.example/" }), /scheme, host and port only/],
  ["an origin with its default port", stackOf({ origin: "https://a.example:443" }), /scheme, host and port/],
  ["an origin with a password", stackOf({ origin: "https://u:p@a.example" }), /user or password/],
  ["an origin that is no URL", stackOf({ origin: "a.example" }), /absolute URL/],
  ["an origin of another scheme", stackOf({ origin: "data:,x" }), /must be https/],
  ["an origin that is a number", stackOf({ origin: 1 }), /absolute URL/],
  ["upstreams in a list", stackOf({ upstreams: [] }), /upstreams must be an object/],
  [
    "an upstream made by hand",
    stackOf({ upstreams: { shop: { url: "https://a.example" } } }),
    /upstream\(\)/,
  ],
  ["an upstream without a URL", stackOf({ upstreams: { shop: upstream({} as never) } }), /absolute URL/],
  [
    "an upstream with a query",
    stackOf({ upstreams: { shop: upstream({ url: "https://a.example/?x" }) } }),
    /query or fragment/,
  ],
  [
    "a time-out of 0",
    stackOf({ upstreams: { shop: upstream({ url: "https://a.example", timeoutMs: 0 }) } }),
    /whole number from 1 to 300000/,
  ],
  [
    "a time-out that is a big integer",
    stackOf({ upstreams: { shop: upstream({ url: "https://a.example", timeoutMs: 5n as never }) } }),
    /whole number from 1 to 300000, not 5n/,
  ],
  [
    "an issuer in a network that there is not",
    stackOf({ identity: { issuer: "https://a.example", audience: "x", network: "inside" } }),
    /identity\.network must be "public", "private" or "loopback"/,
  ],
  [
    "an issuer at an address that is no service's",
    stackOf({ identity: { issuer: "https://169.254.169.254", audience: "x" } }),
    /identity\.issuer is .*no service has such an address/,
  ],
  [
    "keys at an address of another network",
    stackOf({
      identity: {
        issuer: "https://a.example",
        audience: "x",
        jwksUrl: "https://10.0.0.1/keys",
        network: "public",
      },
    }),
    /identity\.jwksUrl is .*which is private, and not public/,
  ],
  ["an identity that is a text", stackOf({ identity: "https://a.example" }), /identity must be an object/],
  [
    "a symmetric algorithm",
    stackOf({ identity: { issuer: "https://a.example", audience: "x", algorithms: ["HS256"] } }),
    /RS256, ES256, EdDSA/,
  ],
  [
    "the algorithm none",
    stackOf({ identity: { issuer: "https://a.example", audience: "x", algorithms: ["none"] } }),
    /RS256, ES256, EdDSA/,
  ],
  [
    "no algorithms",
    stackOf({ identity: { issuer: "https://a.example", audience: "x", algorithms: [] } }),
    /RS256, ES256, EdDSA/,
  ],
  ["an audience left out", stackOf({ identity: { issuer: "https://a.example" } }), /identity\.audience/],
  [
    "a clock that may be an hour off",
    stackOf({ identity: { issuer: "https://a.example", audience: "x", clockToleranceSeconds: 3600 } }),
    /from 0 to 60/,
  ],
  ["a wildcard CORS origin", stackOf({ cors: { origins: ["*"] } }), /absolute URL/],
  ["a null CORS origin", stackOf({ cors: { origins: ["null"] } }), /absolute URL/],
  ["CORS origins that are a text", stackOf({ cors: { origins: "https://a.example" } }), /list of origins/],
  ["a port beyond the last", stackOf({ edge: { port: 65_536 } }), /from 0 to 65535/],
  ["addresses that are no list", stackOf({ edge: { addresses: "::1" } }), /list of IP addresses/],
  ["half a certificate", stackOf({ edge: { certificate: { certFile: "a" } } }), /keyFile/],
  ["a site without collections", stackOf({ site: { content: "a", templates: "b" } }), /collection/],
  [
    "a collection that is no schema",
    stackOf({ site: { content: "a", templates: "b", collections: { pages: {} } } }),
    /site\.collections\.pages must be a Zod schema/,
  ],
  ["routes in a list", stackOf({ routes: [] }), /routes must be an object/],
  ["a route that is nothing", withRoute("GET /api/a", null), /must be an object, not null/],
  ["an access that is a text", withRoute("GET /api/a", { ...plain, access: "everyone" }), /access must be/],
  [
    "an access made by hand",
    withRoute("GET /api/a", { ...plain, access: { kind: "admin" } }),
    /access must be/,
  ],
  ["a role without a name", withRoute("GET /api/a", { ...plain, access: role("") }), /role\(\) needs a name/],
  [
    "a role that is left out",
    withRoute("GET /api/a", { ...plain, access: role(undefined as never) }),
    /role\(\) needs a name/,
  ],
  [
    "an owner's field that is left out",
    withRoute("GET /api/a", { ...plain, access: ownerField(undefined as never) }),
    /ownerField\(\) needs a name/,
  ],
  [
    "an owner's field on a write",
    withRoute("DELETE /api/a", { ...plain, access: ownerField("id") }),
    /by then a DELETE has happened/,
  ],
  ["a limit that is a number", withRoute("GET /api/a", { ...plain, limit: 120 }), /is not a limit/],
  [
    "a limit per user where nobody signs in",
    withRoute("GET /api/a", { ...plain, limit: "9/min per user" }),
    /needs a user/,
  ],
  ["a body on a GET", withRoute("GET /api/a", { ...plain, body: Product }), /only POST, PUT and PATCH/],
  ["a body on a DELETE", withRoute("DELETE /api/a", { ...plain, body: Product }), /only POST, PUT and PATCH/],
  [
    "a response that is no schema",
    withRoute("GET /api/a", { ...plain, response: {} }),
    /Zod schema, none, eventStream/,
  ],
  ["a body that is no schema", withRoute("POST /api/a", { ...plain, body: "x" }), /must be a Zod schema/],
  ["a query that is one schema", withRoute("GET /api/a", { ...plain, query: Product }), /by name/],
  [
    "a query key without a schema",
    withRoute("GET /api/a", { ...plain, query: { q: 1 } }),
    /query\.q must be/,
  ],
];

for (const [what, stack, says] of invalidStacks) {
  test(`${what} is refused`, () => assertRefused(stack, "CONTRACT_OPTION_INVALID", says));
}

test("a route whose key is not a method and a path is refused with an example", () => {
  for (const key of ["/api/a", "GET api/a", "FETCH /api/a", "GET /api/../a", "GET /:page"])
    assertRefused(
      withRoute(key, plain),
      "CONTRACT_ROUTE_KEY_INVALID",
      /^Route "/,
      /"GET \/api\/products\/:id"/,
    );
});

test("a path that names a parameter twice is refused", () => {
  assertRefused(
    withRoute("GET /api/:id/of/:id", withParam),
    "CONTRACT_ROUTE_KEY_INVALID",
    /names a parameter twice/,
  );
});

test("two routes that match the same requests are refused, and both are named", () => {
  const routes = {
    "GET /api/a/:id": withParam,
    "GET /api/a/:name": { ...plain, params: { name: z.string() } },
  };
  assertRefused(
    stackOf({ routes }),
    "CONTRACT_ROUTE_CONFLICT",
    /":?GET \/api\/a\/:id".*"GET \/api\/a\/:name"/,
  );
  const distinct = { "GET /api/a/:id": withParam, "GET /api/a/new": plain };
  assert.doesNotThrow(() => parseContract(stackOf({ routes: distinct })));
});

test("a schema for a parameter that the path does not name is refused", () => {
  assertRefused(
    withRoute("GET /api/a", { ...plain, params: { id: z.string() } }),
    "CONTRACT_OPTION_UNKNOWN",
    /"id", which its path does not name/,
  );
});

test("a reference to something that the contract does not have is refused, with what it has", () => {
  assertRefused(
    withRoute("GET /api/a", { ...plain, to: "shpo" }),
    "CONTRACT_REFERENCE_UNKNOWN",
    /"shpo", which is neither among the upstreams nor/,
    /^There are: shop$/,
  );
  assertRefused(
    withRoute("GET /api/a/:id", { ...withParam, access: owner("user") }),
    "CONTRACT_REFERENCE_UNKNOWN",
    /owner\("user"\) names no parameter/,
    /^Parameters: id$/,
  );
});

test("http is refused, unless the contract says in words why it is safe; the reason is kept", () => {
  const insecure = "listens on loopback only";
  assertRefused(
    stackOf({ upstreams: { shop: upstream({ url: "http://127.0.0.1:1" }) } }),
    "CONTRACT_HTTP_REFUSED",
    /^upstreams\.shop\.url must be https/,
    /insecureAllowHttp: "/,
  );
  const contract = parseContract(
    stackOf({ upstreams: { shop: upstream({ url: "http://127.0.0.1:1", insecureAllowHttp: insecure }) } }),
  );
  assert.deepEqual(contract.weakenings, [{ at: "upstreams.shop.insecureAllowHttp", reason: insecure }]);
  assertRefused(
    stackOf({ origin: "http://a.example:8443" }),
    "CONTRACT_HTTP_REFUSED",
    /^origin must be https/,
    // An origin has no option that would allow it.
    /^Write {2}"https:\/\/a\.example:8443"/,
  );
  assertRefused(
    stackOf({ cors: { origins: ["http://a.example"] } }),
    "CONTRACT_HTTP_REFUSED",
    /^cors\.origins\[0\] must be https/,
  );
  assertRefused(
    stackOf({ identity: { issuer: "http://a.example", audience: "x" } }),
    "CONTRACT_HTTP_REFUSED",
    /^identity\.issuer must be https/,
  );
});

test("a weakening without a reason in words weakens nothing", () => {
  for (const reason of [true, "", "   ", "because", 1]) {
    const error = errorOf(
      stackOf({
        upstreams: { shop: upstream({ url: "http://a.example", insecureAllowHttp: reason as never }) },
      }),
    );
    assert.equal(error.code, "CONTRACT_REASON_MISSING");
    assert.match(error.message, /CONTRACT_HTTP_REFUSED/);
  }
});

test("an open schema is refused with the place where it is open", () => {
  const deep = z.object({ order: z.object({ note: z.any() }) });
  for (const [key, options, place] of [
    ["POST /api/a", { ...plain, body: deep }, "body, at /order/note"],
    ["POST /api/a", { ...plain, body: none, response: deep }, "response, at /order/note"],
    ["GET /api/a", { ...plain, query: { q: z.unknown() } }, "query.q, at /"],
    ["GET /api/a/:id", { ...plain, params: { id: z.any() } }, "params.id, at /"],
  ] as const) {
    const error = errorOf(withRoute(key, options));
    assert.equal(error.code, "CONTRACT_SCHEMA_OPEN");
    assert.ok(error.message.startsWith(`Route "${key}", ${place}:`), error.message);
    assert.notEqual(error.hint, undefined);
  }
});

test("an input may be open when the contract says why; a response may not", () => {
  const open = z.looseObject({ a: z.string() });
  const reason = "the webhook's sender adds fields at will";
  const options = { ...plain, body: open, insecureOpenInput: reason };
  const contract = parseContract(withRoute("POST /api/hook", options));
  const body = contract.routes[0]?.body as z.ZodType;
  assert.deepEqual(body.parse({ a: "x", b: 1 }), { a: "x", b: 1 });
  assert.deepEqual(contract.weakenings, [{ at: 'routes["POST /api/hook"].insecureOpenInput', reason }]);
  assertRefused(
    withRoute("POST /api/hook", { ...options, response: open }),
    "CONTRACT_SCHEMA_OPEN",
    /response, at \//,
    /what is not declared is dropped/,
  );
});

test("a schema that JSON can't satisfy is refused", () => {
  assertRefused(
    withRoute("GET /api/a", { ...plain, response: z.object({ on: z.date() }) }),
    "CONTRACT_SCHEMA_UNSUPPORTED",
    /response, at \/on: z\.date\(\) is not JSON/,
  );
  assertRefused(
    withRoute("POST /api/a", { ...plain, body: z.object({ on: z.date() }) }),
    "CONTRACT_SCHEMA_UNSUPPORTED",
    /z\.coerce\.date\(\) reads it from text/,
  );
});

test("a parsed route refuses undeclared input and drops undeclared output, at every depth", () => {
  const Order = z.object({ items: z.array(z.object({ product: z.string() })) });
  const [parsed] = parseContract(
    withRoute("POST /api/orders/:id", {
      ...withParam,
      query: { page: z.coerce.number().optional() },
      body: Order,
      response: Order,
    }),
  ).routes;
  const check = (schema: unknown, value: unknown): z.ZodSafeParseResult<unknown> =>
    (schema as z.ZodType).safeParse(value);
  const honest = { items: [{ product: "rye" }] };
  const hostile = { items: [{ product: "rye", priceCents: 0 }] };
  assert.deepEqual(check(parsed?.body, honest).data, honest);
  assert.equal(check(parsed?.body, hostile).success, false);
  assert.deepEqual(check(parsed?.response, hostile).data, honest);
  assert.equal(check(parsed?.params, { id: "x" }).success, true);
  assert.equal(check(parsed?.params, { id: "x", role: "staff" }).success, false);
  assert.equal(check(parsed?.query, { page: "2" }).success, true);
  assert.equal(check(parsed?.query, { debug: "1" }).success, false);
});

test("a route without query keys accepts none, and its schema says so by being absent", () => {
  assert.equal(parseContract(withRoute("GET /api/a", plain)).routes[0]?.query, undefined);
});

test("the site's own origin is not among the CORS origins, and each is there once", () => {
  const origins = ["https://app.example", "https://www.bakery.example", "https://app.example"];
  assert.deepEqual(parseContract(stackOf({ cors: { origins } })).corsOrigins, ["https://app.example"]);
});

test("all that is wrong is told at once, each problem with its code", () => {
  const error = errorOf(
    stackOf({
      orgin: "x",
      routes: { "GET /api/a": {}, "GET api/b": plain },
      upstreams: { shop: upstream({ url: "http://a.example" }) },
    }),
  );
  assert.match(error.message, /^The contract has 7 problems\./);
  for (const code of [
    "CONTRACT_OPTION_UNKNOWN",
    "CONTRACT_ROUTE_INCOMPLETE",
    "CONTRACT_ROUTE_KEY_INVALID",
    "CONTRACT_HTTP_REFUSED",
  ]) {
    assert.ok(error.message.includes(code), error.message);
  }
});

test("whatever stands where an option should be, the error is ours", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const strange = [
    null,
    0,
    -1,
    NaN,
    5n,
    "",
    "x",
    true,
    [],
    [null],
    {},
    circular,
    Symbol("x"),
    () => 0,
    new Date(NaN),
  ];
  const names = ["origin", "site", "identity", "upstreams", "cors", "edge", "ledger", "reports", "routes"];
  const inside = {
    site: ["content", "templates", "assets", "collections"],
    identity: [
      "issuer",
      "audience",
      "jwksUrl",
      "algorithms",
      "rolesClaim",
      "clockToleranceSeconds",
      "caFile",
    ],
    cors: ["origins"],
    edge: ["addresses", "port", "redirectPort", "threads", "certificate", "maxClients"],
    ledger: ["maxFileBytes", "keepFiles", "witness"],
    reports: ["path"],
  };
  const attempt = (stack: unknown): void => {
    try {
      parseContract(stack);
    } catch (error) {
      assert.ok(error instanceof CurtainwallError, String(error));
    }
  };
  for (const value of strange) {
    for (const name of names) attempt(stackOf({ [name]: value }));
    for (const [part, members] of Object.entries(inside))
      for (const member of members) attempt(stackOf({ [part]: { [member]: value } }));
    for (const name of Object.keys({
      ...withParam,
      query: 0,
      body: 0,
      summary: 0,
      maxBodyBytes: 0,
      timeoutMs: 0,
    }))
      attempt(withRoute("POST /api/a/:id", { ...withParam, body: none, [name]: value }));
    for (const name of ["url", "timeoutMs", "maxResponseBytes", "caFile", "insecureAllowHttp"])
      attempt(
        stackOf({ upstreams: { shop: { kind: "upstream", url: "https://a.example", [name]: value } } }),
      );
  }
});
