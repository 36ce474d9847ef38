import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { everyone, form } from "../../contract/index.ts";
import { openSmall } from "../fixtures/small-gateway.ts";
import { formatCookies, parseCookies } from "./cookies.ts";

const base = {
  access: everyone,
  limit: "100000/s per client",
  response: z.object({ ok: z.boolean() }),
  to: "shop",
};

const small = openSmall({
  "GET /api/list": {
    ...base,
    query: {
      tag: z
        .array(z.enum(["rye", "wheat"]))
        .max(3)
        .optional(),
      page: z.coerce.number().int().optional(),
    },
  },
  "GET /api/versioned": {
    ...base,
    headers: { "x-version": z.enum(["1", "2"]), "x-count": z.coerce.number().int().max(9).optional() },
    cookies: {
      session: z.string().regex(/^[a-z0-9]{8}$/),
      theme: z.enum(["dark", "light"]).default("light"),
    },
  },
  "POST /api/contact": {
    ...base,
    body: form({
      name: z.string().min(1).max(40),
      topics: z.array(z.string().max(10)).max(2),
      age: z.coerce.number().optional(),
    }),
    maxBodyBytes: 200,
  },
  "POST /api/deep": { ...base, body: z.array(z.array(z.int())), jsonLimits: { elements: 5 } },
});

interface Sent {
  status: number;
  errors: unknown;
}

async function send(call: Parameters<typeof small.call>[0]): Promise<Sent> {
  small.forwarded.length = 0;
  const reply = await small.call(call);
  const { errors } = reply.json() as { errors?: { pointer: string }[] };
  return { status: reply.status, errors: errors?.map(({ pointer }) => pointer) };
}

const refused = (pointer: string): Sent => ({ status: 400, errors: [pointer] });
const passed: Sent = { status: 200, errors: undefined };

test("a query's list travels in order; a key that is no list stands once", async () => {
  assert.deepEqual(await send({ target: "/api/list?tag=rye&page=2&tag=wheat" }), passed);
  assert.equal(small.forwarded[0]?.target, "/api/list?tag=rye&tag=wheat&page=2");
  assert.deepEqual(await send({ target: "/api/list" }), passed);
  assert.deepEqual(await send({ target: "/api/list?page=1&page=2" }), refused("query"));
  assert.deepEqual(await send({ target: "/api/list?tag=rye&tag=corn" }), refused("query/tag/1"));
  assert.deepEqual(await send({ target: "/api/list?tag=rye&tag=rye&tag=rye&tag=rye" }), refused("query/tag"));
  assert.deepEqual(await send({ target: "/api/list?tag[]=rye" }), refused("query"));
});

test("only declared headers and cookies go on, written anew", async () => {
  const headers = {
    "x-version": "2",
    "x-count": "07",
    "x-forwarded-user": "admin",
    cookie: 'tracker={"a":1}; session=abcd1234; other="x; theme=dark',
  };
  assert.deepEqual(await send({ target: "/api/versioned", headers }), passed);
  assert.deepEqual(small.forwarded[0]?.headers, [
    "x-version",
    "2",
    "x-count",
    "7",
    "cookie",
    "session=abcd1234; theme=dark",
  ]);
});

test("a header or a cookie that is not as declared is refused, by name and without its value", async () => {
  const cookie = "session=abcd1234";
  const reply = (headers: Record<string, string>): Promise<Sent> =>
    send({ target: "/api/versioned", headers });
  assert.deepEqual(await reply({ "x-version": "3", cookie }), refused("headers/x-version"));
  assert.deepEqual(await reply({ cookie }), refused("headers/x-version"));
  assert.deepEqual(await reply({ "x-version": "1, 2", cookie }), refused("headers/x-version"));
  assert.deepEqual(
    await reply({ "x-version": "1", "x-count": "7\u00a0", cookie }),
    refused("headers/x-count"),
  );
  assert.deepEqual(await reply({ "x-version": "1" }), refused("cookies/session"));
  for (const twice of [
    "session=abcd1234; session=evil0000",
    "session=evil0000;session=abcd1234",
    "session; session=abcd1234",
  ])
    assert.deepEqual(await reply({ "x-version": "1", cookie: twice }), refused("cookies"), twice);
  for (const odd of ['session="abcd1234', "session =abcd1234", "session=abcd,1234", "session=abcd 1234"])
    assert.equal((await reply({ "x-version": "1", cookie: odd })).status, 400, odd);
  const { body } = await small.call({ target: "/api/versioned", headers: { "x-version": "canary", cookie } });
  assert.ok(!body?.includes("canary"));
});

test("cookies that were read are written so that they are read again", () => {
  const name = fc.string({ unit: fc.constantFrom(...Array.from("abcXYZ09_-!")), minLength: 1 });
  const value = fc.string({ unit: fc.constantFrom(...Array.from("abc09=/+-!#")), maxLength: 20 });
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (given) => {
      const header = formatCookies(given);
      assert.deepEqual(
        { ...parseCookies(header === "" ? undefined : header, new Set(Object.keys(given))) },
        given,
      );
    }),
  );
  assert.equal(formatCookies({ a: "b; c=d" }), undefined);
});

const formType = { "content-type": "application/x-www-form-urlencoded" };

test("a form is held to its schema and goes on as a form", async () => {
  const body = "name=J%C3%B6rg+M&topics=rye&topics=milk&age=7.0";
  assert.deepEqual(await send({ method: "POST", target: "/api/contact", headers: formType, body }), passed);
  assert.equal(small.forwarded[0]?.body, "name=J%C3%B6rg%20M&topics=rye&topics=milk&age=7");
  const utf8 = { "content-type": 'Application/X-WWW-Form-Urlencoded; charset="UTF-8"' };
  assert.deepEqual(await send({ method: "POST", target: "/api/contact", headers: utf8, body }), passed);
});

test("a form that servers would read in different ways is refused", async () => {
  const post = (body: string | Uint8Array, headers: Record<string, string> = formType): Promise<Sent> =>
    send({ method: "POST", target: "/api/contact", headers, body });
  assert.deepEqual(await post("name=a&name=b&topics=x"), refused(""));
  assert.deepEqual(await post("name=a&topics=x&admin=1"), refused(""));
  assert.deepEqual(await post("name=a&topics=x&topics=y&topics=z"), refused("/topics"));
  for (const odd of [
    "name=a%zz&topics=x",
    "name=a;topics=x",
    "name=\u00e9&topics=x",
    "name=a\0&topics=x",
    "name=a%00&topics=x",
    "name=%ff&topics=x",
    "name=a&topics=x\r\n",
  ])
    assert.equal((await post(odd)).status, 400, JSON.stringify(odd));
  assert.equal((await post(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x3d, 0x62))).status, 400);
  assert.equal((await post(`name=${"a".repeat(200)}`)).status, 413);
  for (const type of [
    "application/json",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded; charset=iso-8859-1",
    "text/plain",
  ])
    assert.equal((await post("name=a&topics=x", { "content-type": type })).status, 415, type);
  assert.equal(small.forwarded.length, 0);
});

test("a compressed body is not unpacked, whatever packed it", async () => {
  for (const encoding of ["gzip", "br", "zstd", "deflate", "x-gzip", "identity, gzip"])
    assert.equal(
      (
        await send({
          method: "POST",
          target: "/api/deep",
          headers: { "content-encoding": encoding },
          body: "[]",
        })
      ).status,
      415,
      encoding,
    );
});

test("a route's own bounds of a JSON body hold before its schema is asked", async () => {
  assert.deepEqual(await send({ method: "POST", target: "/api/deep", body: "[[1,2],[3]]" }), passed);
  assert.deepEqual(await send({ method: "POST", target: "/api/deep", body: "[[1,2],[3,4]]" }), refused(""));
  assert.deepEqual(
    await send({ method: "POST", target: "/api/deep", body: "[[1],[2,9007199254740993]]" }),
    refused("/1/1"),
  );
});
