import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { SourceOptions } from "../../../contract/index.ts";
import { item, json, skip, startSource } from "./fixtures/source-site.ts";
import type { SourceServer } from "./fixtures/source-site.ts";
import { readSources } from "./read-sources.ts";

const entry = (slug: string) => ({ slug, title: `Title of ${slug}` });
const secret = "nobodys-secret-in-a-test";

/** Answers requests with what a function makes of their query and their body. */
function answerBy(
  server: SourceServer,
  answer: (query: URLSearchParams, body: Body, nth: number) => unknown,
): Body[] {
  const bodies: Body[] = [];
  server.answer = (request: IncomingMessage, response: ServerResponse): void => {
    void text(request).then((sent) => {
      const body = (sent === "" ? {} : JSON.parse(sent)) as Body;
      bodies.push(body);
      json(answer(new URL(request.url ?? "", server.origin).searchParams, body, bodies.length))(
        request,
        response,
      );
    });
  };
  return bodies;
}

interface Body {
  query?: string;
  variables?: Readonly<Record<string, string | number>>;
  page?: number;
}

async function read(server: SourceServer, options: SourceOptions): Promise<string[]> {
  const contract = server.contract(options);
  const variables = { PIM_TOKEN: secret };
  const given = { root: server.root, contract, variables };
  const answers = await readSources(given);
  // What was kept says the same, by the same ways.
  assert.deepEqual(await readSources({ ...given, offline: true }), answers);
  const list = (value: unknown): { slug: string }[] =>
    (options.at ?? []).reduce((found, field) => (found as Record<string, unknown>)[field], value) as never;
  return answers.flatMap(({ text: json_ }) => list(JSON.parse(json_)).map(({ slug }) => slug));
}

test(
  "a GraphQL query is posted with its variables, and its cursor repeated until there is no more",
  { skip },
  async (context) => {
    const server = await startSource(context);
    const bodies = answerBy(server, (_, { variables }) => ({
      data: {
        breads: {
          nodes: [entry(`after-${String(variables?.after ?? "nothing")}`)],
          pageInfo: {
            endCursor: variables?.after === "b" ? "c" : "b",
            hasNextPage: variables?.after !== "b",
          },
        },
      },
    }));
    const query = "query($first: Int, $after: String) { breads }";
    const found = await read(server, {
      graphql: { query, variables: { first: 1 } },
      at: ["data", "breads", "nodes"],
      next: {
        cursor: ["data", "breads", "pageInfo", "endCursor"],
        parameter: "after",
        more: ["data", "breads", "pageInfo", "hasNextPage"],
      },
    });
    assert.deepEqual(found, ["after-nothing", "after-b"]);
    assert.deepEqual(bodies, [
      { query, variables: { first: 1 } },
      { query, variables: { first: 1, after: "b" } },
    ]);
    assert.deepEqual(server.asked, ["POST /products", "POST /products"]);
    assert.ok(server.headers[0]?.includes("application/json"));
  },
);

test(
  "a GraphQL answer with errors is a failure, told by place and code, and in none of its words",
  { skip },
  async (context) => {
    const server = await startSource(context);
    answerBy(server, () => ({
      data: { breads: { nodes: [] } },
      errors: [{ message: secret, locations: [{ line: 3 }], extensions: { code: "UNAUTHENTICATED" } }],
    }));
    const contract = server.contract({ graphql: { query: "{ a }" }, at: ["data", "breads", "nodes"] });
    await assert.rejects(
      readSources({ root: server.root, contract }),
      (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, "SITE_SOURCE_FAILED");
        assert.match(error.message, /an error, the first for the query's line 3: UNAUTHENTICATED/);
        assert.match(error.hint, /source-site\.ts:\d+$|by hand/);
        assert.ok(!error.message.includes(secret));
        return true;
      },
    );
  },
);

test("data that is null beside GraphQL's errors is told as those", { skip }, async (context) => {
  const server = await startSource(context);
  answerBy(server, () => ({ data: null, errors: [{ message: secret }, {}] }));
  const contract = server.contract({ graphql: { query: "{ a }" }, at: ["data", "breads"] });
  await assert.rejects(readSources({ root: server.root, contract }), {
    code: "SITE_SOURCE_FAILED",
    message: /2 errors/,
  });
});

for (const [what, options, answer, asked, slugs] of [
  [
    "a page's number, until one is short",
    { next: { page: "page", size: 2 } },
    (query) => (query.get("page") === "2" ? [entry("c")] : [entry("a"), entry("b")]),
    ["GET /products?page=1", "GET /products?page=2"],
    ["a", "b", "c"],
  ],
  [
    "a page's number from 0, until one is empty",
    { next: { page: "p", first: 0 } },
    (query) => (query.get("p") === "1" ? [] : [entry("a")]),
    ["GET /products?p=0", "GET /products?p=1"],
    ["a"],
  ],
  [
    "how many to leave out",
    { at: ["items"], next: { offset: "skip" } },
    (query) => ({ items: query.get("skip") === null ? [entry("a"), entry("b")] : [] }),
    ["GET /products", "GET /products?skip=2"],
    ["a", "b"],
  ],
  [
    "an address in the answer",
    { at: ["items"], next: { link: ["links", "next"] } },
    (query) => ({
      items: [entry(query.get("at") ?? "a")],
      links: { next: query.get("at") === null ? "?at=b" : null },
    }),
    ["GET /products", "GET /products?at=b"],
    ["a", "b"],
  ],
  [
    "a cursor in the query",
    { at: ["items"], next: { cursor: ["mark"], parameter: "after" } },
    (query) => ({
      items: [entry(query.get("after") ?? "a")],
      mark: query.get("after") === null ? 7 : undefined,
    }),
    ["GET /products", "GET /products?after=7"],
    ["a", "7"],
  ],
  [
    "a field of what is posted",
    { post: { query: "all" }, next: { page: "page" } },
    (_, { page }) => (page === 1 ? [entry("a")] : []),
    ["POST /products", "POST /products"],
    ["a"],
  ],
] as const satisfies readonly (readonly [
  string,
  SourceOptions,
  (query: URLSearchParams, body: Body) => unknown,
  readonly string[],
  readonly string[],
])[]) {
  test(`an answer leads on by ${what}`, { skip }, async (context) => {
    const server = await startSource(context);
    answerBy(server, answer);
    assert.deepEqual(await read(server, options), slugs);
    assert.deepEqual(server.asked, asked);
  });
}

for (const [what, options, answer, code, message] of [
  [
    "a page's number that it does not know",
    { next: { page: "page" } },
    () => [entry("a")],
    "SITE_SOURCE_REFUSED",
    /twice the same/,
  ],
  [
    "pages without an end",
    { next: { page: "page" }, maxPages: 5 },
    (_: unknown, __: unknown, nth: number) => [entry(`n${nth}`)],
    "SITE_SOURCE_REFUSED",
    /more than 5 answers/,
  ],
  [
    "the same cursor again",
    { at: ["items"], next: { cursor: ["mark"], parameter: "after" } },
    (_: unknown, __: unknown, nth: number) => ({ items: [entry(`n${nth}`)], mark: "x" }),
    "SITE_SOURCE_REFUSED",
    /circle/,
  ],
  [
    "a next address at the cloud's credentials",
    { at: ["items"], next: { link: ["next"] } },
    () => ({ items: [entry("a")], next: "http://169.254.169.254/latest/" }),
    "SITE_SOURCE_REFUSED",
    /another origin/,
  ],
  [
    "a cursor that is a list",
    { at: ["items"], next: { cursor: ["mark"], parameter: "after" } },
    () => ({ items: [entry("a")], mark: [secret] }),
    "SITE_SOURCE_INVALID",
    /mark: it must be/,
  ],
  [
    "more bytes in all than the bound",
    { next: { page: "page" }, maxBytes: 10_000 },
    (_: unknown, __: unknown, nth: number) => [entry(`n${nth}`), { ...entry("b"), text: "x".repeat(3000) }],
    "SITE_SOURCE_REFUSED",
    /larger than/,
  ],
] as const) {
  test(`it is refused when answers lead on by ${what}`, { skip }, async (context) => {
    const server = await startSource(context);
    answerBy(server, answer);
    await assert.rejects(readSources({ root: server.root, contract: server.contract(options) }), {
      code,
      message,
    });
    assert.ok(server.asked.length <= 6);
  });
}

test(
  "headers are sent as the contract says, a password with its user, and nothing of it is kept",
  { skip },
  async (context) => {
    const server = await startSource(context);
    server.answer = json([entry("a")]);
    const variables = { PIM_TOKEN: secret };
    const contract = server.contract({
      basic: { user: "bäcker", password: "PIM_TOKEN" },
      headers: { "X-Api-Key": { variable: "PIM_TOKEN", prefix: "Key " }, "accept-language": "de" },
    });
    await readSources({ root: server.root, contract, variables });
    const sent = server.headers[0] ?? [];
    const valueOf = (name: string): string | undefined =>
      sent[sent.findIndex((field, at) => at % 2 === 0 && field.toLowerCase() === name) + 1];
    assert.equal(valueOf("authorization"), `Basic ${Buffer.from(`bäcker:${secret}`).toString("base64")}`);
    assert.equal(valueOf("x-api-key"), `Key ${secret}`);
    assert.equal(valueOf("accept-language"), "de");
  },
);

for (const [what, first, options, statuses] of [
  ["429, and when", { status: 429, headers: { "retry-after": "0" } }, {}, 2],
  ["503", { status: 503, headers: {} }, {}, 2],
  ["502, while it may not be asked again", { status: 502, headers: {} }, { retries: 0 }, 1],
  ["429, and to come back in an hour", { status: 429, headers: { "retry-after": "3600" } }, {}, 1],
  ["500, which does not pass", { status: 500, headers: {} }, {}, 1],
] as const) {
  test(
    `a source that answers ${what} is asked ${statuses === 1 ? "once" : "again"}`,
    { skip },
    async (context) => {
      const server = await startSource(context);
      let asked = 0;
      server.answer = (request, response) => {
        if (asked++ === 0) response.writeHead(first.status, first.headers).end();
        else json([entry("a")])(request, response);
      };
      const reading = readSources({ root: server.root, contract: server.contract(options) });
      if (statuses === 2) assert.equal((await reading).length, 1);
      else
        await assert.rejects(reading, {
          code: "SITE_SOURCE_FAILED",
          message: new RegExp(`status ${first.status}`),
        });
      assert.equal(asked, statuses);
    },
  );
}

test("a connection that broke is tried again", { skip }, async (context) => {
  const server = await startSource(context);
  let asked = 0;
  server.answer = (request, response) => {
    if (asked++ === 0) response.destroy();
    else json([entry("a")])(request, response);
  };
  assert.equal((await readSources({ root: server.root, contract: server.contract() })).length, 1);
  assert.equal(asked, 2);
});

test("what is posted is not sent on to where a redirect of 302 leads", { skip }, async (context) => {
  const server = await startSource(context);
  server.answer = (_, response) => void response.writeHead(302, { location: "/other" }).end();
  const contract = server.contract({ post: { all: true } });
  await assert.rejects(readSources({ root: server.root, contract }), {
    code: "SITE_SOURCE_FAILED",
    message: /status 302/,
  });
  assert.deepEqual(server.asked, ["POST /products"]);
});

test("a failure says where in the contract its source is declared", { skip }, async (context) => {
  const server = await startSource(context);
  server.answer = (_, response) => void response.writeHead(500).end();
  const contract = server.contract({}, item);
  await assert.rejects(
    readSources({ root: import.meta.dirname, folder: server.root, contract: { ...contract } }),
    {
      code: "SITE_SOURCE_FAILED",
      hint: /It is declared in fixtures\/source-site\.ts:\d+/,
    },
  );
});
