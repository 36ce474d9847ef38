import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { everyone, none, signedIn } from "../../contract/index.ts";
import { openSmall } from "../fixtures/small-gateway.ts";
import type { SmallGateway } from "../fixtures/small-gateway.ts";
import { saysNoMore, writeKept } from "./json-text.ts";

const base = { access: everyone, limit: "100000/s per client", to: "shop" };
const Account = z.object({
  id: z.number(),
  price: z.number().optional(),
  list: z.array(z.number()).optional(),
  name: z.string().optional(),
});
const canary = "canary-of-the-bakery";

const open = (): SmallGateway =>
  openSmall(
    {
      "GET /api/account": { ...base, response: Account, etag: true },
      "POST /api/account": {
        ...base,
        body: none,
        response: none,
        responseHeaders: {
          location: z.string().max(80).optional(),
          "x-total": z
            .string()
            .regex(/^\d{1,6}$/)
            .optional(),
        },
        errors: { 409: z.object({ reason: z.enum(["taken", "closed"]), field: z.string().optional() }) },
      },
      "POST /api/pay": {
        ...base,
        body: none,
        response: none,
        responseHeaders: { location: z.enum(["https://pay.example/start", "/paid"]) },
      },
    },
    { leaks: { canaries: [canary] } },
  );

/** As an upstream gives it: a text, and what was read from it. */
const answerText = (text: string, status = 200) => ({
  kind: "answer" as const,
  status,
  value: JSON.parse(text) as unknown,
  text,
});

test("numbers leave as the upstream wrote them, whatever a double would make of them", async () => {
  const small = open();
  const texts = [
    '{"id":12345678901234567890,"price":1.10}',
    '{ "id" : 1E2 , "list" : [ 1.0, -0, 0.10, 123456789.123456789 ] }',
    '{"id":1,"name":"1.10"}',
  ];
  for (const text of texts) {
    small.answer = answerText(text);
    assert.equal((await small.call({ target: "/api/account" })).body, text);
  }
});

test("they do so too where something had to be dropped", async () => {
  const small = open();
  small.answer = answerText('{"id":12345678901234567890,"secret":9.50,"price":1.10,"list":[1.0,2,-0.0]}');
  assert.equal(
    (await small.call({ target: "/api/account" })).body,
    '{"id":12345678901234567890,"price":1.10,"list":[1.0,2,-0.0]}',
  );
  assert.deepEqual(
    small.events.map((event) => "fields" in event && event.fields),
    [["/secret"]],
  );
});

test("an answer that is nothing where something is declared is told as that", async () => {
  const small = open();
  small.answer = { kind: "answer", status: 204, value: undefined };
  assert.equal((await small.call({ target: "/api/account" })).status, 502);
  assert.deepEqual(
    small.events.map((event) => "reason" in event && event.reason),
    ["it has no body"],
  );
});

test("a key that the upstream wrote twice can't carry anything past the check", async () => {
  const small = open();
  for (const text of [
    '{"name":{"hash":"secret"},"id":1,"name":"a"}',
    '{"\\u006eame":"secret","name":"a","id":1}',
    '{"id":1,"name":"a","id":2}',
  ]) {
    small.answer = answerText(text);
    const { body, status } = await small.call({ target: "/api/account" });
    assert.equal(status, 200);
    assert.ok(!body?.includes("secret"), text);
    assert.deepEqual(JSON.parse(body ?? ""), JSON.parse(text));
    assert.equal(body?.match(/"id"/g)?.length, 1);
  }
});

test("whatever JSON is written anew reads as what it was, and a text is only called plain if it says no more", () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.bigInt().map(String),
    fc.constantFrom("1.10", "1E5", "-0", "0.0", "1e-7"),
  );
  const numbers = fc.array(number.filter((text) => /^-?\d/.test(text) && !text.includes("Infinity")));
  fc.assert(
    fc.property(numbers, fc.string(), (list, name) => {
      const text = `{"name":${JSON.stringify(name)},"list":[${list.join(",")}],"more":1}`;
      const { list: kept } = JSON.parse(text) as { list: number[] };
      assert.equal(writeKept({ list: kept }, text), `{"list":[${list.join(",")}]}`);
      assert.ok(saysNoMore(text, 3));
      assert.ok(!saysNoMore(text, 2));
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(2), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      assert.deepEqual(JSON.parse(writeKept(JSON.parse(text), text)), JSON.parse(text));
    }),
  );
});

test("an ETag is made of what leaves: who has it gets 304, and a secret that changed changes nothing", async () => {
  const small = open();
  const ask = (tag?: string) =>
    small.call({ target: "/api/account", headers: tag === undefined ? {} : { "if-none-match": tag } });
  small.answer = { ...answerText('{"id":1,"hash":"a"}'), headers: { etag: '"upstream"' } };
  const tag = (await ask()).header("etag") ?? "";
  assert.match(tag, /^"[\w-]{27}"$/);
  small.answer = answerText('{"id":1,"hash":"b"}');
  for (const known of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
    const { status, body, header } = await ask(known);
    assert.deepEqual([status, body, header("etag")], [304, undefined, tag], known);
  }
  assert.equal((await ask('"upstream"')).status, 200);
  small.answer = answerText('{"id":2}');
  assert.equal((await ask(tag)).status, 200);
});

test("declared headers leave if they are as declared; no other does", async () => {
  const small = open();
  small.answer = {
    kind: "answer",
    status: 201,
    value: undefined,
    headers: {
      location: "/api/account/7",
      "x-total": "12",
      "set-cookie": "a=b",
      server: "shop/1.0",
      "x-powered-by": "bakery",
    },
  };
  const reply = await small.call({ method: "POST", target: "/api/account" });
  assert.equal(reply.status, 201);
  assert.deepEqual([reply.header("location"), reply.header("x-total")], ["/api/account/7", "12"]);
  for (const name of ["set-cookie", "server", "x-powered-by"]) assert.equal(reply.header(name), undefined);
});

test("a header that is not as declared is a 502: Location leads nowhere but to this site, or where it says", async () => {
  const small = open();
  const send = async (
    headers: Record<string, string | string[]>,
    target = "/api/account",
  ): Promise<number> => {
    small.answer = { kind: "answer", status: 201, value: undefined, headers };
    return (await small.call({ method: "POST", target })).status;
  };
  for (const location of ["https://www.bakery.test/x", "/x?y#z", "/"])
    assert.equal(await send({ location }), 201, location);
  for (const location of [
    "https://evil.test/",
    "//evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "https://shop.bakery.test/api/x",
    "http://www.bakery.test/",
    "https://a@www.bakery.test/",
    "https://www.bakery.test.evil.test/",
    "javascript:alert(1)",
    "x",
    "",
    "/\t/evil.test",
    "/x\r\nset-cookie: a=b",
    " /x",
  ])
    assert.equal(await send({ location }), 502, JSON.stringify(location));
  assert.equal(await send({ "x-total": "many" }), 502);
  assert.equal(await send({ "x-total": ["1", "2"] }), 502);
  assert.equal(await send({ location: "https://pay.example/start" }, "/api/pay"), 201);
  assert.equal(await send({ location: "/x" }, "/api/pay"), 502);
  assert.equal(await send({}, "/api/pay"), 502);
  assert.ok(!JSON.stringify(small.events).includes("evil"));
});

test("a declared refusal of the upstream leaves as declared; of any other not a word does", async () => {
  const small = open();
  const send = async (text: string, status: number) => {
    small.answer = answerText(text, status);
    const { status: answered, body } = await small.call({ method: "POST", target: "/api/account" });
    return [answered, body];
  };
  assert.deepEqual(await send('{"reason":"taken","sql":"SELECT"}', 409), [409, '{"reason":"taken"}']);
  const [status, body] = await send('{"reason":"password of bob"}', 409);
  assert.equal(status, 502);
  assert.ok(!String(body).includes("bob"));
  const [other, words] = await send('{"reason":"taken"}', 412);
  assert.equal(other, 422);
  assert.ok(!String(words).includes("taken"));
});

test("an answer with a canary in it does not leave, however it is written", async () => {
  const small = open();
  const escaped = `\\u0063${canary.slice(1)}`;
  for (const mark of [canary, `x${canary}y`, escaped]) {
    small.answer = answerText(`{"id":1,"name":"${mark}"}`);
    const { status, body } = await small.call({ target: "/api/account" });
    assert.equal(status, 502, mark);
    assert.ok(!body?.includes("canary"));
  }
  small.answer = answerText(`{"id":1,"dropped":"${canary}"}`);
  assert.equal((await small.call({ target: "/api/account" })).status, 200);
  assert.ok(small.events.every((event) => !JSON.stringify(event).includes(canary)));
});

test("nor one that has it in a header", async () => {
  const small = open();
  const ask = (location: string) => {
    small.answer = { kind: "answer", status: 201, value: undefined, headers: { location } };
    return small.call({ method: "POST", target: "/api/account" });
  };
  assert.equal((await ask("/api/account")).status, 201);
  const { status, header } = await ask(`/api/account/${canary}`);
  assert.equal(status, 502);
  assert.equal(header("location"), undefined);
});

test("a contract that would let the wrong things leave, or take them, does not start", () => {
  const route =
    (key: string, options: object): (() => unknown) =>
    () =>
      openSmall(
        { [key]: { ...base, response: none, ...options } },
        {
          identity: {
            issuer: "https://login.bakery.test/",
            audience: "a",
            jwksUrl: "https://login.bakery.test/keys",
          },
        },
      );
  const text = z.string().max(9);
  for (const name of [
    "passwordHash",
    "password_hash",
    "PASSWORD",
    "resetToken",
    "private-key",
    "totpSecret",
    "backup_codes",
  ])
    assert.throws(
      route("GET /api/a", { response: z.array(z.object({ [name]: text })) }),
      { code: "CONTRACT_FIELD_SENSITIVE" },
      name,
    );
  for (const name of ["passwordChangedAt", "hasPassword", "publicKey", "token", "secretary", "cardinality"])
    assert.doesNotThrow(route("GET /api/a", { response: z.object({ [name]: text }) }), name);
  assert.doesNotThrow(
    route("POST /api/a", {
      body: none,
      response: z.object({ secret: text }),
      insecureSensitiveFields: "shown once, when it is made",
    }),
  );
  const refusedHeaders = [
    "set-cookie",
    "content-security-policy",
    "access-control-allow-origin",
    "transfer-encoding",
    "content-length",
    "etag",
    "X-Total",
    "refresh",
    "www-authenticate",
  ];
  for (const name of refusedHeaders)
    assert.throws(
      route("GET /api/a", { responseHeaders: { [name]: text } }),
      { code: "CONTRACT_OPTION_INVALID" },
      name,
    );
  for (const name of [
    "authorization",
    "cookie",
    "host",
    "x-forwarded-for",
    "x-http-method-override",
    "transfer-encoding",
    "content-type",
    "te",
    "X-Version",
    "proxy-authorization",
    "dpop",
  ])
    assert.throws(
      route("GET /api/a", { headers: { [name]: text } }),
      { code: "CONTRACT_OPTION_INVALID" },
      name,
    );
  for (const status of [200, 302, 401, 429, 500, 4090])
    assert.throws(
      route("GET /api/a", { errors: { [status]: z.object({}) } }),
      { code: "CONTRACT_OPTION_INVALID" },
      String(status),
    );
  assert.throws(route("GET /api/a", { query: { open: z.coerce.boolean() } }), {
    code: "CONTRACT_SCHEMA_UNSUPPORTED",
  });
  assert.throws(route("POST /api/a", { access: signedIn, body: none, etag: true }), {
    code: "CONTRACT_OPTION_INVALID",
  });
  assert.throws(route("GET /api/a", { errors: { 409: z.any() } }), { code: "CONTRACT_SCHEMA_OPEN" });
});
