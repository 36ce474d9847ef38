import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { SecurityEvent } from "../../contract/index.ts";
import { createLimitMemory, createLimitStore } from "../limits/rate-limit.ts";
import type { BodyError, GatewayAnswer, GatewayRequest } from "../types.ts";
import { createReportEndpoint } from "./report-endpoint.ts";

const origin = "https://www.bakery.example";
const epoch = 1_800_000_000_000;

interface Post {
  readonly body?: unknown;
  readonly type?: string;
  readonly method?: string;
  readonly client?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An endpoint with its log, and a clock that stands until it is moved. */
function open() {
  const events: SecurityEvent[] = [];
  const clock = { now: epoch };
  const endpoint = createReportEndpoint({
    path: "/_reports",
    origin,
    limits: createLimitStore(createLimitMemory({ maxClients: 1000, now: epoch })),
    events: (event) => events.push(event),
    now: () => clock.now,
  });
  const send = (post: Post): GatewayAnswer => {
    let answer: GatewayAnswer | undefined;
    endpoint.handle(requestOf(post), (given) => (answer = given));
    return answer ?? assert.fail("no answer");
  };
  return { endpoint, events, clock, send };
}

function requestOf({
  body,
  type,
  method = "POST",
  client = "192.0.2.1",
  headers = {},
}: Post): GatewayRequest {
  const bytes =
    body instanceof Uint8Array
      ? body
      : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body ?? []));
  const all: Record<string, string> = {
    "content-type": type ?? (Array.isArray(body) ? "application/reports+json" : "application/csp-report"),
    ...headers,
  };
  return {
    method,
    path: "/_reports",
    query: "",
    remoteAddress: client,
    connection: {},
    hasBody: true,
    header: (name) => all[name],
    readBody: (maxBytes, done: (error: BodyError | undefined, bytes: Uint8Array) => void) =>
      bytes.length > maxBytes ? done("too-large", new Uint8Array(0)) : done(undefined, bytes),
  };
}

/** As Chromium 156 sends it. */
const modern = (body: Record<string, unknown> = {}) => ({
  age: 3,
  type: "csp-violation",
  url: `${origin}/bread/`,
  user_agent: "x",
  body: {
    documentURL: `${origin}/bread/?token=canary#canary`,
    referrer: "",
    effectiveDirective: "img-src",
    blockedURL: "https://evil.example/pixel.gif?canary=1",
    originalPolicy: "default-src 'none'",
    disposition: "enforce",
    statusCode: 200,
    sample: "",
    sourceFile: `${origin}/site.js?v=canary`,
    lineNumber: 12,
    ...body,
  },
});

/** As Firefox and Safari send it. */
const old = (body: Record<string, unknown> = {}) => ({
  "csp-report": {
    "document-uri": `${origin}/bread/`,
    "violated-directive": "script-src-elem https://a.example",
    "blocked-uri": "inline",
    "script-sample": "alert(1)",
    ...body,
  },
});

suite("what is kept", () => {
  test("a report of each format becomes an event without queries, fragments and other sites' paths", () => {
    const { send, events } = open();
    assert.equal(send({ body: [modern()] }).status, 204);
    assert.equal(send({ body: old() }).status, 204);
    assert.deepEqual(events, [
      {
        type: "browser.policy.violated",
        time: epoch,
        page: "/bread/",
        directive: "img-src",
        blocked: "https://evil.example",
        disposition: "enforce",
        file: "/site.js",
        line: 12,
        sample: undefined,
        count: 1,
      },
      {
        type: "browser.policy.violated",
        time: epoch,
        page: "/bread/",
        directive: "script-src-elem",
        blocked: "inline",
        disposition: "enforce",
        file: undefined,
        line: undefined,
        sample: "alert(1)",
        count: 1,
      },
    ]);
    assert.doesNotMatch(JSON.stringify(events), /canary/);
  });

  test("samples are cut, and control characters do not reach the log", () => {
    const { send, events } = open();
    send({ body: old({ "script-sample": `a\r\n\u001b[2J\u009b${"x".repeat(100)}` }) });
    const [event] = events as { sample?: string }[];
    assert.equal(event?.sample, `a\uFFFD\uFFFD\uFFFD[2J\uFFFD${"x".repeat(32)}`);
  });

  test("the same violation is written once in a window, and its repeats as a number at the end of it", () => {
    const { send, events, clock, endpoint } = open();
    for (let count = 0; count < 5; count++)
      send({ body: [modern({ blockedURL: `https://evil.example/${count}` })], client: `192.0.2.${count}` });
    assert.equal(events.length, 1);
    clock.now += 60_000;
    endpoint.flush();
    assert.deepEqual(
      events.map((event) => ("count" in event ? event.count : undefined)),
      [1, 4],
    );
    endpoint.flush();
    assert.equal(events.length, 2);
    send({ body: [modern()] });
    assert.equal(events.length, 3);
  });

  test("what is about other sites, extensions or something else than a policy is counted and not kept", () => {
    const { send, events, endpoint } = open();
    const foreign = modern({ documentURL: "https://other.example/" });
    const lookalike = modern({ documentURL: `${origin}.evil.example/` });
    const extension = modern({ sourceFile: "chrome-extension" });
    const other = { ...modern(), type: "deprecation" };
    send({ body: [foreign, lookalike, extension, other, 7, null, modern({ blockedURL: 7 })] });
    endpoint.flush();
    assert.deepEqual(
      events.map((event) => event.type === "browser.reports.dropped" && [event.reason, event.count]),
      [
        ["other-origin", 2],
        ["extension", 1],
        ["other-type", 1],
        ["shape", 3],
      ],
    );
  });
});

suite("what is refused", () => {
  const statusOf = (post: Post): number => open().send(post).status;

  test("another method, another site's page, another type and a compressed body", () => {
    assert.equal(statusOf({ method: "GET" }), 405);
    assert.equal(statusOf({ method: "OPTIONS" }), 405);
    assert.equal(statusOf({ body: [modern()], headers: { origin: "https://evil.example" } }), 403);
    assert.equal(statusOf({ body: [modern()], headers: { "sec-fetch-site": "cross-site" } }), 403);
    assert.equal(statusOf({ body: [modern()], type: "text/plain" }), 415);
    assert.equal(statusOf({ body: [modern()], type: "constructor" }), 415);
    assert.equal(statusOf({ body: [modern()], headers: { "content-encoding": "gzip" } }), 415);
    assert.equal(statusOf({ body: [modern()], headers: { origin } }), 204);
    assert.equal(statusOf({ body: [modern()], headers: { origin: "null" } }), 204);
    assert.equal(statusOf({ body: [modern()], type: "application/reports+json; charset=utf-8" }), 204);
  });

  test("10 MB, nesting without end, broken JSON, broken UTF-8, keys twice, and what is no report at all", () => {
    const type = "application/reports+json";
    assert.equal(statusOf({ type, body: "x".repeat(10_000_000) }), 413);
    assert.equal(statusOf({ type, body: "[".repeat(60_000) }), 400);
    assert.equal(statusOf({ type, body: '[{"type":' }), 400);
    assert.equal(statusOf({ type, body: new Uint8Array([0x5b, 0xff, 0x5d]) }), 400);
    assert.equal(statusOf({ type, body: '[{"type":"a","type":"b"}]' }), 400);
    assert.equal(statusOf({ type, body: '[{"__proto__":{"type":"csp-violation"}}]' }), 400);
    for (const body of ["{}", "7", "null", '"csp-report"']) assert.equal(statusOf({ type, body }), 400);
    for (const body of ["[]", "7", '{"csp-report":[]}'])
      assert.equal(statusOf({ type: "application/csp-report", body }), 400);
  });

  test("10,000 reports in one body: twenty are read", () => {
    const { send, events, endpoint } = open();
    const body = `[${Array.from({ length: 10_000 }, () => "{}").join()}]`;
    assert.equal(send({ type: "application/reports+json", body }).status, 204);
    endpoint.flush();
    assert.deepEqual(
      events.map((event) => event.type === "browser.reports.dropped" && [event.reason, event.count]),
      [
        ["shape", 20],
        ["too-many", 9980],
      ],
    );
  });

  test("a client that reports without end: its requests, and its share of what is kept; others go on", () => {
    const { send, events } = open();
    const statuses: number[] = [];
    for (let count = 0; count < 80; count++) {
      const page = (index: number) => modern({ documentURL: `${origin}/${count}/${index}` });
      statuses.push(send({ body: Array.from({ length: 20 }, (_, index) => page(index)) }).status);
    }
    assert.equal(statuses.filter((status) => status === 204).length, 60);
    assert.equal(statuses.at(-1), 429);
    assert.equal(events.filter(({ type }) => type === "browser.policy.violated").length, 50);
    assert.equal(send({ body: [modern()], client: "198.51.100.7" }).status, 204);
    assert.equal(events.filter(({ type }) => type === "browser.policy.violated").length, 51);
  });

  test("many clients at once: a window holds 500 kinds and no more", () => {
    const { send, events } = open();
    for (let client = 0; client < 100; client++)
      for (let post = 0; post < 2; post++)
        send({
          client: `198.51.100.${client}`,
          body: Array.from({ length: 20 }, (_, index) =>
            modern({ documentURL: `${origin}/${client}/${post}/${index}` }),
          ),
        });
    assert.equal(events.filter(({ type }) => type === "browser.policy.violated").length, 500);
  });

  test("whatever JSON is sent, it is answered with a status and nothing else, and no event holds a control character", () => {
    fc.assert(
      fc.property(fc.json(), fc.dictionary(fc.string(), fc.jsonValue()), (any, members) => {
        const { send, events } = open();
        for (const body of [
          any,
          JSON.stringify([modern(members)]),
          JSON.stringify([{ ...modern(), ...members }]),
        ]) {
          const answer = send({ type: "application/reports+json", body });
          assert.ok([204, 400, 413].includes(answer.status));
          assert.equal(answer.body, undefined);
        }
        send({ body: old(members) });
        // oxlint-disable-next-line no-control-regex -- they are what must not be there
        for (const value of events.flatMap((event) => Object.values(event)))
          assert.doesNotMatch(String(value), /[\u0000-\u001f]/);
      }),
      { numRuns: 300 },
    );
  });
});
