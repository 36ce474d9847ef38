// What `npm run mutate` remembers and says, without a run.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openMemory } from "../tools/mutate/memory.ts";
import type { Mutant } from "../tools/mutate/mutants.ts";
import type { Outcome } from "../tools/mutate/outcome.ts";
import { percent, scoreOf, withScore } from "../tools/mutate/score.ts";

const mutant: Mutant = {
  id: "API-1/skip-audience",
  item: "API-1",
  fault: "A token for another API is accepted.",
  rows: ["API-1"],
  file: "unused",
  paths: [],
  digest: "0123",
};
const caught: Outcome = {
  kind: "caught",
  by: "API-1 token for another audience",
  words: "",
  checks: 3,
  seconds: 2,
};
const missed: Outcome = { kind: "missed", checks: 9, seconds: 9 };

test("a run is gone on with from what was found in the same sources, and from no miss that asked a part only", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "cw-memory-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "memory.jsonl");
  const { id, digest } = mutant;
  const before = openMemory(file);
  before.note({ tree: "one", id, digest, outcome: caught, isNarrow: true });
  before.note({ tree: "two", id, digest, outcome: missed, isNarrow: true });
  before.note({ tree: "three", id, digest, outcome: missed, isNarrow: false });
  appendFileSync(file, '{"tree":"four","id":');
  const memory = openMemory(file);
  const outcomeIn = (tree: string, of = mutant): Outcome | undefined =>
    memory.known(tree, "ever").outcomeOf(of);
  assert.deepEqual(outcomeIn("one"), caught);
  assert.equal(outcomeIn("two"), undefined);
  assert.deepEqual(outcomeIn("three"), missed);
  assert.equal(outcomeIn("four"), undefined);
  assert.equal(outcomeIn("one", { ...mutant, digest: "4567" }), undefined);
  assert.deepEqual(memory.foundBy(mutant), ["API-1 token for another audience"]);
});

test("a run that was killed, in the middle of a line too, is unfinished until one of the same sources has come to its end", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "cw-memory-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "memory.jsonl");
  const { id, digest } = mutant;
  const trial = { tree: "one", id, digest, isNarrow: false };
  const sinceEnd = (tree = "one"): [boolean, Outcome | undefined] => {
    const { isUnfinished, outcomeOf } = openMemory(file).known(tree, "last end");
    return [isUnfinished, outcomeOf(mutant)];
  };
  const first = openMemory(file);
  first.note({ tree: "one", run: "begun" });
  first.note({ ...trial, outcome: caught });
  assert.deepEqual(sinceEnd(), [true, caught]);
  assert.deepEqual(sinceEnd("two"), [false, undefined]);
  appendFileSync(file, '{"tree":"one","id":"API-1/sk');
  const second = openMemory(file);
  second.note({ ...trial, outcome: missed });
  assert.deepEqual(
    sinceEnd(),
    [true, missed],
    "what is noted after a line that was cut off is not lost with it",
  );
  second.note({ tree: "one", run: "ended" });
  assert.deepEqual(sinceEnd(), [false, undefined]);
  assert.deepEqual(openMemory(file).known("one", "ever").outcomeOf(mutant), missed);
});

test("the README's sentence stands between its marks, and its share is never rounded up", () => {
  const score = scoreOf([{ mutant, outcome: caught }], {
    on: "2026-01-01",
    jobs: 2,
    seconds: 61,
    clean: { checks: 100, alarms: 0 },
  });
  const readme = "before\n<!-- mutants -->\nold\n<!-- /mutants -->\nafter\n";
  const written = withScore(readme, score);
  assert.match(
    written,
    /^before\n<!-- mutants -->\n[\s\S]*\*\*1 of 1 \(100\.0 %\)\*\*[\s\S]*2 minutes[\s\S]*\n<!-- \/mutants -->\nafter\n$/,
  );
  assert.equal(withScore(written, score), written);
  assert.throws(() => withScore("no marks", score), /<!-- mutants -->/);
  assert.equal(percent(9499, 10_000), "94.9 %");
  assert.throws(
    () => scoreOf([{ mutant, outcome: { kind: "invalid", words: "", seconds: 1 } }], score),
    /API-1\/skip-audience is invalid/,
  );
});
