// The mutants and their record. That the audit finds them is shown by `npm run mutate`, which takes minutes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { rules } from "../src/audit/rules/index.ts";
import { readMutant, readMutants } from "../tools/mutate/mutants.ts";
import { describeScore, joinScores, readScore, withScore } from "../tools/mutate/score.ts";
import type { Score, ScoredMutant } from "../tools/mutate/score.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const mutants = readMutants(root);
const items = rules.map(({ id }) => id);

suite("mutants", () => {
  test("there are five or more for each item that has checks, and a hundred or more in all", () => {
    for (const item of items) {
      const count = mutants.filter((mutant) => mutant.item === item).length;
      assert.ok(count >= 5, `${item} has ${count}`);
    }
    assert.ok(mutants.length >= 100, `there are ${mutants.length}`);
  });

  test("each lies in its item's folder, names rows that have checks, and says what is broken in a sentence", () => {
    for (const { id, item, rows, fault } of mutants) {
      assert.equal(id.split("/")[0], item);
      for (const row of rows) assert.ok(items.includes(row), `${id}: ${row}`);
      assert.match(fault, /^[A-Z].{20,}\.$/, id);
    }
  });

  test("each applies to the sources as they are, and leaves the audit itself alone", () => {
    for (const { id, file, paths } of mutants) {
      const { status, stderr } = spawnSync("git", ["apply", "--check", file], {
        cwd: root,
        encoding: "utf8",
      });
      assert.equal(status, 0, `${id}: ${stderr}`);
      for (const path of paths) assert.doesNotMatch(path, /^(?:src\/audit|tools|test)\//, id);
    }
  });

  test("no two are the same change", () => {
    const changes = mutants.map(({ file }) => readFileSync(file, "utf8").replace(/^[\s\S]*?\n\n/, ""));
    assert.equal(new Set(changes).size, changes.length);
  });

  test("a file without what it needs is refused by its name", (context) => {
    const folder = mkdtempSync(join(tmpdir(), "cw-mutants-"));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "one.patch");
    const diff = "\n--- a/package.json\n+++ b/package.json\n@@ -1,1 +1,1 @@\n-{\n+[\n";
    for (const [text, expected] of [
      [`Fault: Something is wrong with this one.\n${diff}`, /one\.patch: it has no header "Item/],
      [`Item: API-1\n${diff}`, /it has no header "Fault/],
      [`Item: API-1\nFault: Something.\nRow: API-1\n${diff}`, /none of the headers/],
      [`Item: API-1\nItem: API-2\nFault: Something.\n${diff}`, /Item stands there twice/],
      ["Item: API-1\nFault: Something.\n\nno diff\n", /has no diff/],
    ] as const) {
      writeFileSync(file, text);
      assert.throws(() => readMutant(file, folder), expected);
    }
    writeFileSync(file, `Item: API-1\nFault: Something.\nRows: API-1, API-7\n${diff}`);
    const { rows, paths } = readMutant(file, folder);
    assert.deepEqual([rows, paths], [["API-1", "API-7"], ["package.json"]]);
  });
});

suite("the record of a run of some mutants", () => {
  const [one, two] = mutants;
  assert.ok(one !== undefined && two !== undefined);
  const found = (digest: string, kind: ScoredMutant["kind"]): ScoredMutant => ({ digest, kind, seconds: 1 });
  const recordOf = (entries: Score["mutants"]): Score => ({
    format: 1,
    on: "2026-01-01",
    jobs: 2,
    seconds: 60,
    clean: { checks: 3, alarms: 0 },
    mutants: entries,
  });

  test("joins what is known of the others, in the order of the mutants, and says of how many runs it is", () => {
    const before = recordOf({
      [two.id]: found(two.digest, "missed"),
      [one.id]: found("of another file", "missed"),
    });
    const run = { ...recordOf({ [one.id]: found(one.digest, "caught") }), jobs: 1 };
    const joined = joinScores(before, run, [one, two]);
    assert.deepEqual(
      Object.entries(joined.mutants).map(([id, { kind }]) => [id, kind]),
      [
        [one.id, "caught"],
        [two.id, "missed"],
      ],
    );
    assert.match(describeScore(joined), /\*\*1 of 2 .*\(2 minutes in 2 runs, 2 workers/s);
  });

  test("knows nothing of a mutant that was changed since, or is new", () => {
    const run = recordOf({ [one.id]: found(one.digest, "caught") });
    for (const before of [undefined, recordOf({ [two.id]: found("of another file", "caught") })])
      assert.throws(() => joinScores(before, run, [one, two]), new RegExp(two.id));
  });
});

const score = readScore(root);
if (score === undefined) test("where no run was recorded, the README names no score", saysNothing);
else
  suite("the score", () => {
    test("the record is of the mutants that there are, to the letter", () => {
      assert.deepEqual(
        Object.entries(score.mutants).map(([id, { digest }]) => [id, digest]),
        mutants.map(({ id, digest }) => [id, digest]),
        "run  npm run mutate -- --record",
      );
    });

    test("95 of a hundred were found, nothing was on the clean stack, and who survives says why", () => {
      const all = Object.values(score.mutants);
      const found = all.filter(({ kind }) => kind !== "missed").length;
      assert.ok(found / all.length >= 0.95, describeScore(score));
      assert.equal(score.clean.alarms, 0);
      const explained = new Map(mutants.map(({ id, survives }) => [id, survives !== undefined]));
      for (const [id, { kind }] of Object.entries(score.mutants))
        assert.equal(explained.get(id), kind === "missed", id);
    });

    test("the README says what the record says", () => {
      const readme = readFileSync(join(root, "README.md"), "utf8");
      assert.equal(readme, withScore(readme, score));
    });
  });

function saysNothing(): void {
  const [, said = ""] =
    /<!-- mutants -->([\s\S]*)<!-- \/mutants -->/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  assert.match(said, /npm run mutate/);
  assert.doesNotMatch(said, /\d+ %|\*\*\d/);
}
