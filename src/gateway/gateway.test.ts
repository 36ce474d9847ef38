import assert from "node:assert/strict";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import fc from "fast-check";
import { eventCatalogue, securityHeaders, inertPolicy } from "../contract/index.ts";
import type { SecurityEvent } from "../contract/index.ts";
import { problems } from "./answers/answers.ts";
import type { ProblemCode } from "./answers/answers.ts";
import { contract, honestOrder, ok, openBakery, origin, partner, requestOf } from "./fixtures/bakery.ts";
import type { Call, Reply } from "./fixtures/bakery.ts";
import { createGateway } from "./gateway.ts";
import { createLimitMemory, createLimitStore } from "./limits/rate-limit.ts";
import type { GatewayRequest } from "./types.ts";

const order = JSON.stringify({ product: "rye", quantity: 2 });
const rye = { id: "rye", name: "Rye" };

/** The fields that an event names. */
const fieldsOf = (event: SecurityEvent | undefined): unknown =>
  event !== undefined && "fields" in event ? event.fields : undefined;

/** Checks that a reply is this problem, in the one shape that all have, and that the log has its id. */
function assertProblem(reply: Reply, code: ProblemCode, events: SecurityEvent[]): void {
  assert.equal(reply.header("content-type"), "application/problem+json; charset=utf-8");
  const { id, errors, ...problem } = reply.json();
  const { status, detail } = problems[code];
  assert.equal(problem.code, code);
  assert.deepEqual(
    { ...problem, title: typeof problem.title },
    { type: "about:blank", title: "string", status, detail, code },
  );
  assert.equal(reply.status, status);
  assert.ok(errors === undefined || Array.isArray(errors));
  assert.ok(
    events.some((event) => "id" in event && event.id === id),
    "the log has no event with the answer's id",
  );
  assertCommonHeaders(reply);
}

function assertCommonHeaders(reply: Reply): void {
  for (const [name, value] of securityHeaders(inertPolicy)) assert.equal(reply.header(name), value);
  assert.equal(reply.header("cache-control"), "no-store");
  assert.match(reply.header("vary") ?? "", /\bOrigin\b/);
}

suite("what is declared", () => {
  test("an honest GET gets the upstream's answer as JSON, with the security headers", async () => {
    const bakery = openBakery();
    bakery.answer = ok(rye);
    const reply = await bakery.call({ target: "/api/products/rye?lang=de&page=2" });
    assert.equal(reply.status, 200);
    assert.equal(reply.header("content-type"), "application/json; charset=utf-8");
    assert.deepEqual(reply.json(), rye);
    assertCommonHeaders(reply);
    assert.equal(bakery.forwarded[0]?.target, "/api/products/rye?lang=de&page=2&size=all");
    assert.deepEqual(bakery.events, []);
  });

  test("fixed text wins over a parameter", async () => {
    const bakery = openBakery();
    bakery.answer = ok(rye);
    await bakery.call({ target: "/api/products/featured" });
    assert.equal(bakery.forwarded[0]?.route.key, "GET /api/products/featured");
  });

  test("HEAD is answered as GET; the server leaves the body out (RFC 9110 §9.3.2)", async () => {
    const bakery = openBakery();
    bakery.answer = ok(rye);
    const reply = await bakery.call({ method: "HEAD", target: "/api/products/rye" });
    assert.equal(reply.status, 200);
    assert.equal(bakery.forwarded[0]?.route.method, "GET");
  });

  test("an honest POST passes its checked body on; a route without a response answers 204", async () => {
    const bakery = openBakery();
    const token = await bakery.token({ claims: { roles: ["staff"] } });
    const reply = await bakery.call({ method: "POST", target: "/api/orders", body: order, token });
    assert.deepEqual([reply.status, reply.json()], [200, honestOrder]);
    assert.deepEqual(bakery.forwarded[0]?.body, { product: "rye", quantity: 2 });
    assert.deepEqual(bakery.forwarded[0]?.caller, { subject: "alice", roles: ["staff"] });
    bakery.answer = ok(undefined, 204);
    const deletion = await bakery.call({ method: "DELETE", target: "/api/orders/o1", token });
    assert.deepEqual([deletion.status, deletion.body], [204, undefined]);
    assertCommonHeaders(deletion);
    const ping = await bakery.call({ method: "POST", target: "/api/ping" });
    assert.equal(ping.status, 204);
  });

  test("200, 201 and 202 reach the client as they were answered; what else is a success is 200, or 204 without a body", async () => {
    const bakery = openBakery();
    const token = await bakery.token();
    const statusOf = async (status: number, target = "/api/orders"): Promise<number> => {
      bakery.answer = ok(target === "/api/ping" ? undefined : honestOrder, status);
      const call: Call = { method: "POST", target, token };
      return (await bakery.call(target === "/api/ping" ? call : { ...call, body: order })).status;
    };
    const statuses = [200, 201, 202, 203, 206, 226];
    const withBody = [];
    const withoutBody = [];
    for (const status of statuses) {
      withBody.push(await statusOf(status));
      withoutBody.push(await statusOf(status, "/api/ping"));
    }
    assert.deepEqual(withBody, [200, 201, 202, 200, 200, 200]);
    assert.deepEqual(withoutBody, [204, 201, 202, 204, 204, 204]);
    bakery.answer = ok(undefined, 204);
    const lacking = await bakery.call({ method: "POST", target: "/api/orders", body: order, token });
    assert.equal(lacking.status, 502);
  });

  test("the gateway knows its paths, declared or not, and explains its routes", () => {
    const { gateway } = openBakery();
    assert.deepEqual(
      ["/api", "/api/", "/api/x/y", "/apis", "/", "/about", "/%61pi/x"].map((path) => gateway.matches(path)),
      [true, true, true, false, false, false, false],
    );
    const steps = gateway.explain("POST /api/orders")?.steps.map((step) => step.check);
    assert.deepEqual(steps, [
      "path",
      "method",
      "origin",
      "load",
      "limit by client",
      "token",
      "access",
      "query",
      "body",
      "upstream",
      "answer",
    ]);
    assert.equal(gateway.explain("GET /api/nothing"), undefined);
  });
});

suite("what is not declared", () => {
  const cases: [string, Call, ProblemCode][] = [
    ["an unknown path", { target: "/api/nothing" }, "GATEWAY_ROUTE_UNKNOWN"],
    ["a trailing slash", { target: "/api/products/" }, "GATEWAY_ROUTE_UNKNOWN"],
    ["an empty segment", { target: "/api//products" }, "GATEWAY_ROUTE_UNKNOWN"],
    ["another case", { target: "/API/products" }, "GATEWAY_ROUTE_UNKNOWN"],
    ["no path at all", { method: "OPTIONS", target: "*" }, "GATEWAY_PATH_INVALID"],
    ["an encoded slash", { target: "/api/products/a%2fb" }, "GATEWAY_PATH_INVALID"],
    ["an encoded parent folder", { target: "/api/products/%2e%2E" }, "GATEWAY_PATH_INVALID"],
    ["a double encoding", { target: "/api/products/%252e%252e" }, "GATEWAY_PATH_INVALID"],
    ["an encoded end of line", { target: "/api/products/a%0d%0ab" }, "GATEWAY_PATH_INVALID"],
    ["an encoded NUL", { target: "/api/products/a%00" }, "GATEWAY_PATH_INVALID"],
    ["an encoded backslash", { target: "/api/products/..%5c.." }, "GATEWAY_PATH_INVALID"],
    ["a malformed escape", { target: "/api/products/%zz" }, "GATEWAY_PATH_INVALID"],
    ["an overlong encoding", { target: "/api/products/%c0%ae%c0%ae" }, "GATEWAY_PATH_INVALID"],
    ["another method", { method: "PATCH", target: "/api/products/rye" }, "GATEWAY_METHOD_REFUSED"],
    ["TRACE", { method: "TRACE", target: "/api/products/rye" }, "GATEWAY_METHOD_REFUSED"],
    ["a method in lower case", { method: "get", target: "/api/products/rye" }, "GATEWAY_METHOD_REFUSED"],
    ["HEAD where there is no GET", { method: "HEAD", target: "/api/ping" }, "GATEWAY_METHOD_REFUSED"],
    ["a parameter that fails its schema", { target: "/api/products/R%C3%BCbli" }, "GATEWAY_INPUT_INVALID"],
    ["an unknown query key", { target: "/api/products/rye?debug=1" }, "GATEWAY_INPUT_INVALID"],
    ["a query key where none is declared", { target: "/api/products?a=1" }, "GATEWAY_INPUT_INVALID"],
    ["a query key given twice", { target: "/api/products/rye?lang=de&lang=en" }, "GATEWAY_INPUT_INVALID"],
    [
      "a query key given twice, once encoded",
      { target: "/api/products/rye?lang=de&l%61ng=en" },
      "GATEWAY_INPUT_INVALID",
    ],
    ["__proto__ in the query", { target: "/api/products/rye?__proto__=1" }, "GATEWAY_INPUT_INVALID"],
    ["constructor in the query", { target: "/api/products/rye?constructor=1" }, "GATEWAY_INPUT_INVALID"],
    ["a malformed query", { target: "/api/products/rye?lang=%" }, "GATEWAY_INPUT_INVALID"],
    ["an empty pair in the query", { target: "/api/products/rye?&" }, "GATEWAY_INPUT_INVALID"],
    ["a query value out of bounds", { target: "/api/products/rye?page=51" }, "GATEWAY_INPUT_INVALID"],
    ["a body on a GET", { target: "/api/products", body: "{}" }, "GATEWAY_BODY_UNEXPECTED"],
    [
      "a chunked body on a GET",
      { target: "/api/products", headers: { "transfer-encoding": "chunked" } },
      "GATEWAY_BODY_UNEXPECTED",
    ],
    [
      "a body on a POST that takes none",
      { method: "POST", target: "/api/ping", body: "{}" },
      "GATEWAY_BODY_UNEXPECTED",
    ],
  ];
  for (const [name, call, code] of cases)
    test(`${name} is refused with ${problems[code].status} ${code}`, async () => {
      const bakery = openBakery();
      const reply = await bakery.call(call);
      assertProblem(reply, code, bakery.events);
      assert.deepEqual(bakery.forwarded, []);
      assert.equal(bakery.events.length, 1);
    });

  test("405 and a plain OPTIONS name the methods that exist (RFC 9110 §9.3.7, §15.5.6)", async () => {
    const bakery = openBakery();
    const refused = await bakery.call({ method: "POST", target: "/api/orders/o1" });
    assert.equal(refused.header("allow"), "GET, PUT, DELETE, HEAD, OPTIONS");
    const options = await bakery.call({ method: "OPTIONS", target: "/api/orders/o1" });
    assert.deepEqual([options.status, options.header("allow")], [204, "GET, PUT, DELETE, HEAD, OPTIONS"]);
    assertCommonHeaders(options);
  });
});

suite("bodies", () => {
  const send = async (call: Partial<Call>): Promise<[Reply, ReturnType<typeof openBakery>]> => {
    const bakery = openBakery();
    const token = await bakery.token();
    return [await bakery.call({ method: "POST", target: "/api/orders", token, ...call }), bakery];
  };
  const bodies: [string, string | Uint8Array, string][] = [
    ["no JSON", "<order/>", ""],
    ["nothing", "", ""],
    ["a byte order mark", `\ufeff${order}`, ""],
    ["bytes that are no UTF-8", Uint8Array.of(0x22, 0xff, 0x22), ""],
    ["a key twice", '{"product":"rye","product":"spelt","quantity":1}', ""],
    ["a key twice, once escaped", '{"product":"rye","pr\\u006fduct":"spelt","quantity":1}', ""],
    ["a key twice, deep inside", '{"product":"rye","quantity":1,"gift":{"text":"a","text":"b"}}', ""],
    ["__proto__", '{"product":"rye","quantity":1,"__proto__":{"admin":true}}', ""],
    ["__proto__ inside a record", '{"product":"rye","quantity":1,"notes":{"__proto__":"x"}}', ""],
    ["an undeclared field", '{"product":"rye","quantity":1,"price":0}', ""],
    [
      "an undeclared field deep inside",
      '{"product":"rye","quantity":1,"gift":{"text":"a","price":0}}',
      "/gift",
    ],
    ["a missing field", '{"product":"rye"}', "/quantity"],
    ["a wrong type", '{"product":"rye","quantity":"2"}', "/quantity"],
    ["a number out of bounds", '{"product":"rye","quantity":51}', "/quantity"],
    ["a number beyond all numbers", '{"product":"rye","quantity":1e400}', "/quantity"],
    ["null", "null", ""],
    ["a list", "[]", ""],
    ["an array as deep as a well", `${"[".repeat(1000)}${"]".repeat(1000)}`, ""],
  ];
  for (const [name, body, pointer] of bodies)
    test(`a body with ${name} is refused and the field is named`, async () => {
      const [reply, { events, forwarded }] = await send({ body });
      assertProblem(reply, "GATEWAY_INPUT_INVALID", events);
      assert.deepEqual(forwarded, []);
      const errors = reply.json().errors as { pointer: string }[];
      assert.equal(errors[0]?.pointer, pointer);
    });

  for (const type of [
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json, text/plain",
    "",
  ])
    test(`a body of the type "${type}" is refused with 415`, async () => {
      const [reply, { events }] = await send({ body: order, headers: { "content-type": type } });
      assertProblem(reply, "GATEWAY_MEDIA_TYPE_REFUSED", events);
    });
  for (const type of [
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON;charset=UTF-8",
  ])
    test(`a body of the type "${type}" passes`, async () => {
      const [reply] = await send({ body: order, headers: { "content-type": type } });
      assert.equal(reply.status, 200);
    });
  test("a body without a type, or compressed, is refused with 415", async () => {
    const [compressed, first] = await send({ body: order, headers: { "content-encoding": "gzip" } });
    assertProblem(compressed, "GATEWAY_MEDIA_TYPE_REFUSED", first.events);
    const [untyped, second] = await send({});
    assertProblem(untyped, "GATEWAY_MEDIA_TYPE_REFUSED", second.events);
  });

  test("a body one byte too large, or too slow, is refused; one that just fits passes", async () => {
    const [fits] = await send({ body: order.padEnd(2048) });
    assert.equal(fits.status, 200);
    const [large, first] = await send({ body: order.padEnd(2049) });
    assertProblem(large, "GATEWAY_BODY_TOO_LARGE", first.events);
    const [slow, second] = await send({ body: "timeout" });
    assertProblem(slow, "GATEWAY_BODY_TIMEOUT", second.events);
    const [, third] = await send({ body: "aborted" });
    assert.deepEqual(third.forwarded, []);
  });

  test("no value and no unusual key of a request is echoed or logged", async () => {
    const canary = "s3cr3t.c4n4ry@bakery.test";
    const calls: Partial<Call>[] = [
      { body: `{"product":"${canary}","quantity":1}` },
      { body: `{"product":"rye","quantity":1,"${canary}":1}` },
      { body: `{"product":"rye","quantity":1,"notes":{"${canary}":"much too long"}}` },
      { body: `"${canary}"`, headers: { "content-type": canary } },
      { target: `/api/orders?${canary}=${canary}`, body: order },
      { method: "GET", target: `/api/products/${canary}` },
      { method: "GET", target: `/api/${canary}` },
      { headers: { origin: canary } },
      { token: canary },
    ];
    for (const call of calls) {
      const [reply, { events }] = await send(call);
      assert.ok(reply.status >= 400);
      assert.ok(!JSON.stringify([reply, events]).includes("c4n4ry"));
    }
  });
});

suite("access", () => {
  const get = async (
    target: string,
    claims: object | undefined,
    value: unknown,
  ): Promise<[number, unknown]> => {
    const bakery = openBakery();
    bakery.answer = ok(value);
    const token = claims === undefined ? undefined : await bakery.token({ claims: { ...claims } });
    const method = target.startsWith("/") ? "GET" : (target.split(" ")[0] as string);
    const reply = await bakery.call({ method, target: target.replace(/^\w+ /, ""), ...(token && { token }) });
    if (reply.status >= 400) assertProblem(reply, reply.json().code as ProblemCode, bakery.events);
    return [reply.status, reply.status === 200 ? reply.json() : reply.json()?.code];
  };
  const alice = { sub: "alice" };
  const staff = { sub: "sam", roles: ["staff"] };
  const one = { id: "o1", total: 7 };
  const two = { id: "o2", total: 8 };

  test("everyone: with, without and despite a token", async () => {
    assert.deepEqual(await get("/api/products/featured", undefined, rye), [200, rye]);
    assert.deepEqual(await get("/api/products/featured", alice, rye), [200, rye]);
    const bakery = openBakery();
    bakery.answer = ok(rye);
    assert.equal((await bakery.call({ target: "/api/products/featured", token: "garbage" })).status, 200);
    assert.equal(bakery.forwarded[0]?.caller, undefined);
  });

  test("role: only who has it, to the letter", async () => {
    assert.deepEqual(await get("DELETE /api/orders/o1", staff, undefined), [204, undefined]);
    for (const roles of [[], ["Staff"], ["staff "], ["staf"], ["constructor"]])
      assert.deepEqual(await get("DELETE /api/orders/o1", { roles }, undefined), [
        403,
        "GATEWAY_ACCESS_REFUSED",
      ]);
    assert.deepEqual(await get("DELETE /api/orders/o1", { roles: "staff" }, undefined), [
      401,
      "GATEWAY_TOKEN_INVALID",
    ]);
    assert.deepEqual(await get("DELETE /api/orders/o1", undefined, undefined), [
      401,
      "GATEWAY_TOKEN_MISSING",
    ]);
  });

  test("owner: only the subject that the path names, however it is written", async () => {
    assert.deepEqual(await get("/api/users/alice/orders", alice, [one]), [200, [one]]);
    assert.deepEqual(await get("/api/users/%61lice/orders", alice, [one]), [200, [one]]);
    for (const user of ["bob", "Alice", "alice%20", "%20alice"])
      assert.deepEqual(await get(`/api/users/${user}/orders`, alice, [one]), [403, "GATEWAY_ACCESS_REFUSED"]);
    assert.deepEqual(await get("/api/users/alice/orders", staff, [one]), [403, "GATEWAY_ACCESS_REFUSED"]);
    assert.deepEqual(await get("/api/users/alice/orders", undefined, [one]), [401, "GATEWAY_TOKEN_MISSING"]);
  });

  test("owner: a schema that changes the parameter can't lead to somebody else's data", async () => {
    // "Alice" is a subject of her own; the schema would ask the upstream for "alice".
    assert.deepEqual(await get("/api/mailboxes/Alice", { sub: "Alice" }, one), [
      403,
      "GATEWAY_ACCESS_REFUSED",
    ]);
    assert.deepEqual(await get("/api/mailboxes/alice", alice, one), [200, one]);
  });

  test("ownerField: an object is released only to whom it names, else it does not exist", async () => {
    assert.deepEqual(await get("/api/orders/o1", alice, { ...one, customer: { id: "alice" } }), [200, one]);
    for (const customer of [{ id: "bob" }, { id: ["alice"] }, {}, null, "alice", { ID: "alice" }, undefined])
      assert.deepEqual(await get("/api/orders/o1", alice, { ...one, customer }), [404, "GATEWAY_NOT_FOUND"]);
    for (const value of [null, "alice", 7, undefined, [{ ...one }]])
      assert.deepEqual(await get("/api/orders/o1", alice, value), [404, "GATEWAY_NOT_FOUND"]);
  });

  test("ownerField: of a list every element must name the caller; an empty list is anybody's", async () => {
    const mine = { customerId: "alice" };
    assert.deepEqual(
      await get("/api/orders", alice, [
        { ...one, ...mine },
        { ...two, ...mine },
      ]),
      [200, [one, two]],
    );
    assert.deepEqual(await get("/api/orders", alice, []), [200, []]);
    for (const other of [{ customerId: "bob" }, {}, { customerId: null }])
      assert.deepEqual(
        await get("/api/orders", alice, [
          { ...one, ...mine },
          { ...two, ...other },
        ]),
        [404, "GATEWAY_NOT_FOUND"],
      );
  });

  test("a missing, malformed or wrong token is told apart, with the challenge that RFC 6750 §3 asks for", async () => {
    const bakery = openBakery();
    const missing = await bakery.call({ method: "POST", target: "/api/orders", body: order });
    assertProblem(missing, "GATEWAY_TOKEN_MISSING", bakery.events);
    assert.equal(missing.header("www-authenticate"), "Bearer");
    for (const authorization of ["Basic YTpi", "Bearer", "Bearer ", "bearer: x", "Token x", " Bearer x"])
      assertProblem(
        await bakery.call({ method: "POST", target: "/api/orders", body: order, headers: { authorization } }),
        "GATEWAY_TOKEN_MISSING",
        bakery.events,
      );
    const honest = await bakery.token();
    for (const token of [
      ` ${honest}`,
      `${honest} `,
      `${honest},${honest}`,
      `${honest}, Bearer ${honest}`,
      `${honest}=`,
    ])
      assertProblem(
        await bakery.call({ method: "POST", target: "/api/orders", body: order, token }),
        "GATEWAY_TOKEN_INVALID",
        bakery.events,
      );
    const scheme = { authorization: `bEARER ${honest}` };
    assert.equal(
      (await bakery.call({ method: "POST", target: "/api/orders", body: order, headers: scheme })).status,
      200,
    );
    const wrong = await bakery.call({ method: "POST", target: "/api/orders", body: order, token: "a.b.c" });
    assertProblem(wrong, "GATEWAY_TOKEN_INVALID", bakery.events);
    assert.equal(wrong.header("www-authenticate"), 'Bearer error="invalid_token"');
  });

  test("without the issuer's keys the routes that need them answer 503 and the others go on", async () => {
    const bakery = openBakery();
    const token = await bakery.token();
    bakery.keys.set(undefined);
    const reply = await bakery.call({ target: "/api/users/alice/orders", token });
    assertProblem(reply, "GATEWAY_KEYS_UNAVAILABLE", bakery.events);
    assert.equal(reply.header("retry-after"), "5");
    bakery.answer = ok(rye);
    assert.equal((await bakery.call({ target: "/api/products/featured" })).status, 200);
  });
});

suite("limits", () => {
  test("a client's burst is admitted to the last, the next is refused with the time to wait, then one is regained", async () => {
    const bakery = openBakery();
    const call = { target: "/api/limited" };
    const policy = '"client-1";q=3;w=60, "client-2";q=5;w=4320';
    for (const left of [2, 1, 0]) {
      const reply = await bakery.call(call);
      assert.equal(reply.status, 200);
      assert.equal(reply.header("ratelimit-policy"), policy);
      assert.equal(
        reply.header("ratelimit"),
        `"client-1";r=${left};t=${(3 - left) * 20}, "client-2";r=${left + 2};t=${(3 - left) * 864}`,
      );
    }
    const refused = await bakery.call(call);
    assertProblem(refused, "GATEWAY_LIMIT_REACHED", bakery.events);
    assert.equal(refused.header("retry-after"), "20");
    assert.equal(refused.header("ratelimit"), '"client-1";r=0;t=20');
    assert.equal((await bakery.call({ ...call, client: "192.0.2.2" })).status, 200);
    bakery.clock.now += 20_000;
    assert.equal((await bakery.call(call)).status, 200);
    assert.equal((await bakery.call(call)).status, 429);
  });

  test("what the short limit refuses is not charged to the long one", async () => {
    const bakery = openBakery();
    const call = { target: "/api/limited" };
    for (let count = 0; count < 50; count++) await bakery.call(call);
    bakery.clock.now += 60_000;
    const statuses: number[] = [];
    for (let count = 0; count < 3; count++) statuses.push((await bakery.call(call)).status);
    assert.deepEqual(statuses, [200, 200, 429]);
  });

  test("a user is counted whatever the address, a client whatever the address in its /64", async () => {
    const bakery = openBakery();
    bakery.answer = ok([]);
    const token = await bakery.token();
    const byUser: number[] = [];
    for (let host = 1; host <= 4; host++)
      byUser.push(
        (await bakery.call({ target: "/api/users/alice/orders", token, client: `192.0.2.${host}` })).status,
      );
    assert.deepEqual(byUser, [200, 200, 200, 429]);
    bakery.answer = ok(honestOrder);
    const byClient: number[] = [];
    for (let host = 1; host <= 4; host++)
      byClient.push((await bakery.call({ target: "/api/limited", client: `2001:db8::${host}:1` })).status);
    assert.deepEqual(byClient, [200, 200, 200, 429]);
  });

  test("the answer's headers speak of the client's limit and the user's together", async () => {
    const bakery = openBakery();
    bakery.answer = ok([]);
    const reply = await bakery.call({ target: "/api/users/alice/orders", token: await bakery.token() });
    assert.equal(reply.header("ratelimit-policy"), '"client";q=600;w=60, "user";q=3;w=60');
    assert.equal(reply.header("ratelimit"), '"client";r=599;t=1, "user";r=2;t=20');
  });

  test("a client's limit holds before any token is looked at, so that invented tokens can't buy work", async () => {
    const bakery = openBakery();
    let status = 0;
    for (let count = 0; count < 601; count++)
      ({ status } = await bakery.call({ method: "POST", target: "/api/orders", token: `a.b.${count}` }));
    assert.equal(status, 429);
  });

  test("X-Forwarded-For buys no new allowance", async () => {
    const bakery = openBakery();
    const statuses: number[] = [];
    for (let host = 1; host <= 4; host++) {
      const headers = { "x-forwarded-for": `198.51.100.${host}`, forwarded: `for=198.51.100.${host}` };
      statuses.push((await bakery.call({ target: "/api/limited", headers })).status);
    }
    assert.deepEqual(statuses, [200, 200, 200, 429]);
  });

  test("a limit that spans more than 31 days does not start", () => {
    const limits = [{ text: "", by: "client" as const, count: 1, windowSeconds: 86_400, burst: 32 }];
    const routes = contract.routes.map((route) => ({
      ...route,
      limits,
      access: { kind: "everyone" as const },
    }));
    assert.throws(
      () =>
        createGateway({
          contract: { ...contract, routes },
          destinations: new Map([["shop", () => undefined]]),
          limits: createLimitStore(createLimitMemory()),
          events: () => undefined,
        }),
      { code: "GATEWAY_OPTION_INVALID" },
    );
  });

  test("a gateway without a destination or a verifier that its routes need does not start", () => {
    const options = { contract, limits: createLimitStore(createLimitMemory()), events: () => undefined };
    assert.throws(() => createGateway({ ...options, destinations: new Map() }), /No destination "shop"/);
    const destinations = new Map([["shop", () => undefined]]);
    assert.throws(() => createGateway({ ...options, destinations }), /No token verifier/);
  });
});

suite("other origins (WHATWG Fetch §3.2)", () => {
  const call = (from: string | undefined): Call => ({
    target: "/api/products/featured",
    ...(from === undefined ? {} : { headers: { origin: from } }),
  });

  test("the site's own pages, programs without an origin, and declared origins may call", async () => {
    for (const from of [undefined, origin, partner]) {
      const bakery = openBakery();
      bakery.answer = ok(rye);
      const reply = await bakery.call(call(from));
      assert.equal(reply.status, 200);
      assert.equal(reply.header("access-control-allow-origin"), from === partner ? partner : undefined);
      assert.equal(reply.header("access-control-allow-credentials"), undefined);
      assertCommonHeaders(reply);
    }
  });

  const strangers = [
    "null",
    "",
    "https://evil.test",
    "http://app.partner.test",
    "https://app.partner.test:8443",
    "https://app.partner.test.evil.test",
    "https://evilapp.partner.test",
    "https://x.app.partner.test",
    "https://APP.partner.test",
    "https://app.partner.test/",
    "https://app.partner.test.",
    "https://app.partner.test, https://evil.test",
    "https://user@app.partner.test",
  ];
  for (const from of strangers)
    test(`a page of "${from}" is refused, unread, and charged to nobody`, async () => {
      const bakery = openBakery();
      const reply = await bakery.call(call(from));
      assertProblem(reply, "GATEWAY_ORIGIN_REFUSED", bakery.events);
      assert.equal(reply.header("access-control-allow-origin"), undefined);
      assert.equal(reply.header("ratelimit"), undefined);
      assert.deepEqual(bakery.forwarded, []);
      const preflight = await bakery.call({
        method: "OPTIONS",
        target: "/api/products/featured",
        headers: { origin: from, "access-control-request-method": "GET" },
      });
      assertProblem(preflight, "GATEWAY_ORIGIN_REFUSED", bakery.events);
      assert.equal(preflight.header("access-control-allow-origin"), undefined);
    });

  test("a preflight of a declared origin names the methods and headers that may be sent", async () => {
    const bakery = openBakery();
    const reply = await bakery.call({
      method: "OPTIONS",
      target: "/api/orders/o1",
      headers: {
        origin: partner,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "x-evil",
      },
    });
    assert.equal(reply.status, 204);
    assert.equal(reply.header("access-control-allow-origin"), partner);
    assert.equal(reply.header("access-control-allow-methods"), "GET, PUT, DELETE");
    assert.equal(reply.header("access-control-allow-headers"), "authorization, content-type");
    assert.equal(reply.header("access-control-allow-credentials"), undefined);
    assert.match(reply.header("vary") ?? "", /^Origin, Access-Control-Request-Method/);
    assertCommonHeaders(reply);
    assert.deepEqual(bakery.forwarded, []);
  });

  test("a declared origin can read refusals, and the limits' headers", async () => {
    const bakery = openBakery();
    const reply = await bakery.call({ target: "/api/orders", headers: { origin: partner } });
    assert.equal(reply.status, 401);
    assert.equal(reply.header("access-control-allow-origin"), partner);
    assert.equal(reply.header("access-control-expose-headers"), "RateLimit, RateLimit-Policy, Retry-After");
    const unknown = await bakery.call({ target: "/api/nothing", headers: { origin: partner } });
    assert.equal(unknown.header("access-control-allow-origin"), partner);
  });
});

suite("answers", () => {
  test("undeclared fields are dropped, however deep, and named in the log without their values", async () => {
    const bakery = openBakery();
    bakery.answer = ok({
      ...rye,
      cost: "canary",
      maker: { name: "Ann", salary: "canary" },
      tags: [{ text: "new" }, { text: "dark", secret: "canary" }],
    });
    const reply = await bakery.call({ target: "/api/products/featured" });
    assert.deepEqual(reply.json(), {
      ...rye,
      maker: { name: "Ann" },
      tags: [{ text: "new" }, { text: "dark" }],
    });
    const [event] = bakery.events;
    assert.equal(event?.type, "gateway.answer.trimmed");
    assert.deepEqual(fieldsOf(event), ["/cost", "/maker/salary", "/tags/*/secret"]);
    assert.ok(!JSON.stringify(bakery.events).includes("canary"));
  });

  test("a body where none is declared is dropped and reported", async () => {
    const bakery = openBakery();
    bakery.answer = ok({ secret: "canary" });
    const reply = await bakery.call({ method: "POST", target: "/api/ping" });
    assert.deepEqual([reply.status, reply.body], [204, undefined]);
    assert.deepEqual(fieldsOf(bakery.events[0]), [""]);
  });

  for (const [name, value] of [
    ["a wrong type", { id: "rye", name: 7 }],
    ["a missing field", { id: "rye" }],
    ["nothing", undefined],
    ["a list instead of an object", [rye]],
    ["a prototype instead of a field", JSON.parse('{"__proto__":{"name":"Rye"},"id":"rye"}')],
  ] as const)
    test(`an answer with ${name} is a 502, and an alert names the field`, async () => {
      const bakery = openBakery();
      bakery.answer = ok(value);
      const reply = await bakery.call({ target: "/api/products/featured" });
      assertProblem(reply, "GATEWAY_ANSWER_INVALID", bakery.events);
      assert.equal(bakery.events[0]?.type, "gateway.answer.refused");
    });

  const statuses: [number, ProblemCode][] = [
    [100, "GATEWAY_ANSWER_INVALID"],
    [301, "GATEWAY_ANSWER_INVALID"],
    [304, "GATEWAY_ANSWER_INVALID"],
    [400, "GATEWAY_UPSTREAM_REFUSED"],
    [401, "GATEWAY_UPSTREAM_REFUSED"],
    [404, "GATEWAY_NOT_FOUND"],
    [410, "GATEWAY_NOT_FOUND"],
    [429, "GATEWAY_UPSTREAM_REFUSED"],
    [500, "GATEWAY_ANSWER_INVALID"],
    [503, "GATEWAY_ANSWER_INVALID"],
    [999, "GATEWAY_ANSWER_INVALID"],
  ];
  for (const [status, code] of statuses)
    test(`an upstream's ${status} becomes ${problems[code].status} ${code}, without its words`, async () => {
      const bakery = openBakery();
      bakery.answer = ok({ error: "canary in SELECT * FROM users" }, status);
      const reply = await bakery.call({ target: "/api/products/featured" });
      assertProblem(reply, code, bakery.events);
      assert.ok(!JSON.stringify([reply, bakery.events]).includes("canary"));
    });

  test("an upstream that fails is a problem of its kind, under the id that the upstream was given", async () => {
    for (const code of [
      "GATEWAY_UPSTREAM_UNAVAILABLE",
      "GATEWAY_UPSTREAM_TIMEOUT",
      "GATEWAY_ANSWER_INVALID",
    ] as const) {
      const bakery = openBakery();
      bakery.answer = () => ({ kind: "failed", code, reason: "ECONNREFUSED 10.0.0.7" });
      const reply = await bakery.call({ target: "/api/products/featured" });
      assertProblem(reply, code, bakery.events);
      assert.equal(reply.json().id, bakery.forwarded[0]?.id);
      assert.ok(!reply.body?.includes("10.0.0.7"));
    }
  });
});

suite("when something of ours, or of the contract's, throws", () => {
  for (const target of ["/api/fragile?throws=1", "/api/fragile?waits=1"])
    test(`a check that can't be made is a refusal: ${target}`, async () => {
      const bakery = openBakery();
      const reply = await bakery.call({ target });
      assertProblem(reply, "GATEWAY_FAILED", bakery.events);
      assert.ok(!JSON.stringify([reply, bakery.events]).includes("canary"));
      assert.deepEqual(bakery.forwarded, []);
    });

  test("an answer that makes its check throw is not released", async () => {
    const bakery = openBakery();
    bakery.answer = ok({ id: "throw" });
    assertProblem(await bakery.call({ target: "/api/fragile" }), "GATEWAY_ANSWER_INVALID", bakery.events);
  });

  test("a destination that throws, or answers twice, still yields one answer", async () => {
    const bakery = openBakery();
    bakery.answer = () => {
      throw new Error("canary");
    };
    assertProblem(await bakery.call({ target: "/api/products/featured" }), "GATEWAY_FAILED", bakery.events);
    const answers: number[] = [];
    const gateway = createGateway({
      contract: { ...contract, routes: contract.routes.filter(({ access }) => access.kind === "everyone") },
      destinations: new Map([
        [
          "shop",
          (_, done) => {
            done({ kind: "answer", status: 200, value: rye });
            done({ kind: "answer", status: 500, value: undefined });
          },
        ],
      ]),
      limits: createLimitStore(createLimitMemory()),
      events: () => assert.fail("nothing happened"),
    });
    gateway.handle(requestOf({ target: "/api/products/featured" }), ({ status }) => answers.push(status));
    assert.deepEqual(answers, [200]);
  });

  test("a path that a schema makes ambiguous is refused before it reaches the upstream", async () => {
    for (const name of ["%20..%20", "%20.", "%20"]) {
      const bakery = openBakery();
      assertProblem(
        await bakery.call({ target: `/api/files/${name}` }),
        "GATEWAY_INPUT_INVALID",
        bakery.events,
      );
      assert.deepEqual(bakery.forwarded, []);
    }
    const bakery = openBakery();
    await bakery.call({ target: "/api/files/%20bread%20list" });
    assert.equal(bakery.forwarded[0]?.target, "/api/files/bread%20list");
  });
});

test("whatever is sent, handle does not throw, answers once, and never with a 5xx", async () => {
  const bakery = openBakery();
  const valid = await bakery.token();
  const targets = contract.routes
    .filter((route) => !route.path.includes("fragile"))
    .map((route) => route.path.replace(":id", "rye").replace(":user", "alice").replace(":name", "x"));
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "binary-ascii" }),
    fc.constantFrom("__proto__", "constructor", "%00", "%2f", "..", "\ud800", "&&", "=", "a=1&a=2"),
  );
  const call: fc.Arbitrary<Call> = fc.record(
    {
      method: fc.oneof(
        fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "__proto__"),
        text,
      ),
      target: fc.oneof(
        fc.constantFrom(...targets),
        fc.tuple(fc.constantFrom(...targets), text).map(([path, more]) => path + more),
        fc.tuple(fc.constantFrom(...targets), text).map(([path, more]) => `${path}?${more}`),
        text,
      ),
      headers: fc.dictionary(
        fc.constantFrom(
          "origin",
          "authorization",
          "content-type",
          "content-length",
          "content-encoding",
          "transfer-encoding",
          "access-control-request-method",
        ),
        text,
      ),
      body: fc.oneof(
        text,
        fc.json({ maxDepth: 4 }),
        fc.uint8Array({ maxLength: 50 }),
        fc.constantFrom("too-large" as const, "aborted" as const, "timeout" as const),
      ),
      token: fc.oneof(fc.constant(valid), text),
      client: fc.oneof(fc.ipV4(), fc.ipV6(), text),
    },
    { requiredKeys: ["target"] },
  );
  await fc.assert(
    fc.asyncProperty(call, fc.anything({ maxDepth: 2 }), async (made, value) => {
      bakery.events.length = 0;
      bakery.answer = ok(value);
      const reply = await bakery.call(made);
      const { code } = reply.status >= 400 ? (reply.json() as { code: ProblemCode }) : { code: undefined };
      assert.ok(reply.status < 500 || code === "GATEWAY_ANSWER_INVALID", `${reply.status} ${code}`);
      if (code !== undefined) assertProblem(reply, code, bakery.events);
      else assertCommonHeaders(reply);
      for (const event of bakery.events) assert.ok(event.type in eventCatalogue);
    }),
    { numRuns: 1000 },
  );
});

test("over a real socket: a POST, a HEAD, and a body that is too large", async (t) => {
  const bakery = openBakery();
  const server = createServer((incoming, outgoing) => {
    const [path = "", query = ""] = (incoming.url ?? "").split("?");
    const request: GatewayRequest = {
      method: incoming.method ?? "",
      path,
      query,
      remoteAddress: incoming.socket.remoteAddress ?? "",
      connection: incoming.socket,
      hasBody: (incoming.headers["content-length"] ?? "0") !== "0",
      header: (name) => incoming.headers[name]?.toString(),
      readBody(maxBytes, done) {
        const chunks: Buffer[] = [];
        let length = 0;
        incoming.on("data", (chunk: Buffer) => {
          if ((length += chunk.length) <= maxBytes) chunks.push(chunk);
        });
        incoming.on("end", () => done(length > maxBytes ? "too-large" : undefined, Buffer.concat(chunks)));
      },
    };
    bakery.gateway.handle(request, ({ status, headers, ownHeaders = [], body }) => {
      outgoing.writeHead(status, [...headers, ...ownHeaders]);
      outgoing.end(body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const token = await bakery.token();
  const send = (method: string, path: string, body?: string): Promise<[number, string, unknown]> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          port,
          host: "127.0.0.1",
          method,
          path,
          agent: false,
          headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
        },
        (response) => {
          response.setEncoding("utf8");
          let text = "";
          response.on("data", (chunk: string) => (text += chunk));
          response.on("end", () => resolve([response.statusCode ?? 0, text, response.headers["ratelimit"]]));
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  assert.deepEqual(await send("POST", "/api/orders", order), [
    200,
    JSON.stringify(honestOrder),
    '"client";r=599;t=1',
  ]);
  bakery.answer = ok(rye);
  assert.deepEqual((await send("HEAD", "/api/products/featured")).slice(0, 2), [200, ""]);
  assert.equal((await send("POST", "/api/orders", order.padEnd(100_000)))[0], 413);
});
