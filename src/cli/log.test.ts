import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { formatRecord } from "../ledger/index.ts";
import { openLogFile } from "../ledger/node.ts";

const command = [
  "--conditions=curtainwall-source",
  fileURLToPath(new URL("./main.ts", import.meta.url)),
  "log",
];

function run(...args: string[]): { code: number | null; out: string; words: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, ...args], { encoding: "utf8" });
  return { code: status, out: stdout, words: stderr };
}

async function logOf(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-log-command-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "events.jsonl");
  await add(file, 5);
  return file;
}

async function add(file: string, count: number): Promise<void> {
  const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
  for (let number = 0; number < count; number++)
    log.append(
      formatRecord(
        {
          type: "gateway.request.refused",
          time: 1_800_000_000_000 + number * 60_000,
          id: `r${number}`,
          code: "GATEWAY_LIMIT_REACHED",
          status: 429,
          subject: number === 3 ? "\u001b[2J\r\nforged \u202e" : "alice",
        },
        "edge",
      ),
    );
  log.append(
    formatRecord({ type: "ledger.line.refused", time: 1_800_000_400_000, source: "edge" }, "ledger"),
  );
  await log.close();
}

test("verify says of a whole log that it is, and of a changed one what was changed, by its exit code too", async (t) => {
  const file = await logOf(t);
  const whole = run("verify", file);
  assert.equal(whole.code, 0, whole.words);
  assert.match(whole.out, /^log [\w-]{22}: records 1 to 7$/m);
  assert.match(whole.words, /--checkpoint/);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('"id":"r2","code":"GATEWAY', '"id":"r2","code":"OTHER'));
  const changed = run("verify", file);
  assert.equal(changed.code, 1);
  assert.match(changed.out, /^changed {4}events\.jsonl:4 {2}record 4 does not follow/m);
  const { findings } = JSON.parse(run("verify", file, "--json").out) as {
    findings: { kind: string; seq: number }[];
  };
  assert.deepEqual(
    findings.map(({ kind, seq }) => [kind, seq]),
    [["changed", 4]],
  );
  writeFileSync(file, formatRecord({ type: "stack.stopped", time: 0 }, "supervisor"));
  const old = run("verify", file);
  assert.deepEqual([old.code, /no record is chained/.test(old.words)], [1, true]);
});

test("what nobody wrote into the chain is named by verify, and marked where records are shown", async (t) => {
  const file = await logOf(t);
  const forged = JSON.stringify({
    time: "2027-01-15T08:00:00.000Z",
    source: "edge",
    severity: "notice",
    event: "forged",
  });
  appendFileSync(file, `${forged}\n${forged}`);
  const { code, out } = run("verify", file);
  assert.equal(code, 1);
  assert.match(out, /^foreign .* bytes after record 7 are no record$/m);
  for (const action of ["query", "tail"]) {
    const shown = run(action, file).out.trimEnd().split("\n");
    assert.equal(shown.length, 8);
    assert.match(shown.at(-1) ?? "", /^NOT IN THE CHAIN 2027/);
    const marked = run(action, file, "--json").out.trimEnd().split("\n");
    assert.deepEqual(
      marked.map((line) => (JSON.parse(line) as { unchained?: boolean }).unchained === true),
      [...Array<boolean>(7).fill(false), true],
    );
  }
  writeFileSync(file, readFileSync(file, "utf8").split(`${forged}\n`)[0] + forged);
  const unfinished = run("verify", file);
  assert.equal(unfinished.code, 0);
  assert.match(unfinished.out, /^\d+ bytes in events\.jsonl:8 are an unfinished line, in no chain/m);
  assert.match(unfinished.out, /^7 records carry no signature yet/m);
  assert.equal(run("query", file).out.trimEnd().split("\n").length, 7);
});

test("query finds by event, severity, source, time, route and id, and prints nothing that drives a terminal", async (t) => {
  const file = await logOf(t);
  const ids = (...args: string[]): string[] =>
    run("query", file, "--json", ...args)
      .out.trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { id?: string; event: string })
      .map(({ id, event }) => id ?? event);
  assert.deepEqual(ids("--id", "r2"), ["r2"]);
  assert.deepEqual(ids("--severity", "alert"), ["ledger.line.refused"]);
  assert.deepEqual(ids("--source", "ledger", "--event", "ledger.line.*,nothing"), ["ledger.line.refused"]);
  assert.deepEqual(
    ids("--event", "gateway.*", "--since", "2027-01-15T08:01:00Z", "--until", "2027-01-15T08:03:00Z"),
    ["r1", "r2"],
  );
  assert.deepEqual(ids("--route", "GET /nothing"), []);
  // What somebody writes into the log himself is no safer than the log.
  appendFileSync(
    file,
    `${JSON.stringify({ time: "\u001b[31m", source: "edge", severity: "x\u009b", event: "a\nb", "\u202e": "\u2028" })}\n`,
  );
  for (const args of [
    ["query", file],
    ["query", file, "--json"],
    ["tail", file],
  ]) {
    const { out, code } = run(...args);
    assert.equal(code, 0);
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/);
    assert.equal(
      out
        .trimEnd()
        .split("\n")
        .filter((line) => line.startsWith("forged")).length,
      0,
    );
  }
});

test("what was misspelt is told with what would be right", async (t) => {
  const file = await logOf(t);
  for (const [args, says] of [
    [["query", file, "--severity", "grave"], /notice, warning or alert/],
    [["query", file, "--since", "yesterday"], /--since 15m/],
    [["verify", file, "--checkpoint", `${file}.none`], /There is no/],
    [["verify", file, "--checkpoint", file], /is no checkpoint/],
    [["vrify", file], /There is no "log vrify"/],
    [["tail", file, "--lines", "-1"], /argument|--lines/],
    [["verify", file, "--key", "ed25519:short"], /--key takes a public key/],
  ] as const) {
    const { code, words } = run(...args);
    assert.equal(code, 2, words);
    assert.match(words, says);
  }
});

test("tail --follow goes on with what is written, into a new file too, and tells nothing twice", async (t) => {
  const file = await logOf(t);
  const child = spawn(process.execPath, [...command, "tail", file, "--follow", "--lines", "2", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const seen: number[] = [];
  let rest = "";
  const sees = (wanted: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!seen.includes(wanted)) return;
        child.stdout.off("data", look);
        resolve();
      };
      child.stdout.on("data", look);
      look();
    });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) seen.push((JSON.parse(line) as { seq: number }).seq);
  });
  await sees(7);
  await add(file, 1);
  await sees(9);
  renameSync(file, `${file}.1`);
  await add(file, 1);
  await sees(12);
  child.kill("SIGTERM");
  await new Promise((resolve) => child.once("exit", resolve));
  assert.deepEqual(seen, [6, 7, 8, 9, 10, 11, 12]);
});
