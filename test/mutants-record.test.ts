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
  assert.deepEqual(memory.outcomeOf(mutant, "one"), caught);
  assert.equal(memory.outcomeOf(mutant, "two"), undefined);
  assert.deepEqual(memory.outcomeOf(mutant, "three"), missed);
  assert.equal(memory.outcomeOf(mutant, "four"), undefined);
  assert.equal(memory.outcomeOf({ ...mutant, digest: "4567" }, "one"), undefined);
  assert.deepEqual(memory.foundBy(mutant), ["API-1 token for another audience"]);
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
