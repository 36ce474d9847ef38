import assert from "node:assert/strict";
import { test } from "node:test";
import { createCommands } from "./commands.ts";
import { begin, runCheck } from "./check.ts";
import type { Check, Tally } from "./check.ts";
import type { AuditContext } from "./context.ts";

const context = (facts: Partial<AuditContext> = {}): AuditContext =>
  ({
    target: new URL("https://localhost:1"),
    isLoopback: true,
    unreachable: undefined,
    commands: createCommands({ folder: ".", address: undefined, environment: [], start: undefined }),
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
  assert.equal(result.state, "missing");
  assert.equal(result.reason, "there was nothing to look at");
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
  assert.equal(result.state, "missing");
  assert.equal(result.reason, "the check threw: lost\\u{1b}[31m");
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
  assert.equal(result.state, "failed");
  assert.deepEqual(result.evidence[0], { ...seen, value: 2 });
});

test("what held of a check that failed is counted, and does not stand among the failures", async () => {
  const check = live(async (_, tally) => {
    for (let count = 0; count < 12; count++) tally.pass(seen);
    for (let count = 0; count < 25; count++) tally.fail({ ...seen, value: 2 });
  });
  const { evidence, failing, held, observations } = await runCheck(check, "API-1", context());
  assert.deepEqual(
    evidence.filter((piece) => piece.kind === "measurement" && piece.value === seen.value),
    [],
  );
  assert.deepEqual({ failing, held, observations }, { failing: 20, held: 12, observations: 37 });
  const passed = await runCheck(
    live(async (_, tally) => tally.pass(seen)),
    "API-1",
    context(),
  );
  assert.deepEqual([passed.evidence, passed.held], [[seen], undefined]);
});

test("an active check does not run where the host's ownership is not proved; a passive one does", async () => {
  let runs = 0;
  const run: Check["run"] = async (_, tally) => {
    runs++;
    tally.pass(seen);
  };
  const elsewhere = context({ isLoopback: false });
  const active = await runCheck(live(run, { isActive: true }), "API-1", elsewhere);
  assert.deepEqual([active.state, active.reason, runs], ["missing", "ownership of host not proved", 0]);
  assert.equal((await runCheck(live(run), "API-8", elsewhere)).state, "passed");
});

test("a check of the source runs although the target is down", async () => {
  const check: Check = { name: "a check", kind: "source", run: async (_, tally) => tally.pass(seen) };
  assert.equal(
    (await runCheck(check, "SEC-2", context({ unreachable: { reason: "it is down", isSilent: true } })))
      .state,
    "passed",
  );
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

test("a check with nothing to look at does not apply, whether the target is there or not", async () => {
  const check = live(async () => assert.fail("it ran"), {
    isActive: true,
    notApplicable: () => "the contract declares no route",
  });
  for (const facts of [
    {},
    { isLoopback: false },
    { unreachable: { reason: "it is down", isSilent: true } },
  ]) {
    const { state, reason, observations } = await runCheck(check, "API-1", context(facts));
    assert.deepEqual([state, reason, observations], ["not applicable", "the contract declares no route", 0]);
  }
});

test("a part that does not apply neither passes a check nor hides what else was seen or missed", async () => {
  const stateAfter = async (more: (tally: Tally) => void): Promise<string> => {
    const run: Check["run"] = async (_, tally) => {
      tally.notApplicable("no role");
      more(tally);
    };
    return (await runCheck(live(run), "API-1", context())).state;
  };
  assert.equal(await stateAfter(() => undefined), "not applicable");
  assert.equal(await stateAfter((tally) => tally.pass(seen)), "passed");
  assert.equal(await stateAfter((tally) => tally.fail(seen)), "failed");
  assert.equal(await stateAfter((tally) => tally.miss("a sample")), "missing");
  assert.equal(
    await stateAfter(() => {
      throw new Error("lost");
    }),
    "missing",
  );
});

test("a target that takes no connection is not asked about its transport; one with a bad certificate is", async () => {
  const check = live(async (_, tally) => tally.pass(seen), { isTransport: true });
  const stateFor = async (isSilent: boolean): Promise<string> =>
    (await runCheck(check, "API-8", context({ unreachable: { reason: "it is down", isSilent } }))).state;
  assert.equal(await stateFor(true), "missing");
  assert.equal(await stateFor(false), "passed");
});

test("what is left of a check goes on by itself, counts, and ends when everything must", async () => {
  const { promise: looked, resolve: look } = Promise.withResolvers<void>();
  const check = live(async (_, tally) => {
    tally.pass(seen);
    return async () => {
      await looked;
      tally.fail({ ...seen, value: 2 });
    };
  });
  const { ended } = await begin(check, "API-1", context());
  look();
  assert.equal((await ended).result.state, "failed");
  const throws = live(async (_, tally) => {
    tally.pass(seen);
    return () => Promise.reject(new Error("lost"));
  });
  const thrown = await runCheck(throws, "API-1", context());
  assert.deepEqual([thrown.state, thrown.reason], ["missing", "the check threw: lost"]);
  const { promise: over, reject: end } = Promise.withResolvers<never>();
  const endless = live(async (_, tally) => {
    tally.pass(seen);
    return () => new Promise(() => undefined);
  });
  const begun = await begin(endless, "API-1", context(), over);
  end(new Error("no time"));
  const { state, reason, observations } = (await begun.ended).result;
  assert.deepEqual([state, reason, observations], ["missing", "the check threw: no time", 1]);
});
