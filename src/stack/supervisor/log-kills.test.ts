import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { readLog, verifyLog } from "../../ledger/node.ts";
import { readLastCheckpoint } from "./sign-checkpoints.ts";

/** How often it is killed. More of it, for who changes the ledger: `CURTAINWALL_KILLS=50`. */
const kills = Number(process.env["CURTAINWALL_KILLS"] ?? 6);

const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);

/** Writes as a ledger does, and signs as a supervisor does, each time that records are given up and in between; says what is on disk, and what was not signed. */
const program = `
  const { openLogFile } = await import(${url("../../ledger/node.ts")});
  const { formatRecord } = await import(${url("../../ledger/index.ts")});
  const { keyInFile } = await import(${url("./log-key.ts")});
  const { createCheckpointSigner } = await import(${url("./sign-checkpoints.ts")});
  const folders = { supervisor: process.env.PLACE + "/supervisor", logFile: process.env.PLACE + "/events.jsonl" };
  const keep = { maxFileBytes: 20_000, keepFiles: 3 };
  const signer = createCheckpointSigner({ folders, key: keyInFile(folders), keep });
  const say = (what) => new Promise((done) => process.stdout.write(what + "\\n", done));
  const log = openLogFile({ path: folders.logFile, ...keep, onError: (error) => say(error.message), beforeRemoval: sign });
  async function sign() {
    const { seq, chain } = log.head();
    const result = await signer.sign({ log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") });
    if (typeof result === "string") return say(result);
    log.append(formatRecord({ type: "ledger.checkpoint", time: Date.now(), ...result }, "ledger"));
  }
  const line = (id) => formatRecord({ type: "operator.action.begun", time: Date.now(), id: String(id), action: "test", target: "x".repeat(id % 200) }, "operator");
  await log.flush();
  for (let id = Number(process.env.FROM); ; id++) {
    // Others' events come at the same time, and are waited for by nobody.
    for (let other = 0; other < 40; other++) log.append(line(other).replace('"id":', '"note":'));
    await log.record(line(id));
    await say(String(id));
    if (id % 7 === 0) await sign();
  }`;

test("A ledger and its supervisor that are killed again and again under load, while the log comes round, lose no record that was confirmed, and raise no false alarm", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-kills-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const folders = { supervisor: join(folder, "supervisor"), logFile: join(folder, "events.jsonl") };
  let last = 0;
  for (let kill = 0; kill < kills; kill++) {
    const from = last + 1;
    const child = spawn(
      process.execPath,
      ["--conditions=curtainwall-source", "--input-type=module", "-e", program],
      { env: { ...process.env, PLACE: folder, FROM: String(from) }, stdio: ["ignore", "pipe", "inherit"] },
    );
    t.after(() => child.kill("SIGKILL"));
    const alarms: string[] = [];
    await new Promise<void>((enough) => {
      createInterface({ input: child.stdout }).on("line", (said) => {
        if (!/^\d+$/.test(said)) alarms.push(said);
        else last = Number(said);
        if (last - from > 20 + ((kill * 7) % 40) || alarms.length > 0) enough();
      });
      child.on("close", () => enough());
    });
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "close");
    assert.deepEqual(alarms, [], `kill ${kill}`);

    const there = (await Array.fromAsync(readLog(folders.logFile))).filter(
      ({ event }) => event === "operator.action.begun",
    );
    const ids = there.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]));
    // What the log came round over is gone; what was confirmed since is there.
    const [first = last] = ids;
    const expected = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    assert.deepEqual(
      ids.filter((id) => id <= last),
      expected,
      `kill ${kill}`,
    );
    const signed = readLastCheckpoint(folders) ?? assert.fail("nothing was signed");
    const verdict = verifyLog(folders.logFile, { checkpoints: [signed], keys: [signed.key] });
    assert.deepEqual([verdict.findings, verdict.untold], [[], []], `kill ${kill}`);
    assert.ok(kill < 2 || verdict.first > 1, "the log came round");
    // What it was about to say when it was killed counts as said.
    last = Math.max(last, ...ids);
  }
});
