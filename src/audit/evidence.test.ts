import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCommands } from "./commands.ts";
import { exchangeEvidence, printable } from "./evidence.ts";
import type { ProbeRequest, ProbeResponse } from "./probes/probe.ts";

const at = {
  origin: "https://localhost:1",
  commands: createCommands({
    folder: "examples/bakery",
    address: undefined,
    environment: ["PORT=1"],
    start: undefined,
  }),
};

const response = (text: string): ProbeResponse => ({
  protocol: "http/1.1",
  status: 200,
  headers: [["x-note", "\u009b31m"]],
  body: new TextEncoder().encode(text),
  truncated: false,
  durationMs: 1,
  header: () => undefined,
  text: () => text,
});

test("nothing that acts on a terminal or reorders text survives, whatever comes in", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
      assert.doesNotMatch(printable(text), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      assert.ok(printable(text).isWellFormed());
    }),
  );
});

test("honest text stays as it is", () => {
  assert.equal(printable('Grüße, 你好 {"a": 1}'), 'Grüße, 你好 {"a": 1}');
});

test("long text is cut", () => {
  assert.equal(printable("a".repeat(10_000)).length, 601);
});

const withToken: ProbeRequest = {
  method: "GET",
  path: "/api/x",
  headers: [["authorization", "Bearer eyJhbGciOi.secret.part"]],
  credentials: [
    {
      header: "authorization",
      scheme: "Bearer ",
      value: "eyJhbGciOi.secret.part",
      name: "token of alice",
      of: "alice",
    },
  ],
};

test("a token never stands in the evidence; the command gets it from its source, with folder and environment", () => {
  const evidence = exchangeEvidence("it", at, { request: withToken, response: response("ok") });
  assert.doesNotMatch(JSON.stringify(evidence), /secret/);
  assert.equal(
    evidence.reproduce,
    `curl 'https://localhost:1/api/x' -gik --path-as-is --http1.1 -H "authorization: Bearer $(PORT=1 npx curtainwall audit examples/bakery --token alice)"`,
  );
});

test("an API key never stands in the evidence either, whatever header it comes in", () => {
  for (const [header, scheme] of [
    ["x-api-key", ""],
    ["authorization", "ApiKey "],
  ] as const) {
    const credential = { header, scheme, value: "the-secret-key", name: "API key of robot", of: "robot" };
    const request: ProbeRequest = {
      method: "GET",
      path: "/api/x",
      headers: [[header, `${scheme}the-secret-key`]],
      credentials: [credential],
    };
    const { request: seen, reproduce } = exchangeEvidence("it", at, { request, response: response("ok") });
    assert.deepEqual(seen.headers, [`${header}: ${scheme}[API key of robot]`]);
    assert.match(reproduce ?? "", new RegExp(`-H "${header}: ${scheme}\\$\\(.* --token robot\\)"$`));
    const { credentials: _, ...unnamed } = request;
    const hidden = exchangeEvidence("it", at, { request: unnamed, response: response("ok") });
    assert.doesNotMatch(JSON.stringify(hidden), /secret/);
  }
});

test("what only the audit can send has no command: a forged token, what a shell can't write, a long body", () => {
  const { credentials: _, ...forged } = withToken;
  const requests: ProbeRequest[] = [
    forged,
    { method: "GET", path: "/api/\u0001" },
    { method: "GET", path: "/", headers: [["x-a", "b\r\nc"]] },
    { method: "POST", path: "/", body: new Uint8Array([0xc3, 0x28]) },
    { method: "POST", path: "/", body: "@/etc/passwd" },
    { method: "POST", path: "/", body: "a".repeat(3000) },
  ];
  for (const request of requests) {
    const { reproduce } = exchangeEvidence("it", at, { request, response: response("") });
    assert.equal(reproduce, undefined, JSON.stringify(request).slice(0, 100));
  }
});

/** A command's words as POSIX has them: single quotes keep everything, a backslash outside them the next character. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:'[^']*'|\\.|[^\s'\\])+/gs)].map(([word]) =>
    word.replaceAll(/'([^']*)'|\\(.)/gs, "$1$2"),
  );

test("a shell reads the command's words as what was sent, whatever it was", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.string({ unit: "grapheme", maxLength: 40 }),
      (value, body) => {
        const request: ProbeRequest = { method: "POST", path: "/", headers: [["x-a", value]], body };
        const { reproduce } = exchangeEvidence("it", at, { request, response: response("") });
        if (reproduce === undefined) return;
        const words = wordsOf(reproduce);
        assert.ok(words.includes(`x-a: ${value}`) && words.includes(body), reproduce);
      },
    ),
    { numRuns: 200 },
  );
});

test("the command quotes what would end a shell's argument", () => {
  const request: ProbeRequest = { method: "GET", path: "/api/'$(id)'", headers: [["x-a", "'; id; '"]] };
  const { reproduce } = exchangeEvidence("it", at, { request, response: response("") });
  assert.equal(
    reproduce,
    `curl 'https://localhost:1/api/'\\''$(id)'\\''' -gik --path-as-is --http1.1 -H 'x-a: '\\''; id; '\\'''`,
  );
});

test("a cookie that was set is named, its value hidden", () => {
  const answer = { ...response(""), headers: [["set-cookie", "sid=s3cret=1; Secure; HttpOnly"]] as const };
  const evidence = exchangeEvidence("it", at, {
    request: { method: "GET", path: "/" },
    response: answer,
  });
  assert.deepEqual(evidence.response.headers, ["set-cookie: sid=[hidden]; Secure; HttpOnly"]);
});

test("a token that was put where none belongs is hidden there, and in what comes back", () => {
  const value = "aaaa.bbbb.cccc";
  const request: ProbeRequest = {
    method: "GET",
    path: `/api/a?access_token=${value}`,
    headers: [
      ["cookie", `access_token=${value}`],
      ["authorization", value],
    ],
    credentials: [{ header: "", scheme: "", value, name: "token of alice" }],
  };
  const answer = { ...response(`no ${value}`), headers: [["location", `/?t=${value}`]] as const };
  const evidence = exchangeEvidence("it", at, { request, response: answer });
  assert.equal(JSON.stringify(evidence).includes(value), false);
  assert.equal(evidence.reproduce, undefined);
  assert.match(evidence.request.url, /access_token=\[token of alice\]$/);
});
