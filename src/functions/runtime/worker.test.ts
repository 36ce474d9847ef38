import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { Miniflare, Response as MiniflareResponse } from "miniflare";
import { bearer, inHeader, inQuery } from "../../contract/index.ts";
import { callVersion, failureHeader } from "../call.ts";
import { contactSource } from "../fixtures/contact.ts";
import { makeProject } from "../../../test/support/function-project.ts";
import { bundleFunction } from "../node/bundle-function.ts";
import type { BoundSecret } from "../bound-secret.ts";

/** Of no use anywhere. */
const key = createHash("sha256").update("a call key for tests").digest("hex");
const use = (path: string): BoundSecret["uses"][number] => ({
  method: "POST",
  origin: "https://mail.example",
  path: path.split("/"),
});
const secrets: BoundSecret[] = [
  { name: "MAIL_KEY", uses: [use("v1/send")], inject: bearer() as BoundSecret["inject"] },
  {
    name: "PATH_KEY",
    uses: [use("v2/*/messages/**")],
    inject: inHeader("X-Key", "Key ") as BoundSecret["inject"],
  },
  // Of all methods, since a redirect may change it.
  {
    name: "MOVED_KEY",
    uses: [use("old"), use("new"), { ...use("new"), method: "GET" }, { ...use("endless"), method: "GET" }],
    inject: inHeader("X-Key") as BoundSecret["inject"],
  },
  { name: "QUERY_KEY", uses: [use("v3")], inject: inQuery("key") as BoundSecret["inject"] },
];

interface Told {
  url: string;
  authorization: string | null;
  key: string | null;
}
interface Running {
  call(body: unknown, more?: { key?: string; path?: string; wire?: object }): Promise<[Answer, Headers]>;
  status(path: string, init?: { method: "POST"; body: string }): Promise<number>;
  readonly told: Told[];
  /** Method and body of each that was told. */
  readonly sent: [string, string][];
}

/** Runs the bundle as Cloudflare would: in workerd, with these bindings. */
async function run(
  t: TestContext,
  bindings: Record<string, string>,
  answer: (url: URL) => Response = () => new Response("sent"),
): Promise<Running> {
  const root = makeProject(t, { "functions/contact.ts": contactSource });
  const { code } = await bundleFunction({ root, name: "contact", runner: "workerd", secrets });
  const told: Told[] = [];
  const sent: Running["sent"] = [];
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "function.js", contents: Buffer.from(code).toString("utf8") }],
    compatibilityDate: "2026-07-30",
    compatibilityFlags: ["nodejs_compat", "enable_request_signal"],
    bindings,
    outboundService: async (request: Request) => {
      const { url, headers, method } = request;
      told.push({ url, authorization: headers.get("authorization"), key: headers.get("x-key") });
      sent.push([method, await request.text()]);
      const { status, headers: answered, body } = answer(new URL(url));
      return new MiniflareResponse(body, { status, headers: [...answered] });
    },
  });
  t.after(() => worker.dispose());
  return {
    told,
    sent,
    async call(body, { key: given = "", path = "/call/contact", wire = {} } = {}) {
      const call = {
        version: callVersion,
        id: "i1",
        route: "POST /api/contact",
        params: {},
        query: {},
        headers: {},
        settings: {},
        body,
      };
      const answer = await worker.dispatchFetch(`http://functions${path}`, {
        method: "POST",
        headers: given === "" ? {} : { "x-curtainwall-call-key": given },
        body: JSON.stringify({ ...call, ...wire }),
      });
      const { status, headers } = answer;
      return [read(status, headers.has(failureHeader), await answer.text()), headers as never];
    },
    async status(path, init) {
      const answer = await worker.dispatchFetch(`http://functions${path}`, init);
      await answer.arrayBuffer();
      return answer.status;
    },
  };
}

type Answer =
  | { readonly kind: "answer"; readonly status: number; readonly value: unknown }
  | { readonly kind: "threw"; readonly message: string; readonly stack: string };

/** What the wrapper wrote. */
function read(status: number, hasThrown: boolean, text: string): Answer {
  const value: unknown = text === "" ? undefined : JSON.parse(text);
  return hasThrown
    ? { kind: "threw", ...(value as { message: string; stack: string }) }
    : { kind: "answer", status, value };
}

suite("a bundle in a group, with nothing bound", () => {
  test("answers calls with what its function returns, refuses or throws", async (t) => {
    const { call, status } = await run(t, {});
    const caller = { subject: "u1", roles: ["staff"] };
    const wire = { params: { id: 5 }, query: { page: 2 }, headers: { "x-version": "1" }, caller };
    const answers: [body: unknown, answer: object][] = [
      [{ do: "refuse" }, { kind: "answer", status: 422, value: { reason: "no" } }],
      [{ do: "throw a refusal" }, { kind: "answer", status: 404, value: undefined }],
      [{ do: "nothing" }, { kind: "answer", status: 204, value: undefined }],
      [
        { do: "look like a refusal" },
        { kind: "answer", status: 200, value: { kind: "failure", status: 404, body: "data" } },
      ],
      [{ do: "environment" }, { kind: "answer", status: 200, value: { keys: [] } }],
    ];
    for (const [body, answer] of answers) assert.deepEqual((await call(body))[0], answer);
    const [given] = await call({ text: "hi" }, { wire });
    assert.deepEqual(given, {
      kind: "answer",
      status: 200,
      value: { ...wire, body: { text: "hi" }, route: "POST /api/contact", id: "i1" },
    });
    const [made, headers] = await call({ do: "headers" });
    assert.deepEqual(made, { kind: "answer", status: 201, value: { made: true } });
    assert.equal(headers.get("location"), "/x");
    assert.equal(headers.get(failureHeader), null, "a function can't say that it threw");
    const [threw] = await call({ do: "throw" });
    assert.equal(threw.kind, "threw");
    assert.match(
      threw.kind === "threw" ? threw.stack : "",
      /^Error: boom\n.*function\.js:\d+:\d+[^]*caused by: TypeError: inner\n/,
    );
    for (const what of ["redirect", "number", "throw what can't be shown"])
      assert.equal((await call({ do: what }))[0].kind, "threw", what);
    assert.equal((await call({}, { wire: { version: 9 } }))[0].kind, "threw", "no call");
    assert.deepEqual(
      await Promise.all(
        ["/ping", "/ping/contact", "/call/other", "/", "/call/contact"].map((path) => status(path)),
      ),
      [204, 204, 404, 404, 404],
    );
  });

  test("is called by the clock", async (t) => {
    const { call, status } = await run(t, {});
    const body = JSON.stringify({ version: callVersion, id: "tick", dueMs: 0, settings: {} });
    assert.equal(await status("/scheduled/contact", { method: "POST", body }), 204);
    const [answer] = await call({ do: "scheduled" });
    assert.deepEqual(answer.kind === "answer" && answer.value, {
      scheduled: "tick 1970-01-01T00:00:00.000Z",
    });
  });
});

suite("the same bundle on Cloudflare, where secrets are bindings", () => {
  const bindings = {
    CURTAINWALL_CALL_KEY: key,
    MAIL_KEY: "canary-mail",
    PATH_KEY: "canary-path",
    QUERY_KEY: "canary-query",
    MOVED_KEY: "canary-moved",
  };
  const ask = (url: string, method = "POST"): object => ({ do: "fetch", request: { url, method } });

  test("answers nobody who does not know the key: a call says who calls", async (t) => {
    const { call } = await run(t, bindings);
    for (const wrong of ["", "x", key.slice(1), `${key}0`])
      assert.equal(await statusOf(call, wrong), 401, wrong);
    assert.equal(await statusOf(call, key), 200);
  });

  test("answers nobody at all without a key, or with a short one", async (t) => {
    for (const some of [{ MAIL_KEY: "canary" }, { CURTAINWALL_CALL_KEY: "short" }]) {
      const { call } = await run(t, some);
      assert.equal(await statusOf(call, "short"), 401);
    }
  });

  test("sends each secret where the contract says, and nowhere else", async (t) => {
    const { call, told } = await run(t, bindings);
    const urls: [url: string, method?: string][] = [
      ["https://mail.example/v1/send"],
      ["https://mail.example/v2/boxes/messages/7"],
      ["https://mail.example/v3?a=1"],
      ["https://mail.example/v1/send", "PUT"],
      ["https://mail.example/v1/send/more"],
      ["https://mail.example/v2/messages"],
      ["https://other.example/v1/send"],
    ];
    for (const [url, method] of urls)
      assert.equal((await call(ask(url, method), { key }))[0].kind, "answer", url);
    const nothing = { authorization: null, key: null };
    assert.deepEqual(told, [
      { url: "https://mail.example/v1/send", authorization: "Bearer canary-mail", key: null },
      { url: "https://mail.example/v2/boxes/messages/7", authorization: null, key: "Key canary-path" },
      { url: "https://mail.example/v3?a=1&key=canary-query", ...nothing },
      ...urls.slice(3).map(([url]) => ({ url, ...nothing })),
    ]);
  });

  test("a service that redirects sends no secret on: each place gets what is declared for it", async (t) => {
    const thief = "https://thief.example/";
    const to: Record<string, [status: number, location: string]> = {
      "/v1/send": [307, thief],
      "/v2/boxes/messages/7": [308, thief],
      "/v3": [302, `${thief}?a=1&key=canary-query`],
      "/old": [307, "new?once=more"],
      "/endless": [302, "/endless"],
    };
    const { call, told, sent } = await run(t, bindings, ({ pathname }) => {
      const [status, location] = to[pathname] ?? [200, ""];
      return new Response(status === 200 ? "sent" : null, { status, headers: { location } });
    });
    const at = (path: string): string => `https://mail.example${path}`;
    const post = { method: "POST", headers: { "content-type": "text/plain" }, body: "hello" };
    const fetched = async (path: string, init: object = post): Promise<unknown> => {
      told.length = sent.length = 0;
      const [answer] = await call({ do: "fetch", request: { url: at(path), ...init } }, { key });
      return answer.kind === "answer" ? (answer.value as { status: number }).status : answer.message;
    };
    const nothing = { authorization: null, key: null };
    assert.equal(await fetched("/v1/send"), 200);
    assert.deepEqual(told, [
      { url: at("/v1/send"), authorization: "Bearer canary-mail", key: null },
      { url: thief, ...nothing },
    ]);
    assert.deepEqual(sent, [
      ["POST", "hello"],
      ["POST", "hello"],
    ]);
    assert.equal(await fetched("/v2/boxes/messages/7"), 200);
    assert.deepEqual(told[1], { url: thief, ...nothing });
    assert.equal(await fetched("/v3"), 200);
    assert.deepEqual(
      told.map(({ url }) => url),
      [at("/v3?key=canary-query"), `${thief}?a=1`],
    );
    // The honest one: to a place of the same service that is declared too.
    assert.equal(await fetched("/old"), 200);
    assert.deepEqual(told, [
      { url: at("/old"), authorization: null, key: "canary-moved" },
      { url: at("/new?once=more"), authorization: null, key: "canary-moved" },
    ]);
    assert.equal(await fetched("/v1/send", { ...post, redirect: "manual" }), 307);
    assert.equal(told.length, 1);
    assert.equal(await fetched("/endless", { method: "GET" }), "fetch failed: it is redirected");
    assert.equal(told.length, 21);
  });
});

async function statusOf(call: Running["call"], key: string): Promise<number | undefined> {
  const [answer] = await call({ text: "hi" }, { key });
  return answer.kind === "answer" ? answer.status : undefined;
}
