import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { exchangeEvidence, printable } from "./evidence.ts";
import type { ProbeRequest, ProbeResponse } from "./probe.ts";

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

test("a token never stands in the evidence, nor in the command", () => {
  const request: ProbeRequest = {
    method: "GET",
    path: "/api/x",
    headers: [["authorization", "Bearer eyJhbGciOi.secret.part"]],
    tokenName: "token of alice",
  };
  const evidence = exchangeEvidence("it", "https://localhost:1", { request, response: response("ok") });
  assert.doesNotMatch(JSON.stringify(evidence), /secret/);
  assert.match(evidence.reproduce, /"authorization: Bearer \$TOKEN_OF_ALICE"/);
});

test("the command quotes what would end a shell's argument", () => {
  const request: ProbeRequest = { method: "GET", path: "/api/'$(id)'", headers: [["x-a", "'; id; '"]] };
  const { reproduce } = exchangeEvidence("it", "https://localhost:1", { request, response: response("") });
  assert.equal(
    reproduce,
    `curl 'https://localhost:1/api/'\\''$(id)'\\''' -gik --path-as-is --http1.1 -H 'x-a: '\\''; id; '\\'''`,
  );
});

test("a cookie that was set is named, its value hidden", () => {
  const answer = { ...response(""), headers: [["set-cookie", "sid=s3cret=1; Secure; HttpOnly"]] as const };
  const evidence = exchangeEvidence("it", "https://localhost:1", {
    request: { method: "GET", path: "/" },
    response: answer,
  });
  assert.deepEqual(evidence.response.headers, ["set-cookie: sid=[hidden]; Secure; HttpOnly"]);
});
