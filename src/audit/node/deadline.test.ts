import assert from "node:assert/strict";
import { test } from "node:test";
import { isCurtainwallError } from "../../shared/index.ts";
import type { Wire } from "../probes/probe.ts";
import { createDeadline } from "./deadline.ts";

test("what is begun in time goes through; after it, nothing is sent any more", async () => {
  let time = 0;
  let sent = 0;
  const wire = { canChangeClient: true, send: async () => void sent++ } as unknown as Wire;
  const deadline = createDeadline(100, () => time);
  const bounded = deadline.wire(wire);
  time = 99;
  await bounded.send({ method: "GET", path: "/" });
  assert.equal(deadline.remainingMs(), 1);
  time = 100;
  await assert.rejects(bounded.send({ method: "GET", path: "/" }), (error) =>
    isCurtainwallError(error, "AUDIT_BUDGET_SPENT"),
  );
  assert.equal(sent, 1);
});

test("a browser is not sent to another page once time is up", async () => {
  const deadline = createDeadline(0, () => 0);
  const browser = deadline.browser({
    version: "Test 1",
    visit: async () => ({ status: 200, violations: [], marks: [], asked: [], refused: [] }),
  });
  await assert.rejects(browser.visit("/"), (error) => isCurtainwallError(error, "AUDIT_BUDGET_SPENT"));
});

test("a page that does not rest is left when time is up", { timeout: 60_000 }, async () => {
  const deadline = createDeadline(20, () => 0);
  const browser = deadline.browser({ version: "Test 1", visit: () => new Promise(() => undefined) });
  await assert.rejects(browser.visit("/"), (error) => isCurtainwallError(error, "AUDIT_BUDGET_SPENT"));
});
