import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { ContractRoute } from "../../contract/index.ts";
import { compileAnswer } from "../answers/released-answer.ts";
import type { AnswerVerdict } from "../answers/released-answer.ts";
import { compileObservedAnswer } from "./observed-answer.ts";

const route = {
  access: { kind: "everyone" },
  response: z.object({ name: z.string() }),
  responseHeaders: new Map(),
  errors: new Map(),
} as unknown as ContractRoute;
const observe = compileObservedAnswer(route, { isOn: () => true, note: () => undefined });
const judge = compileAnswer(route, { origin: "https://bakery.test", canaries: [] }, observe);

function release(value: unknown): Extract<AnswerVerdict, { kind: "released" }> {
  const text = JSON.stringify(value);
  const answer = { kind: "answer", status: 200, value: JSON.parse(text) as unknown, text } as const;
  const verdict = judge(answer, { caller: undefined, mustOwn: false });
  assert.ok(verdict.kind === "released", JSON.stringify(verdict));
  return verdict;
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

test("a name that the sender chose is not written to the log, however long, and its secret does not leave", () => {
  const names = ["alice@bakery.test", "a\nb", "x".repeat(100_000), "/etc/passwd"];
  const byName = Object.fromEntries(names.map((name) => [name, { passwordHash: "x", n: 1 }]));
  const verdict = release({ name: "Rye", users: [byName] });
  assert.deepEqual(verdict.dropped, ["/users/*/*/passwordHash"]);
  assert.doesNotMatch(verdict.text ?? "", /passwordHash/);
  assert.match(verdict.text ?? "", /alice@bakery\.test/);
});

test("names with slashes in them are no levels", () => {
  const verdict = release({ name: "Rye", ["/".repeat(80)]: { a: { b: 1 } } });
  assert.match(verdict.text ?? "", /"b":1/);
});

test("what is nested deeper than is looked at is enforced: the undeclared is dropped, and nothing fails", () => {
  assert.match(release({ name: "Rye", deep: nested(60) }).text ?? "", /deep/);
  for (const depth of [70, 5000]) {
    const verdict = release({ name: "Rye", deep: nested(depth) });
    assert.equal(verdict.text, '{"name":"Rye"}');
    assert.equal(verdict.observed, undefined);
  }
});
