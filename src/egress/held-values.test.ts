import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../shared/index.ts";
import { createHeldValues } from "./held-values.ts";
import type { SecretValue } from "./types.ts";

function open() {
  let now = 0;
  const asked: PromiseWithResolvers<SecretValue | undefined>[] = [];
  const values = createHeldValues({
    source: {
      get() {
        const question = Promise.withResolvers<SecretValue | undefined>();
        asked.push(question);
        return question.promise;
      },
      onChange: () => undefined,
    },
    idleMs: 1000,
    elapsed: () => now,
  });
  return { values, asked, pass: (ms: number) => void (now += ms) };
}

const version = (number: number): SecretValue => ({ version: number, value: new Secret(`v${number}`) });

test("all who need a value at once ask once, and it is let go of when nobody used it for a while", async () => {
  const { values, asked, pass } = open();
  const both = [values.get("A"), values.get("A")];
  asked[0]?.resolve(version(1));
  assert.deepEqual(await Promise.all(both), await Promise.all([both[0], both[0]]));
  assert.equal(asked.length, 1);
  pass(900);
  await values.get("A");
  pass(900);
  values.sweep();
  assert.deepEqual(values.inUse(), [{ name: "A", version: 1 }]);
  pass(200);
  values.sweep();
  assert.deepEqual(values.inUse(), []);
});

test("a value that changes while it is asked for is not held: the next request has the new one", async () => {
  const { values, asked } = open();
  const before = values.get("A");
  values.forget(["A"]);
  asked[0]?.resolve(version(1));
  assert.equal((await before).version, 1);
  assert.deepEqual(values.inUse(), []);
  const after = values.get("A");
  asked[1]?.resolve(version(2));
  assert.equal((await after).version, 2);
});

test("what is not there, or can't be asked for, is asked for again", async () => {
  const { values, asked } = open();
  const first = values.get("A");
  asked[0]?.resolve(undefined);
  await assert.rejects(first, { code: "EGRESS_SECRET_MISSING" });
  const second = values.get("A");
  asked[1]?.reject(new Error("value-of-somebody"));
  await assert.rejects(second, (error: Error & { code: string }) => {
    assert.equal(error.code, "EGRESS_VAULT_UNAVAILABLE");
    assert.doesNotMatch(error.message, /somebody/);
    return true;
  });
  const third = values.get("A");
  asked[2]?.resolve(version(3));
  assert.equal((await third).version, 3);
});

test("a value that is always in use is asked for anew after some minutes, and refused when nobody can be asked then", async () => {
  const { values, asked, pass } = open();
  const first = values.get("A");
  asked[0]?.resolve(version(1));
  await first;
  for (let passed = 0; passed < 300_000; passed += 900) {
    pass(900);
    if (passed + 900 <= 300_000) assert.equal((await values.get("A")).version, 1);
  }
  assert.equal(asked.length, 1);
  pass(900);
  const second = values.get("A");
  assert.equal(asked.length, 2);
  asked[1]?.reject(new Error("nobody there"));
  await assert.rejects(second, { code: "EGRESS_VAULT_UNAVAILABLE" });
});
