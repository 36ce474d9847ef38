// In which order `npm run mutate` asks its checks.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { rules } from "../src/audit/rules/index.ts";
import { phasesOf } from "../tools/mutate/phases.ts";

const all = rules.flatMap(({ id, checks }) => checks.map((check) => ({ row: id, check })));
const idsOf = (jobs: readonly { row: string; check: { name: string } }[]): string[] =>
  jobs.map(({ row, check }) => `${row} ${check.name}`).toSorted();
const last = all.filter(({ check }) => check.isLast === true);
const [looksBack] = idsOf(last);
assert.ok(looksBack !== undefined);
const row = looksBack.split(" ")[0] ?? "";

suite("the order of a mutant's checks", () => {
  test("has each check once; what looks once more at what others began runs when all others have", () => {
    const phases = phasesOf({ first: [], rows: [row], isNarrow: false });
    assert.deepEqual(idsOf(phases.flat()), idsOf(all));
    assert.deepEqual(idsOf(phases.at(-1) ?? []), idsOf(last));
  });

  test("what found it before comes first; where that looks back, it comes last too", () => {
    const [plain] = idsOf(all.filter(({ check }) => check.isLast !== true));
    assert.ok(plain !== undefined);
    const phases = phasesOf({ first: [plain, looksBack], rows: [row], isNarrow: false });
    assert.deepEqual(
      phases[0]?.map(({ id }) => id),
      [plain, looksBack],
    );
    const later = phases.slice(1).flatMap((jobs) => idsOf(jobs));
    assert.deepEqual(
      later.toSorted(),
      idsOf(all).filter((id) => id !== plain),
    );
  });

  test("of chosen rows alone it has those that look back too", () => {
    const phases = phasesOf({ first: [], rows: [row], isNarrow: true });
    const own = all.filter((each) => each.row === row);
    assert.deepEqual(idsOf(phases.flat()), idsOf(own));
    assert.deepEqual(idsOf(phases.at(-1) ?? []), idsOf(own.filter(({ check }) => check.isLast === true)));
  });

  test("shares of it have each check once", () => {
    const shares = [0, 1, 2].map((index) =>
      phasesOf({ first: [], rows: [], isNarrow: false, share: { index, of: 3 } }),
    );
    assert.deepEqual(idsOf(shares.flat(2)), idsOf(all));
  });
});
