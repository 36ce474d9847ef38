import assert from "node:assert/strict";
import { test } from "node:test";
import { exchange, sampleReport } from "../fixtures/report.ts";
import { findingPlace, placeOf } from "./place.ts";

const report = sampleReport();

test("a finding about a route stands where the contract declares it, whatever was bent in the call", () => {
  const route = "GET /api/orders/:id";
  const place = { file: "examples/shop/curtainwall.config.ts", line: 61, route };
  assert.deepEqual(placeOf(report, exchange("x")), place);
  assert.deepEqual(placeOf(report, exchange("x", { method: "DELETE" })), place);
  assert.deepEqual(
    placeOf(report, exchange("x", { url: "https://localhost:8443/api/orders/%00?a=1#b" })),
    place,
  );
  assert.deepEqual(placeOf(report, { kind: "measurement", about: `${route} is slow`, value: 1 }), place);
  assert.deepEqual(
    placeOf(report, { kind: "contract", about: "limits", at: `routes["${route}"].limit` }),
    place,
  );
});

test("a finding about an option stands where that is written, of the route or of the stack", () => {
  const route = "GET /api/orders/:id";
  const file = "examples/shop/curtainwall.config.ts";
  assert.deepEqual(placeOf(report, exchange("x"), { promise: "limit" }), {
    file,
    line: 63,
    route,
    option: "limit",
  });
  assert.deepEqual(placeOf(report, exchange("x"), { promise: "cors" }), {
    file,
    line: 12,
    route,
    option: "cors",
  });
  assert.deepEqual(placeOf(report, { kind: "measurement", about: "x", value: 1 }, { promise: "cors" }), {
    file,
    line: 12,
    option: "cors",
  });
  assert.deepEqual(
    placeOf(report, exchange("x"), { promise: "body" }),
    { file, line: 61, route },
    "it writes none",
  );
});

test("of a route without a body what it takes its input in is named, by its own name; evidence knows which best", () => {
  const route = "GET /api/orders/:id";
  const { contract } = report;
  assert.ok(contract !== undefined);
  const options = {
    [route]: { query: "curtainwall.config.ts:65", params: "curtainwall.config.ts:66" },
    stack: { edge: "curtainwall.config.ts:9" },
  };
  const placed = { ...report, contract: { ...contract, options } };
  const of = (evidence: ReturnType<typeof exchange>): unknown => {
    const { option, line } = placeOf(placed, evidence, { promise: "body" }) ?? {};
    return { option, line };
  };
  assert.deepEqual(of(exchange("x")), { option: "query", line: 65 });
  assert.deepEqual(of({ ...exchange("x"), promise: "params" }), { option: "params", line: 66 });
  assert.deepEqual(of({ ...exchange("x"), promise: "edge" }), { option: "edge", line: 9 });
});

test("what no line of the contract is about is not said to be of its first", () => {
  const evidence = { kind: "measurement", about: "headers, one byte a second", value: 45 } as const;
  const failed = report.rows.flatMap(({ checks }) => checks).find(({ state }) => state === "failed");
  assert.ok(failed !== undefined);
  const check = { ...failed, promise: "edge", failing: 1, evidence: [evidence] } as const;
  assert.equal(findingPlace(report, { ...check, evidence: [...check.evidence] }, evidence), undefined);
});

test("what failed is placed in words, what held is not", () => {
  const failed = report.rows.flatMap(({ checks }) => checks).find(({ state }) => state === "failed");
  assert.ok(failed !== undefined);
  const [first, , held] = failed.evidence;
  const place = "examples/shop/curtainwall.config.ts:63, limit of GET /api/orders/:id";
  assert.equal(findingPlace(report, failed, first), place);
  assert.equal(findingPlace(report, failed, held), undefined);
  assert.equal(findingPlace(report, { ...failed, state: "passed" }, first), undefined);
});

test("a finding in a file stands in that file; one of neither in the contract's first line", () => {
  const contract = { file: "examples/shop/curtainwall.config.ts", line: 1 };
  assert.deepEqual(placeOf(report, { kind: "file", about: "x", file: ".env", line: 4 }), {
    file: "examples/shop/.env",
    line: 4,
  });
  for (const file of ["/etc/passwd", "../secret", "https://localhost/x.js", ""])
    assert.deepEqual(placeOf(report, { kind: "file", about: "x", file }), contract, file);
  assert.deepEqual(placeOf(report, exchange("x", { url: "not an address" })), contract);
  assert.deepEqual(placeOf(report, undefined), contract);
});

test("a report without a contract has no places", () => {
  const { contract: _, ...without } = report;
  assert.equal(placeOf(without, exchange("x")), undefined);
});
