import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { readsOfVault } from "./vault-reads.ts";

function logOf(context: TestContext, ...records: readonly Record<string, unknown>[]): string {
  const folder = mkdtempSync(join(tmpdir(), "cw-vault-reads-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "events.jsonl");
  const time = "2026-11-22T00:00:00.000Z";
  writeFileSync(file, records.map((record) => `${JSON.stringify({ time, ...record })}\n`).join(""));
  return file;
}

const started = { event: "stack.started" };
const read = { event: "vault.secret.read", name: "KEY", count: 2 };
const used = { event: "egress.used", secret: "KEY", count: 3 };
const taken = { event: "webhook.accepted", secret: "TILL_KEY" };

suite("What the log says of the vault", () => {
  test("is counted by secret", async (context) => {
    const log = logOf(context, started, read, used, read, taken);
    assert.deepEqual(await readsOfVault(log), {
      read: new Map([["KEY", 4]]),
      used: new Map([
        ["KEY", 3],
        ["TILL_KEY", 1],
      ]),
    });
  });

  test("is no older than the stack that runs: a vault that went silent is seen", async (context) => {
    const log = logOf(context, started, read, used, started, used);
    assert.deepEqual(await readsOfVault(log), { read: new Map(), used: new Map([["KEY", 3]]) });
  });

  test("is missing where the start was rotated out", async (context) => {
    assert.ok("missing" in (await readsOfVault(logOf(context, read, used))));
  });
});
