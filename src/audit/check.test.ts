import assert from "node:assert/strict";
import { test } from "node:test";
import { runCheck } from "./check.ts";
import type { Check } from "./check.ts";
import type { AuditContext } from "./context.ts";

const context = (facts: Partial<AuditContext> = {}): AuditContext =>
  ({
    target: new URL("https://localhost:1"),
    isLoopback: true,
    unreachable: undefined,
    ...facts,
  }) as AuditContext;
const live = (run: Check["run"], more: Partial<Check> = {}): Check => ({
  name: "a check",
  kind: "live",
  run,
  ...more,
});
const seen = { kind: "measurement", about: "it", value: 1 } as const;

test("a check that observes nothing is missing, not passed", async () => {
  const result = await runCheck(
    live(async () => undefined),
    "API-1",
    context(),
  );
  assert.equal(result.verdict, "missing");
  assert.equal(result.missing, "there was nothing to look at");
});

test("a check that throws is missing, with the reason, even after it had seen something good", async () => {
  const result = await runCheck(
    live(async (_, tally) => {
      tally.pass(seen);
      throw new Error("lost\u001b[31m");
    }),
    "API-1",
    context(),
  );
  assert.equal(result.verdict, "missing");
  assert.equal(result.missing, "the check threw: lost\\u{1b}[31m");
});

test("one failure outweighs any number of passes and what is missing", async () => {
  const result = await runCheck(
    live(async (_, tally) => {
      tally.pass(seen);
      tally.miss("part of it");
      tally.fail({ ...seen, value: 2 });
    }),
    "API-1",
    context(),
  );
  assert.equal(result.verdict, "failed");
  assert.deepEqual(result.evidence[0], { ...seen, value: 2 });
});

test("an active check does not run where the host's ownership is not proved; a passive one does", async () => {
  let runs = 0;
  const run: Check["run"] = async (_, tally) => {
    runs++;
    tally.pass(seen);
  };
  const elsewhere = context({ isLoopback: false });
  const active = await runCheck(live(run, { isActive: true }), "API-1", elsewhere);
  assert.deepEqual([active.verdict, active.missing, runs], ["missing", "ownership of host not proved", 0]);
  assert.equal((await runCheck(live(run), "API-8", elsewhere)).verdict, "passed");
});

test("a check of the source runs although the target is down", async () => {
  const check: Check = { name: "a check", kind: "source", run: async (_, tally) => tally.pass(seen) };
  assert.equal((await runCheck(check, "SEC-2", context({ unreachable: "it is down" }))).verdict, "passed");
});

test("evidence is printable, whatever it came from", async () => {
  const check = live(async (_, tally) =>
    tally.fail({ kind: "measurement", about: "certificate of \u001b[31m", value: "\u009b1m" }),
  );
  const { evidence } = await runCheck(check, "API-8", context());
  assert.deepEqual(evidence, [
    { kind: "measurement", about: "certificate of \\u{1b}[31m", value: "\\u{9b}1m" },
  ]);
});
