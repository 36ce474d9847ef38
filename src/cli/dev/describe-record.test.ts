import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { bearer, defineStack, everyone, fn, parseContract, secret } from "../../contract/index.ts";
import { describeRecord as describe } from "./describe-record.ts";
import type { DescribedRecord } from "./describe-record.ts";

const contract = parseContract(
  defineStack({
    origin: "https://localhost:9443",
    functions: { contact: { reaches: "GET https://mail.example/v1/status" }, other: {} },
    egress: { origins: { "https://own.example": { caFile: "test/own.crt" } } },
    secrets: {
      MAIL_KEY: secret({
        use: ["POST https://mail.example/v1/send", "POST https://own.example/v1/send"],
        by: fn("contact"),
        inject: bearer(),
      }),
    },
    routes: {
      "GET /api/sent": {
        access: everyone,
        limit: "5/min per client",
        response: z.object({ sent: z.boolean() }),
        to: fn("other"),
      },
      "GET /api/also": {
        access: everyone,
        limit: "5/min per client",
        response: z.object({ sent: z.boolean() }),
        to: fn("contact"),
      },
    },
  }),
);
const describeRecord = (given: Parameters<typeof describe>[0]): DescribedRecord | undefined =>
  describe(given, contract);

const record = (event: string, fields: object): Parameters<typeof describeRecord>[0] => ({
  time: "2026-01-01T00:00:00.000Z",
  source: "egress",
  severity: "warning",
  event,
  ...fields,
});
const origin = "https://mail.example";

test("a request that nothing permits is told with the line that would permit it, for a function and for a route", () => {
  const fields = { method: "POST", origin, code: "EGRESS_USE_UNDECLARED", reason: "undeclared" };
  const ofFunction = describeRecord(record("egress.refused", { ...fields, caller: "fn:other" }));
  assert.equal(
    ofFunction?.what,
    "fn:other may not POST https://mail.example: undeclared (EGRESS_USE_UNDECLARED)",
  );
  assert.match(
    ofFunction?.helps ?? "",
    /^functions: \{ "other": \{ reaches: "POST https:\/\/mail\.example\/…" \} \}/,
  );
  const ofRoute = describeRecord(record("egress.refused", { ...fields, caller: "GET /api/rates" }));
  assert.match(ofRoute?.helps ?? "", /^secrets: .* by: "GET \/api\/rates"/);
});

test("a service that is not where it should be, or whose certificate is unknown, is told with the option of its origin", () => {
  const refused = describeRecord(record("egress.address.refused", { origin, addresses: ["127.0.0.1"] }));
  assert.equal(refused?.helps, 'egress: { origins: { "https://mail.example": { network: "loopback" } } }');
  const metadata = describeRecord(
    record("egress.address.refused", { origin, addresses: ["169.254.169.254"] }),
  );
  assert.equal(metadata?.helps, undefined, "no option leads there");
  const failed = { origin, code: "EGRESS_CERTIFICATE_REFUSED", caller: "fn:a" };
  const unknown = describeRecord(
    record("egress.failed", { ...failed, reason: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
  );
  assert.match(unknown?.helps ?? "", /caFile/);
  assert.equal(
    describeRecord(record("egress.failed", { ...failed, code: "EGRESS_SERVICE_UNAVAILABLE" }))?.helps,
    undefined,
  );
});

test("a terminal is driven by none of it, and what a function threw is told elsewhere", () => {
  const hostile = {
    caller: "fn:a",
    method: "GET",
    origin: "https://a.example\u001b[2J",
    code: "X",
    reason: "",
  };
  assert.doesNotMatch(describeRecord(record("egress.refused", hostile))?.what ?? "", /\u001b/);
  assert.equal(
    describeRecord(record("function.failed", { function: "a", code: "FUNCTIONS_THREW" })),
    undefined,
  );
  assert.equal(describeRecord(record("stack.started", {})), undefined);
});

test("a request that is refused where others are permitted is told those, and not how to permit more", () => {
  const fields = {
    method: "POST",
    caller: "fn:contact",
    code: "EGRESS_USE_UNDECLARED",
    reason: "undeclared",
  };
  assert.equal(
    describeRecord(record("egress.refused", { ...fields, origin }))?.helps,
    "fn:contact may do this at https://mail.example, and nothing else:  POST /v1/send (MAIL_KEY), GET /v1/status",
  );
  const elsewhere = record("egress.refused", { ...fields, origin: "https://elsewhere.example" });
  assert.match(describeRecord(elsewhere)?.helps ?? "", /reaches/);
});

test("a service that minds a secret is told once, with its version; one that minds a request without one, or answers, is not", () => {
  const used = { origin, caller: "fn:contact", secret: "MAIL_KEY", version: 2, status: "401" };
  const told = describeRecord(record("egress.used", used));
  assert.equal(
    told?.what,
    "https://mail.example answered 401 to a request with MAIL_KEY, version 2: is the value right?",
  );
  assert.equal(told?.isOnce, true);
  for (const other of [
    { ...used, status: "2xx" },
    { ...used, status: "4xx" },
    { ...used, secret: undefined },
  ])
    assert.equal(describeRecord(record("egress.used", other)), undefined);
});

test("where a `caFile` is set, it is what does not fit; a certificate that ran out needs none", () => {
  const failed = { origin: "https://own.example", code: "EGRESS_CERTIFICATE_REFUSED", caller: "fn:contact" };
  const helpFor = (reason: string): string | undefined =>
    describeRecord(record("egress.failed", { ...failed, reason }))?.helps;
  assert.equal(
    helpFor("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
    "test/own.crt, its `caFile`, does not have the authority that its certificate is from",
  );
  assert.equal(helpFor("CERT_HAS_EXPIRED"), undefined);
});

test("what a function answers wrongly is told as its mistake: nothing returned, or a field too many, once", () => {
  const route = "GET /api/sent";
  assert.match(
    describeRecord(record("gateway.answer.refused", { route, reason: "it has no body" }))?.what ?? "",
    /fn:other returned nothing\. Is a `return` missing\?$/,
  );
  const trimmed = describeRecord(record("gateway.answer.trimmed", { route, fields: ["/extra"] }));
  assert.equal(trimmed?.what, "/extra of the answer to GET /api/sent: its `response` does not declare it");
  assert.equal(trimmed?.isOnce, true);
});
