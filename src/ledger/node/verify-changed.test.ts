import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { Checkpoint } from "../checkpoint.ts";
import { formatRecord } from "../record.ts";
import type { LogFinding } from "../verdict.ts";
import { createChain } from "./chain.ts";
import { edit, key, kinds, linesOf, place, refused, signed, write } from "./fixtures/test-log.ts";
import { openLogFile } from "./log-file.ts";
import { verifyLog } from "./verify-log.ts";

suite("a log that somebody changed", () => {
  const attacks: Record<string, { change: (path: string) => void; kind: LogFinding["kind"] }> = {
    "a field changed": {
      change: (path) =>
        edit(path, (lines) =>
          lines.map((line) => line.replace('"id":"r17","status":429', '"id":"r17","status":200')),
        ),
      kind: "changed",
    },
    "one character of one chain value changed": {
      change: (path) => edit(path, (lines) => lines.with(9, (lines[9] ?? "").replace(/.{3}(?="\}$)/, "AAA"))),
      kind: "changed",
    },
    "a record taken out": {
      change: (path) => edit(path, (lines) => lines.toSpliced(12, 1)),
      kind: "missing",
    },
    "many taken out": { change: (path) => edit(path, (lines) => lines.toSpliced(5, 20)), kind: "missing" },
    "two exchanged": {
      change: (path) => edit(path, (lines) => lines.with(8, lines[9] ?? "").with(9, lines[8] ?? "")),
      kind: "moved",
    },
    "one written twice": {
      change: (path) => edit(path, (lines) => lines.toSpliced(8, 0, lines[3] ?? "")),
      kind: "doubled",
    },
    "one moved further down": {
      change: (path) => edit(path, (lines) => lines.toSpliced(3, 1).toSpliced(8, 0, lines[3] ?? "")),
      kind: "moved",
    },
    "another record of the same number put in": {
      change: (path) =>
        edit(path, (lines) => lines.toSpliced(8, 0, (lines[3] ?? "").replace(/.{4}(?="\}$)/, "AAAA"))),
      kind: "foreign",
    },
    "a line put in": {
      change: (path) => edit(path, (lines) => lines.toSpliced(8, 0, refused("forged").trimEnd())),
      kind: "foreign",
    },
    "an empty line put in": {
      change: (path) => edit(path, (lines) => lines.toSpliced(8, 0, "")),
      kind: "foreign",
    },
    "a line put at the end": { change: (path) => appendFileSync(path, refused("forged")), kind: "foreign" },
    "the beginning taken away": { change: (path) => edit(path, (lines) => lines.slice(4)), kind: "missing" },
    "a record renumbered after one was taken out": {
      change: (path) =>
        edit(path, (lines) =>
          lines
            .toSpliced(10, 1)
            .map((line) => line.replace(/"seq":(\d+)/, (all, seq) => (seq > 10 ? `"seq":${seq - 1}` : all))),
        ),
      kind: "changed",
    },
    "the first record's name of the log": {
      change: (path) =>
        edit(path, (lines) => lines.with(0, (lines[0] ?? "").replace(/"log":".{4}/, '"log":"AAAA'))),
      kind: "changed",
    },
    "what a crash left, invented": {
      change: (path) => edit(path, (lines) => lines.toSpliced(20, 0, '{"torn')),
      kind: "foreign",
    },
    "a domain's record that pretends to remove others": {
      change: (path) =>
        edit(path, (lines) =>
          lines
            .slice(3)
            .with(
              5,
              formatRecord(
                { type: "ledger.rotated", time: 0, first: 1, last: 3, head: "A".repeat(43) },
                "edge",
              ).trimEnd(),
            ),
        ),
      kind: "foreign",
    },
  };
  for (const [name, { change, kind }] of Object.entries(attacks))
    test(`${name}: found, with its place`, async (t) => {
      const path = place(t);
      await write(path, 50);
      assert.deepEqual(verifyLog(path).findings, []);
      change(path);
      const { findings } = verifyLog(path);
      assert.ok(kinds(findings).includes(kind), JSON.stringify(findings));
      if (!name.includes("renumbered")) assert.ok(findings.length <= 3, JSON.stringify(findings));
    });

  test("any one bit of it changed, but in lines that no chain covers: found", async (t) => {
    const path = place(t);
    await write(path, 12);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 13) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 7));
      writeFileSync(path, changed);
      const { findings, last } = verifyLog(path);
      // Of the last record what is left is no record any more: as if a crash had cut it short, which a checkpoint tells.
      assert.ok(findings.length > 0 || last < 13, `byte ${at}`);
    }
  });

  test("a whole file taken from the middle, from the end, and two exchanged: found", async (t) => {
    const path = place(t);
    const end = signed(await write(path, 300, { maxFileBytes: 8000, keepFiles: 99 }));
    const saved = readFileSync(`${path}.2`);
    rmSync(`${path}.2`);
    assert.deepEqual(kinds(verifyLog(path).findings), ["missing"]);
    writeFileSync(`${path}.2`, readFileSync(`${path}.3`));
    writeFileSync(`${path}.3`, saved);
    assert.ok(kinds(verifyLog(path).findings).includes("moved"));
    copyFileSync(`${path}.3`, `${path}.aside`);
    writeFileSync(`${path}.3`, readFileSync(`${path}.2`));
    writeFileSync(`${path}.2`, saved);
    assert.deepEqual(verifyLog(path).findings, []);
    rmSync(path);
    assert.deepEqual(verifyLog(path).findings, [], "no log can know how long it was");
    assert.deepEqual(kinds(verifyLog(path, { checkpoints: [end] }).findings), ["truncated"]);
  });

  test("the oldest file taken away before it was given up: told from one that was", async (t) => {
    const path = place(t);
    await write(path, 300, { maxFileBytes: 8000, keepFiles: 3 });
    assert.deepEqual(verifyLog(path).findings, []);
    rmSync(`${path}.3`);
    assert.deepEqual(kinds(verifyLog(path).findings), ["missing"]);
  });
});

suite("what has one cause is told once", () => {
  /** A log that was signed after each few of its records, as many times. */
  async function signedLog(t: TestContext, times: number): Promise<{ path: string; last: Checkpoint }> {
    const path = place(t);
    const log = openLogFile({ path, onError: (error) => assert.fail(error) });
    let last: Checkpoint | undefined;
    for (let time = 0; time < times; time++) {
      for (let number = 0; number < 5; number++) log.append(refused(`${time}-${number}`));
      await log.flush();
      const { seq, chain } = log.head();
      last = signed({ log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") });
      log.append(formatRecord({ type: "ledger.checkpoint", time: 0, ...last }, "ledger"));
    }
    await log.close();
    return { path, last: last ?? assert.fail() };
  }
  const told = (path: string, last: Checkpoint): string[] => {
    const { findings, found } = verifyLog(path, { checkpoints: [last], keys: [key] });
    assert.equal(found, findings.length);
    return findings.map(({ kind, says }) => `${kind}: ${says}`);
  };

  test("the first lines taken away: not once more for each checkpoint that names a log which nothing else names any more", async (t) => {
    const { path, last } = await signedLog(t, 10);
    edit(path, (lines) => lines.slice(3));
    assert.deepEqual(told(path, last), [
      "missing: records 1 to 3 are not there, and the log does not say that they were removed",
    ]);
    const { log, outside, checkpoints } = verifyLog(path, { checkpoints: [last], keys: [key] });
    assert.deepEqual([log, outside, checkpoints.count], [last.log, 1, 10]);
  });

  test("a history that was written anew: the first checkpoint that it does not fit, and how many more", async (t) => {
    const { path, last } = await signedLog(t, 10);
    const chain = createChain({ seq: 0, chain: Buffer.alloc(32) });
    edit(path, (lines) =>
      lines.map((line) =>
        chain.link(`${line.replace('"id":"2-1"', '"id":"X"').replace(/,"seq":.*$/, "")}}\n`).trimEnd(),
      ),
    );
    assert.deepEqual(told(path, last), [
      "checkpoint: the checkpoint in record 19 says of record 18 what the log does not: it was changed (and 8 more like it)",
    ]);
  });

  test("records that were copied together, or moved together", async (t) => {
    const { path, last } = await signedLog(t, 5);
    const genuine = linesOf(path);
    edit(path, (lines) => lines.toSpliced(20, 0, ...lines.slice(3, 7)));
    assert.deepEqual(told(path, last), ["doubled: records 4 to 7 stand twice: once more after record 20"]);
    edit(path, () => genuine.toSpliced(3, 4).toSpliced(16, 0, ...genuine.slice(3, 7)));
    assert.deepEqual(told(path, last), ["moved: records 4 to 7 stand after record 20"]);
  });
});
