import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { CurtainwallError } from "../../shared/index.ts";
import { parseLearned, writeLearned } from "./learned-file.ts";
import { learnedOf } from "./learned-site.ts";
import type { Observation } from "./observation.ts";
import { proposeLearned } from "./propose.ts";
import type { Proposal } from "./propose.ts";

const origin = "http://127.0.0.1:4000";
const hash = "A".repeat(43) + "=";

const saw = (directive: string, blocked: string, more: Partial<Observation> = {}): Observation => ({
  page: "/index.html",
  directive,
  blocked,
  hash: undefined,
  sample: "",
  ...more,
});

const propose = (...observations: Observation[]): Proposal =>
  proposeLearned(observations, ["/index.html", "/other.html"], origin);
const allowed = (...observations: Observation[]): object =>
  propose(...observations).classes.find(({ pages }) => pages.includes("/index.html"))?.allow ?? {};
const reasons = (...observations: Observation[]): string[] =>
  propose(...observations).findings.map(({ reason }) => reason);

suite("what is proposed", () => {
  test("exact origins, without path and query, as browsers will ask for them", () => {
    assert.deepEqual(
      allowed(
        saw("connect-src", `${origin}/api?a=b`),
        saw("connect-src", "ws://127.0.0.1:4000/socket"),
        saw("connect-src", "wss://live.example/socket"),
        saw("img-src", "http://pictures.example:8080/a.png"),
        saw("img-src", "data"),
        saw("style-src-elem", "https://styles.example/a.css"),
        saw("frame-src", "https://maps.example/embed?q=1"),
        saw("worker-src", `${origin}/worker.js`),
      ),
      {
        "connect-src": ["'self'", "wss://live.example"],
        "frame-src": ["https://maps.example"],
        "img-src": ["data:", "https://pictures.example:8080"],
        "style-src": ["https://styles.example"],
        "worker-src": ["'self'"],
      },
    );
  });

  test("inline styles by their hash, in attributes with what that needs", () => {
    assert.deepEqual(
      allowed(saw("style-src-elem", "inline", { hash }), saw("style-src-attr", "inline", { hash })),
      { "style-src": [`'sha256-${hash}'`], "style-src-attr": [`'sha256-${hash}'`, "'unsafe-hashes'"] },
    );
  });

  test("pages that need the same are one class, in an order that does not depend on who was first", () => {
    const observations = [
      saw("connect-src", "https://b.example/"),
      saw("connect-src", "https://a.example/"),
      saw("img-src", "data", { page: "/other.html" }),
    ];
    const proposal = propose(...observations);
    assert.equal(writeLearned(propose(...observations.toReversed())), writeLearned(proposal));
    assert.deepEqual(proposal.classes, [
      { pages: ["/index.html"], allow: { "connect-src": ["https://a.example", "https://b.example"] } },
      { pages: ["/other.html"], allow: { "img-src": ["data:"] } },
    ]);
    assert.deepEqual(propose().classes, [{ pages: ["/index.html", "/other.html"], allow: {} }]);
  });
});

suite("what is found and not proposed", () => {
  test("whatever runs code, leads elsewhere, or was only on the machine that ran it", () => {
    const never = [
      saw("script-src-elem", "inline"),
      saw("script-src-attr", "inline"),
      saw("script-src", "eval"),
      saw("script-src-elem", `${origin}/late.js`),
      saw("script-src-elem", "https://cdn.example/x.js"),
      saw("script-src-elem", "blob"),
      saw("worker-src", "blob"),
      saw("worker-src", "https://cdn.example/worker.js"),
      saw("frame-src", "data"),
      saw("frame-src", "javascript"),
      saw("object-src", "https://a.example/x.swf"),
      saw("base-uri", "https://evil.example/"),
      saw("form-action", "https://evil.example/"),
      saw("frame-ancestors", "https://evil.example/"),
      saw("require-trusted-types-for", "trusted-types-sink"),
      saw("connect-src", "http://localhost:9/"),
      saw("connect-src", "https://[2001:db8::1]/"),
      saw("connect-src", "https://a_b.example/"),
      saw("style-src-elem", "inline"),
    ];
    for (const observation of never) {
      assert.deepEqual(allowed(observation), {}, JSON.stringify(observation));
      assert.equal(reasons(observation).length, 1, JSON.stringify(observation));
    }
  });

  test("styles that are different each time are no list of hashes", () => {
    const many = Array.from({ length: 51 }, (_, index) =>
      saw("style-src-elem", "inline", { hash: String(index).padStart(43, "A") + "=" }),
    );
    assert.deepEqual(allowed(...many), {});
    assert.match(reasons(...many).join(), /more than 50 different styles/);
  });

  test("a page that was not to be run gets nothing", () => {
    const { classes, findings } = propose(saw("img-src", "https://a.example/", { page: "/elsewhere.html" }));
    assert.ok(classes.every(({ allow }) => Object.keys(allow).length === 0));
    assert.equal(findings.length, 1);
  });
});

suite("the learned file", () => {
  const file = (allow: object, pages: unknown = ["/index.html"]): string =>
    JSON.stringify({ format: "curtainwall-learned 1", classes: [{ pages, allow }] });

  test("what was written is read again, and a page that was not run is not learned", () => {
    const site = parseLearned(writeLearned(propose(saw("connect-src", "https://a.example/"))));
    assert.deepEqual([...(learnedOf(site, "/index.html") ?? [])], [["connect-src", ["https://a.example"]]]);
    assert.deepEqual([...(learnedOf(site, "/other.html") ?? assert.fail())], []);
    assert.equal(learnedOf(site, "/never.html"), undefined);
  });

  test("whatever is learned can be read again", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            page: fc.constantFrom("/index.html", "/other.html"),
            directive: fc.constantFrom(
              "connect-src",
              "img-src",
              "style-src-elem",
              "worker-src",
              "frame-src",
              "script-src",
            ),
            blocked: fc.oneof(
              fc.webUrl(),
              fc.constantFrom("data", "blob", "inline", "eval", ""),
              fc.string(),
            ),
            hash: fc.constantFrom(undefined, hash),
            sample: fc.string(),
          }),
        ),
        (observations) => {
          parseLearned(writeLearned(propose(...observations)));
        },
      ),
    );
  });

  test("whoever has read the findings may delete them", () => {
    assert.deepEqual(parseLearned(file({})).findings, []);
  });

  test("an edit that allows more than exact sources is refused", () => {
    const bad = [
      file({ "script-src": ["'self'"] }),
      file({ "script-src": [`'sha256-${hash}'`] }),
      file({ "default-src": ["'self'"] }),
      file({ "connect-src": ["*"] }),
      file({ "connect-src": ["https:"] }),
      file({ "connect-src": ["https://*.example.com"] }),
      file({ "connect-src": ["http://a.example"] }),
      file({ "connect-src": ["https://a.example; script-src *"] }),
      file({ "connect-src": ["https://a.example script-src"] }),
      file({ "style-src": ["'unsafe-inline'"] }),
      file({ "worker-src": ["blob:"] }),
      file({ "frame-src": ["data:"] }),
      file({ "img-src": "https://a.example" }),
      file({ __proto__: null, constructor: [] }),
      file({}, "/index.html"),
      JSON.stringify({ format: "curtainwall-learned 1", classes: [], findings: {} }),
      JSON.stringify({ format: "curtainwall-learned 1", classes: [], findings: [{ pages: ["/a"] }] }),
      JSON.stringify({
        format: "curtainwall-learned 1",
        classes: [
          { pages: ["/a"], allow: {} },
          { pages: ["/a"], allow: {} },
        ],
      }),
      JSON.stringify({ format: "curtainwall-learned 2", classes: [] }),
      "[]",
      "null",
      "{",
      "",
    ];
    for (const text of bad)
      assert.throws(
        () => parseLearned(text),
        (error) => error instanceof CurtainwallError && error.code === "HARDEN_LEARNED_INVALID",
        text,
      );
  });
});
