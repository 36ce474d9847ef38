// The whole pipeline under invented requests, over a real listening edge, with an upstream that lies. A second opinion judges each request: slow,
// written with nothing of the gateway's (URL, URLSearchParams, a JSON parser with a reviver, Zod). What it refuses must not reach the upstream; what
// leaves must be what the contract declares; and nothing of ours fails, whatever comes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { everyone, form } from "curtainwall";
import fc from "fast-check";
import { z } from "zod";
import { askSession, openHttp2, openRaw, readToEnd } from "../src/edge/node/test-edge.ts";
import { host } from "../src/edge/node/test-edge.ts";
import type { Answer } from "../src/edge/node/test-edge.ts";
import { startGuardedApi } from "./support/guarded-api.ts";

const isLong = process.env.CURTAINWALL_FUZZ === "1";

const Slug = z.string().regex(/^[a-z0-9-]{1,12}$/);
const Item = z.strictObject({
  name: z.string().min(1).max(20),
  count: z.int().min(0).max(99),
  tags: z.array(Slug).max(3).optional(),
});
const Contact = { name: z.string().min(1).max(20), topic: z.array(Slug).max(2) };
const Query = {
  page: z.coerce.number().int().min(1).max(50).optional(),
  tag: z.array(Slug).max(2).optional(),
};
const Product = z.object({ id: z.string(), price: z.number() });
const base = { access: everyone, limit: "100000/s per client", response: Product, to: "shop" };
const routes = {
  "GET /api/items/:id": {
    ...base,
    params: { id: Slug },
    query: Query,
    headers: { "x-version": z.enum(["1", "2"]).optional() },
  },
  "POST /api/items": { ...base, body: Item, maxBodyBytes: 2000 },
  "POST /api/contact": { ...base, body: form(Contact), maxBodyBytes: 2000 },
};

interface Request {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  body: string | undefined;
}

/** What the contract says of a request, by the book; undefined: it must be refused. */
function secondOpinion({ method, path, query, headers, body }: Request): string | undefined {
  if (method === "GET" || method === "HEAD") {
    const id = /^\/api\/items\/([^/]+)$/.exec(path)?.[1];
    if (id === undefined || !Slug.safeParse(decoded(id)).success) return undefined;
    if (body !== undefined && body !== "") return undefined;
    if (!["1", "2", undefined].includes(headers["x-version"])) return undefined;
    return pairsFit(query, Query, new Set(["tag"])) ? "read" : undefined;
  }
  if (method !== "POST" || query !== "") return undefined;
  const type = headers["content-type"];
  if (headers["content-encoding"] !== undefined) return undefined;
  if (path === "/api/items" && type === "application/json") return jsonFits(body ?? "") ? "item" : undefined;
  if (path === "/api/contact" && type === "application/x-www-form-urlencoded")
    return pairsFit(body ?? "", Contact, new Set(["topic"])) ? "contact" : undefined;
  return undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function pairsFit(text: string, shape: z.ZodRawShape, lists: ReadonlySet<string>): boolean {
  const pairs = [...new URLSearchParams(text)];
  const names = new Set(pairs.map(([name]) => name));
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const own = pairs.filter(([other]) => other === name).map(([, value]) => value);
    if (own.length > 1 && !lists.has(name)) return false;
    values[name] = lists.has(name) ? own : own[0];
  }
  return z.strictObject(shape).safeParse(values).success;
}

function jsonFits(text: string): boolean {
  const seen: string[] = [];
  try {
    const value: unknown = JSON.parse(text, (name, member: unknown) => {
      seen.push(name);
      return member;
    });
    // A name that stood twice was written twice and is read once.
    const written = JSON.stringify(value)?.match(/"(?:[^"\\]|\\.)*"\s*:/g)?.length ?? 0;
    const given = text.match(/"(?:[^"\\]|\\.)*"\s*:/g)?.length ?? 0;
    return written === given && Item.safeParse(value).success;
  } catch {
    return false;
  }
}

const slug = fc.string({ unit: fc.constantFrom(...Array.from("abz09-")), minLength: 1, maxLength: 14 });
const nasty = fc.constantFrom(
  "",
  "%",
  "%00",
  "%2e%2e",
  "%2f",
  "%zz",
  "%ff",
  "..",
  "__proto__",
  "constructor",
  "+",
  "a&b",
  "\u00e9",
  "\ud83d\ude00",
  "'; --",
  "<x>",
  "${7*7}",
  "{{x}}",
  "1e400",
  "-1",
  "0x10",
  " 7",
  "NaN",
);
const piece = fc.oneof({ weight: 4, arbitrary: slug }, nasty, fc.string({ maxLength: 8 }));
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());
const escapedOrNot = fc
  .tuple(piece, fc.boolean())
  .map(([text, escape]) => (escape ? encoded(text) : text.replaceAll(/[^!-~]|#/g, "")));
const pathArbitrary = fc
  .oneof(
    { weight: 6, arbitrary: escapedOrNot.map((id) => `/api/items/${id}`) },
    { weight: 3, arbitrary: fc.constantFrom("/api/items", "/api/contact") },
    fc.array(escapedOrNot, { maxLength: 4 }).map((parts) => `/api/${parts.join("/")}`),
  )
  .map((path) => path.replaceAll("?", ""));
const pair = fc.tuple(
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom("page", "tag", "name", "topic") }, escapedOrNot),
  fc.oneof(escapedOrNot, fc.nat(60).map(String)),
);
const pairs = fc
  .array(pair, { maxLength: 4 })
  .map((list) => list.map(([name, value]) => `${name}=${value}`).join("&"));
const item = fc.record(
  {
    name: piece,
    count: fc.oneof(fc.integer({ min: -2, max: 120 }), fc.double(), fc.string({ maxLength: 3 })),
    tags: fc.array(piece, { maxLength: 4 }),
  },
  { requiredKeys: ["name", "count"] },
);
const spoil = fc.oneof(
  { weight: 5, arbitrary: fc.constant((text: string) => text) },
  fc.constantFrom(
    (text: string) => text.slice(0, -1),
    (text: string) => `${text}x`,
    (text: string) => `\ufeff${text}`,
    (text: string) => text.replace("{", '{"name":"x",'),
    (text: string) => text.replace("{", '{"__proto__":{"a":1},'),
    (text: string) => text.replace(/"count":[^,}]*/, '"count":9007199254740993'),
    (text: string) => text.replace(/"count":[^,}]*/, '"count":NaN'),
    (text: string) => `${"[".repeat(40)}${text}${"]".repeat(40)}`,
    (text: string) => text.replace('"name":"', '"name":"\\ud800'),
  ),
);
const json = fc
  .tuple(fc.oneof({ weight: 4, arbitrary: item }, fc.jsonValue()), spoil)
  .map(([value, change]) => change(JSON.stringify(value)));
const contact = fc
  .tuple(slug, fc.array(slug, { minLength: 1, maxLength: 2 }))
  .map(([name, topics]) => `name=${name}&${topics.map((topic) => `topic=${topic}`).join("&")}`);

const good = fc.string({ unit: fc.constantFrom(...Array.from("abz09-")), minLength: 1, maxLength: 12 });
const goodItem = fc.record(
  { name: good, count: fc.nat(99), tags: fc.array(good, { maxLength: 3 }) },
  { requiredKeys: ["name", "count"] },
);
const honestRequest: fc.Arbitrary<Request> = fc
  .tuple(fc.constantFrom("read", "item", "contact"), good, fc.integer({ min: 1, max: 50 }), goodItem)
  .map(([kind, id, page, value]): Request => {
    const post = { method: "POST", query: "" };
    if (kind === "read")
      return {
        method: "GET",
        path: `/api/items/${id}`,
        query: `page=${page}&tag=${id}`,
        headers: {},
        body: undefined,
      };
    if (kind === "item")
      return {
        ...post,
        path: "/api/items",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(value),
      };
    const type = "application/x-www-form-urlencoded";
    return {
      ...post,
      path: "/api/contact",
      headers: { "content-type": type },
      body: `name=${id}&topic=${id}`,
    };
  });

const requestArbitrary: fc.Arbitrary<Request> = fc
  .oneof(
    honestRequest,
    fc.record({
      method: fc.constantFrom("GET", "GET", "GET", "HEAD", "DELETE"),
      path: pathArbitrary,
      query: fc.oneof(fc.constant(""), pairs),
      headers: fc.record({ "x-version": fc.constantFrom("1", "2", "3", "1, 2", "") }, { requiredKeys: [] }),
      body: fc.constant(undefined),
    }),
    fc.record({
      method: fc.constant("POST"),
      path: fc.constantFrom("/api/items", "/api/items", "/api/contact"),
      query: fc.oneof({ weight: 5, arbitrary: fc.constant("") }, pairs),
      headers: fc.record({
        "content-type": fc.constantFrom(
          "application/json",
          "application/json",
          "application/x-www-form-urlencoded",
          "text/plain",
        ),
        "content-encoding": fc.option(fc.constant("gzip"), { freq: 20, nil: "" }),
      }),
      body: fc.oneof(json, json, contact, pairs),
    }),
  )
  .map((request) => {
    const { headers } = request;
    const clean: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers))
      if (typeof value === "string" && value !== "") clean[name] = value;
    return { ...request, headers: clean };
  });

/** What the upstream may answer; it is not to be trusted. */
const lieArbitrary = fc.record({
  status: fc.oneof(
    { weight: 5, arbitrary: fc.constant(200) },
    fc.constantFrom(201, 204, 301, 304, 400, 404, 409, 429, 500, 503),
  ),
  type: fc.oneof(
    { weight: 20, arbitrary: fc.constant("application/json") },
    fc.constantFrom("text/html", "application/problem+json", ""),
  ),
  body: fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .record(
          {
            id: fc.string(),
            price: fc.double({ noNaN: true, noDefaultInfinity: true }),
            hash: fc.constant("canary-inside"),
          },
          { requiredKeys: ["id", "price"] },
        )
        .map((value) => JSON.stringify(value)),
    },
    fc.constantFrom(
      '{"id":"canary-inside","id":"x","price":1.10}',
      '{"id":"x","price":12345678901234567890}',
      '{"id":1,"price":"x"}',
      "[",
      "",
      "null",
      "<html>canary-inside</html>",
      '{"id":"a","price":1e400}',
      '{"id":"\\ud800","price":1}',
    ),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  ),
  headers: fc.constantFrom<Record<string, string>>(
    {},
    {},
    {},
    { location: "https://evil.test/" },
    { "set-cookie": "a=canary-inside" },
    { "content-encoding": "gzip" },
    { "access-control-allow-origin": "*" },
  ),
});

test("whatever is asked and whatever the upstream says: nothing of ours fails, nothing refused gets through, nothing undeclared leaves", async (t) => {
  const api = await startGuardedApi(t, routes);
  const session = openHttp2(api.port);
  t.after(() => session.destroy());
  const counts = { admitted: 0, refused: 0, released: 0 };

  await fc.assert(
    fc.asyncProperty(requestArbitrary, lieArbitrary, async (request, lie) => {
      api.upstream.seen.length = 0;
      api.upstream.answer = (_, response) => {
        response.writeHead(lie.status, {
          ...lie.headers,
          ...(lie.type === "" ? {} : { "content-type": lie.type }),
        });
        response.end(lie.status === 204 || lie.status === 304 ? undefined : lie.body);
      };
      const opinion = secondOpinion(request);
      const answer = await ask(session, request);
      const wasAsked = api.upstream.seen.length > 0;
      if (wasAsked) assert.notEqual(opinion, undefined, "it reached the upstream");
      else assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} without an upstream`);
      assert.ok(api.upstream.seen.length <= 1);
      assertReleased(answer, request.method);
      if (!wasAsked) counts.refused++;
      else if (answer.status < 300) counts.released++;
      if (wasAsked) counts.admitted++;
    }),
    { numRuns: isLong ? 20_000 : 1000 },
  );
  // A property that never meets the case that it speaks of proves nothing.
  for (const [what, count] of Object.entries(counts)) assert.ok(count > 30, `${what}: ${count}`);
  assert.ok(!JSON.stringify(api.ledger).includes("canary-inside"));
});

function ask(
  session: ReturnType<typeof openHttp2>,
  { method, path, query, headers, body }: Request,
): Promise<Answer> {
  return askSession(session, {
    method,
    path: query === "" ? path : `${path}?${query.replaceAll(/[^!-~]|#/g, "")}`,
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

/** An answer is one of ours, or what the contract declares; a 5xx is the upstream's fault, never ours. */
function assertReleased({ status, headers, body }: Answer, method: string): void {
  assert.ok([200, 201, 204, 400, 404, 405, 413, 415, 422, 502].includes(status), `status ${status}`);
  for (const name of ["location", "set-cookie", "access-control-allow-origin", "content-encoding"])
    assert.equal(headers[name], undefined, name);
  assert.equal(headers["x-content-type-options"], "nosniff");
  const text = body.toString();
  if (method === "HEAD" || text === "") return;
  const value: unknown = JSON.parse(text);
  if (status >= 300) {
    assert.equal(headers["content-type"], "application/problem+json; charset=utf-8");
    assert.ok(!text.includes("canary-inside"));
    return;
  }
  assert.ok(z.strictObject({ id: z.string(), price: z.number() }).safeParse(value).success, text);
  assert.equal(text.match(/"id"\s*:/g)?.length, 1);
}

test("whatever bytes come instead of requests: the connection is answered or closed, and the next client is served", async (t) => {
  const api = await startGuardedApi(t, routes, {
    edge: { limits: { headersTimeoutMs: 200, idleTimeoutMs: 200, bodyTimeoutMs: 200 } },
  });
  const token = fc.constantFrom(
    "GET",
    "POST",
    " ",
    "\r\n",
    "\n",
    "\r",
    "\t",
    "\0",
    ":",
    "/api/items",
    "HTTP/1.1",
    `Host: ${host}`,
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "Content-Type: application/json",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "{}",
    "\r\n\r\n",
    "Expect: 100-continue",
    "Upgrade: h2c",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 8, arbitrary: token }, fc.string({ unit: "binary", maxLength: 3 })), {
        maxLength: 25,
      }),
      async (parts) => {
        const socket = await openRaw(api.port);
        const received = readToEnd(socket);
        socket.end(Buffer.from(parts.join(""), "latin1"));
        const text = await received;
        assert.doesNotMatch(text, /HTTP\/1\.1 5/);
        assert.equal(api.upstream.seen.length, 0);
      },
    ),
    { numRuns: isLong ? 2000 : 60 },
  );
  assert.deepEqual(api.upstream.unreadable, []);
});
