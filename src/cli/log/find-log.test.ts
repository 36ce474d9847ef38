import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { command } from "../../../test/support/command.ts";
import { formatRecord } from "../../ledger/index.ts";
import { openLogFile } from "../../ledger/node.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { commandHelp, helpedCommand } from "../command-help.ts";
import { findLog } from "./find-log.ts";
import { logCommand } from "./log.ts";

function run(folder: string, ...args: string[]): { code: number | null; out: string; words: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, "log", ...args], {
    encoding: "utf8",
    cwd: folder,
  });
  return { code: status, out: stdout, words: stderr };
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-find-log-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a file from elsewhere is read and never run, whatever it is called", async (t) => {
  const folder = folderOf(t);
  const ran = join(folder, "ran");
  const code = `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(ran)}, "");\nexport default {};\n`;
  for (const name of [
    "log.js",
    "log.ts",
    "log.mjs",
    "log.cjs",
    "log",
    "log.json",
    "curtainwall.config.js.bak",
  ]) {
    writeFileSync(join(folder, name), code);
    await assert.rejects(findLog(join(folder, name)), (error) => {
      assert.ok(isCurtainwallError(error, "CLI_USAGE_INVALID"), String(error));
      assert.match(error.message, /is no log/);
      return true;
    });
  }
  const { code: exit, words } = run(folder, "verify", "log.ts");
  assert.equal(exit, 2, words);
  assert.match(words, /^CLI_USAGE_INVALID {2}log\.ts is no log/);
  assert.equal(existsSync(ran), false);
});

test("a log is known by what it holds, under another name and as a rotated file too", async (t) => {
  const folder = folderOf(t);
  const file = join(folder, "events.jsonl");
  const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
  log.append(
    formatRecord({ type: "ledger.line.refused", time: 1_800_000_400_000, source: "edge" }, "ledger"),
  );
  await log.close();
  for (const name of ["of-tuesday", "of-tuesday.ts", "events.jsonl.1"]) {
    const copy = join(folder, name);
    copyFileSync(file, copy);
    const found = await findLog(copy);
    assert.deepEqual(found, {
      file: copy,
      last: undefined,
      witnessed: undefined,
      flood: undefined,
      hasWitness: false,
      keptBytes: undefined,
      routes: [],
    });
  }
});

test("each action says of itself what it takes", () => {
  const help = (...args: string[]): string => commandHelp(helpedCommand(logCommand, args));
  assert.match(help("verify", "--help"), /^Usage: curtainwall log verify \[folder or file\]/);
  assert.match(help("--help", "verify"), /--checkpoint[\s\S]*--key/);
  assert.doesNotMatch(help("verify"), /--follow|--since/);
  assert.match(help("tail"), /--follow[\s\S]*--since/);
  assert.doesNotMatch(help("query"), /--follow|--checkpoint/);
  assert.match(help("--help"), /log verify --help/);
});
