import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { formatRecord } from "../record.ts";
import { openLogFile } from "./log-file.ts";
import { readLog } from "./read-log.ts";
import { verifyLog } from "./verify-log.ts";

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-confirmed-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "events.jsonl");
}

/** Runs a program that has `record(id)`, which says a line once a record is on disk, or why it is not. */
function run(
  t: TestContext,
  path: string,
  body: string,
  command: readonly string[] = [process.execPath],
): ChildProcessByStdio<Writable, Readable, null> {
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { openLogFile } = await import(${module("./log-file.ts")});
    const { formatRecord } = await import(${module("../record.ts")});
    const log = openLogFile({ path: process.env.LOG, retryMs: 20, maxFileBytes: Number(process.env.MAX_FILE_BYTES ?? 1e9), keepFiles: 9999, onError: () => undefined });
    process.on("SIGXFSZ", () => undefined);
    const line = (id) => formatRecord({ type: "operator.action.begun", time: Date.now(), id: String(id), action: "test", target: "x".repeat(id % 200) }, "operator");
    const record = async (id) => {
      const said = await log.record(line(id)).then((seq) => "at " + seq, (error) => error.code);
      await new Promise((done) => process.stdout.write(id + " " + said + "\\n", done));
    };
    ${body}`;
  const [file = "", ...words] = command;
  const child = spawn(
    file,
    [...words, "--conditions=curtainwall-source", "--input-type=module", "-e", script],
    { env: { ...process.env, LOG: path }, stdio: ["pipe", "pipe", "inherit"] },
  );
  t.after(() => child.kill("SIGKILL"));
  return child;
}

async function idsIn(path: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const record of readLog(path))
    if ("id" in record) found.set(String(record["id"]), Number(record["seq"]));
  return found;
}

test("of a process that is killed again and again no record that was confirmed is lost, and the chain goes on whole", async (t) => {
  const path = place(t);
  process.env["MAX_FILE_BYTES"] = "20000";
  t.after(() => delete process.env["MAX_FILE_BYTES"]);
  const confirmed = new Map<string, number>();
  for (let round = 0; round < 8; round++) {
    const child = run(
      t,
      path,
      `for (let id = ${round * 100_000}; ; id += 3) {
        // Others' events come at the same time, and are waited for by nobody.
        for (let other = 0; other < 40; other++) log.append(line(other).replace('"id":', '"note":'));
        await Promise.all([record(id), record(id + 1), record(id + 2)]);
      }`,
    );
    let lines = 0;
    await new Promise<void>((enough) => {
      let rest = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        const said = (rest + text).split("\n");
        rest = said.pop() ?? "";
        for (const one of said) {
          const [, id = "", seq = ""] = /^(\d+) at (\d+)$/.exec(one) ?? [];
          confirmed.set(id, Number(seq));
          if (++lines >= 15 + round * 4) enough();
        }
      });
    });
    child.kill("SIGKILL");
    await once(child, "close");
  }
  const log = openLogFile({ path, onError: (error) => assert.fail(error) });
  await log.close();
  const there = await idsIn(path);
  assert.ok(confirmed.size > 200, `${confirmed.size} were confirmed`);
  for (const [id, seq] of confirmed) assert.equal(there.get(id), seq, `record ${id}`);
  const { findings, found } = verifyLog(path);
  assert.deepEqual([found, findings], [0, []]);
});

test("what can't be written is refused at once, also what comes while nothing can; once there is room it goes on", async (t) => {
  const path = place(t);
  // Units of 512 bytes: older lines leave room for a few hundred bytes.
  writeFileSync(path, `${"x".repeat(65_000)}\n`);
  const child = run(
    t,
    path,
    `for (let id = 0; id < 6; id++) await record(id);
    process.stdin.once("data", async () => {
      await log.flush();
      await record(7);
      await log.close();
    });`,
    ["sh", "-c", 'ulimit -S -f 128; exec "$0" "$@"', process.execPath],
  );
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  while (!said.includes("5 ")) await once(child.stdout, "data");
  assert.match(said, /^0 at 2\n/);
  assert.match(said, /^5 LEDGER_WRITE_FAILED$/m);
  const before = readFileSync(path);
  truncateSync(path, 0);
  child.stdin.end("go\n");
  await once(child, "close");
  assert.match(said, /^7 at \d+$/m);
  writeFileSync(path, Buffer.concat([before, readFileSync(path)]));
  const { findings, found } = verifyLog(path);
  assert.deepEqual([found, findings], [0, []]);
});

test("a record's number is its own, and a closed log takes none", async (t) => {
  const log = openLogFile({ path: place(t), onError: (error) => assert.fail(error) });
  const line = formatRecord({ type: "stack.stopped", time: 0 }, "supervisor");
  const [first, second] = [log.record(line), log.record(line)];
  assert.deepEqual([await first, await second], [2, 3]);
  await log.close();
  await assert.rejects(log.record(line), { code: "LEDGER_WRITE_FAILED" });
});
