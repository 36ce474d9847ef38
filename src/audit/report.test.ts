import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { drawVerdict } from "./report.ts";
import type { AuditCheck } from "./report.ts";
import { checklist, chooseRows } from "./rows.ts";
import { rules } from "./rules/index.ts";

const check = (state: AuditCheck["state"], more: Partial<AuditCheck> = {}): AuditCheck => ({
  name: "a check",
  kind: "live",
  state,
  observations: 1,
  evidence: [],
  reproduce: "true",
  ...more,
});
const idle = (reason: string): AuditCheck => check("not applicable", { reason });
const supporting = { isSupporting: true } as const;

const draw = (...checks: AuditCheck[]): string => {
  const { verdict, ran, of, failed, notApplicable } = drawVerdict(checks);
  return `${verdict}, ${ran} of ${of}, ${failed} failed, ${notApplicable} not applicable`;
};

test("a row is proved only when every check ran and passed", () => {
  assert.equal(draw(check("passed"), check("passed")), "proved, 2 of 2, 0 failed, 0 not applicable");
});

test("one missing check leaves a row unknown, however many passed", () => {
  assert.equal(draw(check("passed"), check("missing")), "unknown, 1 of 2, 0 failed, 0 not applicable");
});

test("one failed check fails a row, whatever is missing, does not apply or only supports it", () => {
  assert.equal(
    draw(check("passed"), check("missing"), check("failed")),
    "failed, 2 of 3, 1 failed, 0 not applicable",
  );
  assert.equal(
    draw(check("failed", supporting), idle("no route")),
    "failed, 1 of 1, 1 failed, 1 not applicable",
  );
});

test("what does not apply is not counted, and does not keep the rest from proving a row", () => {
  assert.equal(draw(check("passed"), idle("no role")), "proved, 1 of 1, 0 failed, 1 not applicable");
});

test("a row where nothing applies is unknown, with every reason once", () => {
  const checks = [idle("no route"), idle("no route"), idle("no page")];
  assert.equal(draw(...checks), "unknown, 0 of 0, 0 failed, 3 not applicable");
  assert.equal(drawVerdict(checks).reason, "nothing to check: no route; no page");
});

test("checks that only support a row don't prove it, however many pass", () => {
  const checks = [check("passed", supporting), check("passed", supporting), idle("no token is asked for")];
  assert.equal(draw(...checks), "unknown, 2 of 2, 0 failed, 1 not applicable");
  assert.equal(drawVerdict(checks).reason, "nothing to check: no token is asked for");
});

test("a row of which something is missing is never said to have nothing to check", () => {
  const checks = [check("missing", supporting), idle("the contract declares no secrets")];
  assert.equal(draw(...checks), "unknown, 0 of 1, 0 failed, 1 not applicable");
  assert.equal(drawVerdict(checks).reason, undefined);
});

test("a row without checks is unknown, not proved", () => {
  assert.equal(drawVerdict([]).verdict, "unknown");
});

test("docs/checklist.md has the same ids and titles, in the same order", () => {
  const text = readFileSync(new URL("../../docs/checklist.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| ([A-Z]+-\d) \| (.*?) \|/gm)].map(([, id, title]) => [
    id,
    title?.replaceAll("`", ""),
  ]);
  assert.deepEqual(
    rows,
    checklist.map(({ id, title }) => [id, title]),
  );
});

test("rows are found whatever their case; one that does not exist is told with those that do, and the nearest", () => {
  assert.deepEqual([...chooseRows(["api-1", " FE-2 "])], ["API-1", "FE-2"]);
  for (const [asked, meant] of [
    ["API1", "API-1"],
    ["api-01", "API-1"],
    ["fe_4", "FE-4"],
  ] as const)
    assert.throws(() => chooseRows([asked]), { message: new RegExp(`did you mean ${meant}\\?`) });
  assert.throws(() => chooseRows(["NOPE"]), { message: /^There is no row "NOPE"\. Rows: API-1, .*MON-5$/ });
});

test("the checklist has its 24 items, and each has checks: a rule's or ones that wait for something named", () => {
  assert.equal(checklist.length, 24);
  assert.equal(new Set(checklist.map(({ id }) => id)).size, 24);
  for (const { id, awaiting } of checklist) {
    const rule = rules.find((candidate) => candidate.id === id);
    assert.ok((rule?.checks.length ?? 0) + awaiting.length > 0, id);
    assert.ok(
      awaiting.every(({ missing }) => missing.startsWith("comes with ")),
      id,
    );
  }
});

test("no two checks of a rule share a name", () => {
  for (const { id, checks } of rules)
    assert.equal(new Set(checks.map(({ name }) => name)).size, checks.length, id);
});

test("elsewhere than on this machine only these checks run: ordinary requests, no token, no body", () => {
  const passive = rules.flatMap(({ id, checks }) =>
    checks
      .filter((rule) => rule.kind === "live" && rule.isActive !== true)
      .map(({ name }) => `${id} ${name}`),
  );
  assert.deepEqual(passive, [
    "API-4 the release that was built is the one that is served, byte for byte",
    "API-8 TLS 1.0 refused",
    "API-8 TLS 1.1 refused",
    "API-8 TLS 1.2 refused",
    "API-8 TLS 1.3 and its cipher",
    "API-8 the certificate verifies",
    "API-8 HSTS",
    "FE-2 the release that was built is the one that is served, byte for byte",
    "FE-2 the policy that was built is the one that is sent",
    "FE-2 every policy that is sent is strict",
    "FE-2 zero violations in a browser, on every page",
    ...[
      "200, a page",
      "200, a page as browsers ask for it",
      "200, an asset of each kind",
      "206, a part of a file",
      "416, no part of a file",
      "304",
      "HEAD",
      "308, a redirect",
      "308, a redirect that takes a query along",
      "404, a page",
      "404, a page as browsers ask for it",
      "404, the API",
    ].flatMap((name) => [`FE-4 ${name} (HTTP/1.1)`, `FE-4 ${name} (HTTP/2)`]),
    "FE-6 addresses of services on the inside",
    "FE-6 an island carries the routes that its sources name, and no others",
    "FE-6 the release that was built is the one that is served, byte for byte",
  ]);
});
