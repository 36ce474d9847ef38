import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isCurtainwallError } from "../../shared/index.ts";
import { testFolder, valueOf } from "../fixtures/test-vault.ts";
import { randomInt } from "node:crypto";

const program = fileURLToPath(new URL("../fixtures/write-until-killed.ts", import.meta.url));
const rounds = Number(process.env.CURTAINWALL_KILLS ?? 50);

/** Runs the writer, kills it after a random number of confirmed writes and a random time, and gives all lines that it got out. */
async function runAndKill(args: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  const child = spawn(process.execPath, ["--conditions=curtainwall-source", program, ...args], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const killAt = randomInt(1, 8);
  const closed = once(child, "close");
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (lines.length !== killAt) continue;
    // Anywhere in the next write: a write takes about a millisecond.
    await delay(randomInt(0, 3));
    child.kill("SIGKILL");
  }
  const [code, signal] = (await closed) as [number | null, string | null];
  assert.deepEqual([code, signal], [null, "SIGKILL"], lines.join("\n"));
  assert.equal(lines[0], "ready");
  return lines.slice(1);
}

test(`${rounds} kills in the middle of writing: nothing that was confirmed is lost, and every store is whole`, async (t) => {
  const { create, open, options, path } = testFolder(t);
  const witness = { file: path("witness.json") };
  (await create({ witness })).close();
  let confirmed = 0;
  let all = 0;
  // Two at a time in turn, as there are two processors: the second of a pair writes another name into the same store.
  for (let round = 0; round < rounds; round += 2) {
    const names = ["A_KEY", "B_KEY"];
    const outputs = await Promise.all(
      names.map((name) => runAndKill([options.file, options.kek.file, name], { WITNESS_FILE: witness.file })),
    );
    const vault = await open({ witness });
    for (const [index, lines] of outputs.entries()) {
      const name = names[index] ?? "";
      const last = Number(lines.at(-1) ?? 0);
      const current = vault.list().find((secret) => secret.name === name)?.current?.version ?? 0;
      assert.ok(current >= last, `${name}: confirmed ${last}, stored ${current}`);
      if (current > 0) assert.equal(valueOf(vault, name), `value ${current} of ${name}`);
      all += lines.length;
      if (name === "A_KEY") confirmed = Math.max(confirmed, last);
    }
    vault.close();
  }
  assert.ok(all >= rounds, `${all} writes were confirmed`);
  t.diagnostic(`${all} confirmed writes, 0 lost; A_KEY reached version ${confirmed}`);
});

test("A kill in the middle of a change of key leaves the old key or the new one, never neither", async (t) => {
  const { create, open, options, newKey } = testFolder(t);
  const keys = [newKey("one.key"), newKey("two.key")] as const;
  const vault = await create();
  for (let count = 0; count < 30; count++)
    await vault.set(`N${count}`, Buffer.from(`value ${count}`), "the test");
  vault.close();
  let kek: { kind: "file"; file: string } = options.kek;
  for (let round = 0; round < rounds / 5; round++) {
    const lines = await runAndKill([options.file, kek.file, "rewrap", keys[0].file, keys[1].file]);
    const done = lines.length === 0 ? kek : keys[Number(lines.at(-1))];
    const next = lines.length === 0 ? keys[0] : keys[1 - Number(lines.at(-1))];
    const opening = [];
    for (const file of new Set([done?.file ?? "", next?.file ?? ""])) {
      const key = { kind: "file", file } as const;
      try {
        const opened = await open({ kek: key });
        for (let count = 0; count < 30; count++) assert.equal(valueOf(opened, `N${count}`), `value ${count}`);
        opened.close();
        opening.push(key);
      } catch (error) {
        assert.ok(isCurtainwallError(error, "VAULT_KEY_WRONG"), String(error));
      }
    }
    assert.equal(opening.length, 1, `round ${round}: ${lines.join(" ")}`);
    kek = opening[0] ?? kek;
  }
});
