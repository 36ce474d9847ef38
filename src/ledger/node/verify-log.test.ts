import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, readFileSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { verifyLog } from "./verify-log.ts";
import { edit, key, kinds, linesOf, place, refused, signed, write } from "./fixtures/test-log.ts";

suite("a log that nobody touched", () => {
  test("follows from its first record to its last, over restarts and files, and a checkpoint of it holds", async (t) => {
    const path = place(t);
    await write(path, 30);
    const middle = signed(await write(path, 30));
    const end = signed(await write(path, 200, { maxFileBytes: 8000, keepFiles: 99 }));
    const verdict = verifyLog(path, { checkpoints: [middle, end], keys: [key] });
    assert.deepEqual(verdict.findings, []);
    assert.deepEqual(
      [verdict.log, verdict.first, verdict.last, verdict.head, verdict.outside, verdict.before],
      [end.log, 1, end.through, end.head, 2, 0],
    );
    assert.ok(readdirSync(join(path, "..")).length > 4);
  });

  test("may have given up its oldest files: the chain says which before they go", async (t) => {
    const path = place(t);
    await write(path, 300, { maxFileBytes: 8000, keepFiles: 2 });
    await write(path, 300, { maxFileBytes: 8000, keepFiles: 3 });
    // Fewer are kept than before: several go at once.
    await write(path, 100, { maxFileBytes: 8000, keepFiles: 1 });
    const verdict = verifyLog(path);
    assert.deepEqual(verdict.findings, []);
    assert.ok(verdict.first > 500 && verdict.last > 700);
    assert.equal(readdirSync(join(path, "..")).length, 2);
  });

  test("may have been cut short by a crash anywhere: what was left is accounted for, whatever it was", async (t) => {
    const path = place(t);
    await write(path, 20);
    const bytes = readFileSync(path);
    const lastLine = bytes.subarray(0, -1).lastIndexOf(10) + 1;
    for (let at = lastLine; at <= bytes.length; at += 7) {
      writeFileSync(path, bytes.subarray(0, at));
      assert.deepEqual(verifyLog(path).findings, [], `as the crash left it, after ${at} bytes`);
      await write(path, 2);
      appendFileSync(path, bytes.subarray(lastLine, lastLine + 30));
      await write(path, 2);
      assert.deepEqual(verifyLog(path).findings, [], `gone on with, after ${at} bytes`);
    }
  });

  test("may begin as an older version wrote it, without a chain: that is told, and the lines stay", async (t) => {
    const path = place(t);
    writeFileSync(`${path}.1`, refused("older").repeat(3));
    writeFileSync(path, refused("old").repeat(7));
    await write(path, 5);
    const verdict = verifyLog(path);
    assert.deepEqual([verdict.findings, verdict.before, verdict.first, verdict.last], [[], 10, 1, 6]);
    assert.equal(linesOf(path).filter((line) => line.includes('"old"')).length, 7);
    // From the chain's beginning on they are covered too, those of the same file.
    edit(path, (lines) => lines.toSpliced(3, 1));
    assert.deepEqual(kinds(verifyLog(path).findings), ["foreign"]);
  });

  test("is not there, or has no chain at all: the one is an error, the other is told", (t) => {
    const path = place(t);
    assert.throws(() => verifyLog(path), { code: "LEDGER_FILE_UNUSABLE" });
    writeFileSync(path, refused("old"));
    const { log, first, last, before } = verifyLog(path);
    assert.deepEqual([log, first, last, before], [undefined, 0, 0, 1]);
  });
});
suite("a line that is longer than any record", () => {
  const length = 400 * 1_048_576;

  test("is named by what follows it if a crash left it, and is found if not", async (t) => {
    const path = place(t);
    await write(path, 3);
    appendFileSync(path, Buffer.alloc(3 * 1_048_576, "x"));
    const { unfinished, findings: none } = verifyLog(path);
    assert.deepEqual([unfinished?.bytes, unfinished?.line, none], [3 * 1_048_576, 5, []]);
    await write(path, 3);
    assert.deepEqual(verifyLog(path).findings, []);
    edit(path, (lines) => lines.map((line) => (line.startsWith("x") ? `x${line}` : line)));
    const [found, ...more] = verifyLog(path).findings;
    assert.deepEqual([found?.kind, found?.line, found?.seq, more], ["foreign", 5, 5, []]);
  });

  test("takes no more memory than another", (t) => {
    const path = place(t);
    writeFileSync(path, "");
    truncateSync(path, length);
    const script = `
      const { verifyLog } = await import(${JSON.stringify(new URL("verify-log.ts", import.meta.url))});
      const { before } = verifyLog(${JSON.stringify(path)});
      console.log(before, process.resourceUsage().maxRSS * 1024);`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--conditions=curtainwall-source", "--input-type=module", "-e", script],
      { encoding: "utf8" },
    );
    const [before, bytes = Infinity] = stdout.split(" ").map(Number);
    assert.equal(before, 1, stderr);
    assert.ok(bytes < length, `${bytes}`);
  });
});

test("what was given up is told with who says so, when, and how much came after; nothing is where nothing was", async (t) => {
  const path = place(t);
  await write(path, 30);
  assert.equal(verifyLog(path).givenUp, undefined);
  const timed = { maxFileBytes: 8000, keepFiles: 2, now: () => 1_800_000_000_000 };
  await write(path, 300, timed);
  const { givenUp, first, findings } = verifyLog(path);
  assert.deepEqual([givenUp?.through, givenUp?.time, findings], [first - 1, "2027-01-15T08:00:00.000Z", []]);
  assert.ok((givenUp?.saidBy ?? 0) > first);
  assert.ok((givenUp?.followedBy ?? 0) >= 16_000, JSON.stringify(givenUp));
});
