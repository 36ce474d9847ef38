import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { Checkpoint } from "../checkpoint.ts";
import { verifyLog } from "./verify-log.ts";
import { edit, place, signed, write } from "./fixtures/test-log.ts";

suite("how far a log that was changed can be trusted", () => {
  /** Sixty records, of which a signature is about the tenth, the thirtieth and the last. */
  async function place3(t: TestContext): Promise<{ path: string; checkpoints: Checkpoint[] }> {
    const path = place(t);
    const checkpoints = [
      signed(await write(path, 9)),
      signed(await write(path, 20)),
      signed(await write(path, 30)),
    ];
    assert.deepEqual(
      checkpoints.map(({ through }) => through),
      [10, 30, 60],
    );
    return { path, checkpoints };
  }
  const trustedAfter = (change: (lines: string[]) => string[]) => async (t: TestContext) => {
    const { path, checkpoints } = await place3(t);
    assert.equal(verifyLog(path, { checkpoints }).trusted, undefined);
    edit(path, change);
    return verifyLog(path, { checkpoints });
  };
  const replaced = (at: number) =>
    trustedAfter((lines) =>
      lines.with(at - 1, (lines[at - 1] ?? "").replace('"status":429', '"status":200')),
    );

  test("up to the last signature before it; of the two that do not fit neither, unless a signature tells", async (t) => {
    assert.deepEqual((await replaced(45)(t)).trusted, { through: 43, signed: 30 });
    assert.deepEqual((await replaced(12)(t)).trusted, { through: 10, signed: 10 });
    const told = await replaced(31)(t);
    assert.deepEqual(told.trusted, { through: 30, signed: 30 });
    assert.match(told.findings[0]?.says ?? "", /it was changed, since record 30 is as it was signed$/);
    assert.deepEqual((await replaced(5)(t)).trusted, { through: 3, signed: 0 });
  });

  test("whatever else it is that is wrong", async (t) => {
    const without = (at: number) => trustedAfter((lines) => lines.toSpliced(at - 1, 1));
    assert.deepEqual((await without(31)(t)).trusted, { through: 30, signed: 30 });
    const cut = await trustedAfter((lines) => lines.slice(0, 40))(t);
    assert.deepEqual(cut.trusted, { through: 40, signed: 30 });
    const twice = await trustedAfter((lines) => lines.toSpliced(20, 0, lines[4] ?? ""))(t);
    assert.deepEqual(twice.trusted, { through: 20, signed: 10 });
    const foreign = await trustedAfter((lines) => lines.toSpliced(35, 0, "nobody's"))(t);
    assert.deepEqual(foreign.trusted, { through: 35, signed: 30 });
    const beheaded = await trustedAfter((lines) => lines.slice(5))(t);
    assert.deepEqual(beheaded.trusted, { through: 0, signed: 0 });
  });

  test("not at all if it is another than a checkpoint that was given says", async (t) => {
    const { path, checkpoints } = await place3(t);
    const other = place(t);
    const elsewhere = signed(await write(other, 3));
    assert.deepEqual(verifyLog(path, { checkpoints: [...checkpoints, elsewhere] }).trusted, {
      through: 0,
      signed: 0,
    });
    const forked = { ...checkpoints[1], head: elsewhere.head } as Checkpoint;
    assert.deepEqual(verifyLog(path, { checkpoints: [...checkpoints, signed(forked)] }).trusted, {
      through: 29,
      signed: 10,
    });
  });
});
