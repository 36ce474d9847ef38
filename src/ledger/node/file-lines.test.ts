import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { formatRecord } from "../record.ts";
import { fileLines } from "./file-lines.ts";
import { findRecord } from "./find-record.ts";
import { openLogFile } from "./log-file.ts";
import { readLog } from "./read-log.ts";

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-file-lines-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "events.jsonl");
}

test("a line that is longer than any record comes in parts, which are all of it; the last line may lack its end", async (t) => {
  const path = place(t);
  const long = "x".repeat(5_000_000);
  writeFileSync(path, `one\n\n${long}\nfour\nfi`);
  await using file = await open(path);
  const pieces = await Array.fromAsync(fileLines(file));
  const parts = pieces.filter(({ kind }) => kind === "part");
  assert.equal(parts.map(({ bytes }) => bytes.toString()).join(""), long);
  assert.ok(parts.length > 2);
  assert.deepEqual(
    pieces.filter(({ kind }) => kind !== "part").map(({ bytes, kind }) => [bytes.toString(), kind]),
    [
      ["one", "line"],
      ["", "line"],
      ["four", "line"],
      ["fi", "rest"],
    ],
  );
});

test("no part of a line is taken for a record, not one that looks like the next", async (t) => {
  const path = place(t);
  const write = async (): Promise<void> => {
    const log = openLogFile({ path, onError: (error) => assert.fail(error) });
    log.append(formatRecord({ type: "gateway.request.refused", time: 0, id: "wanted" }, "edge"));
    await log.close();
  };
  await write();
  const text = readFileSync(path, "utf8");
  const last = text.slice(text.slice(0, -1).lastIndexOf("\n") + 1);
  const before = text.slice(0, -last.length);
  // Wherever a part ends: one of these begins with the record.
  for (let bytes = 262_144; bytes < 2_500_000; bytes += 262_144) {
    writeFileSync(path, `${before}${"x".repeat(bytes - before.length)}${last}`);
    if (bytes < 1_048_576) continue;
    assert.deepEqual(
      (await Array.fromAsync(readLog(path))).map(({ id }) => id),
      [undefined],
      `${bytes}`,
    );
    assert.equal(await findRecord(path, "wanted"), undefined);
  }
});

test("a log of one long line takes no more memory than another to be asked, followed and looked through", (t) => {
  const path = place(t);
  writeFileSync(path, "");
  const length = 400 * 1_048_576;
  truncateSync(path, length);
  appendFileSync(path, "\n");
  const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const script = `
    const { readLog } = await import(${url("./read-log.ts")});
    const { findRecord } = await import(${url("./find-record.ts")});
    const { readRecords } = await import(${url("./read-records.ts")});
    const { lastRecords } = await import(${url("./last-records.ts")});
    const { logLines } = await import(${url("./log-lines.ts")});
    const path = ${JSON.stringify(path)};
    let bytes = 0;
    for await (const line of logLines(path)) bytes += line.length;
    const found = [...await Array.fromAsync(readLog(path)), ...await Array.fromAsync(readRecords(path, ["a"])), ...lastRecords(path, 5), await findRecord(path, "a")];
    console.log(bytes, found.length, process.resourceUsage().maxRSS * 1024);`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=curtainwall-source", "--input-type=module", "-e", script],
    { encoding: "utf8" },
  );
  const [bytes, found, most = Infinity] = stdout.split(" ").map(Number);
  assert.deepEqual([bytes, found], [length, 1], stderr);
  assert.ok(most < length, `${most}`);
});
