import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Secret } from "../../shared/index.ts";
import { testFolder, valueOf } from "../fixtures/test-vault.ts";

const program = fileURLToPath(new URL("../fixtures/write-many.ts", import.meta.url));
const run = promisify(execFile);

test("Three processes write and read at once: each write is kept, in each name's order, and no reading meets a half", async (t) => {
  const { create, options } = testFolder(t);
  const vault = await create();
  const names = ["A_KEY", "A_KEY", "B_KEY"];
  const args = (name: string) => [
    "--conditions=curtainwall-source",
    program,
    options.file,
    options.kek.file,
    name,
    "15",
  ];
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const outputs = await Promise.all(names.map((name) => run(process.execPath, args(name), { env })));
  const versions = outputs.map(({ stdout }) => stdout.trim().split("\n").map(Number));
  const ofA = [...(versions[0] ?? []), ...(versions[1] ?? [])].sort((one, other) => one - other);
  assert.deepEqual(
    ofA,
    Array.from({ length: 30 }, (_, index) => index + 1),
  );
  assert.deepEqual(
    versions[2],
    Array.from({ length: 15 }, (_, index) => index + 1),
  );
  assert.ok(vault.changedSince());
  assert.equal(vault.changedSince(), false);
  assert.deepEqual(
    vault.list().map(({ current }) => current?.version),
    [30, 15],
  );
  assert.equal(vault.generation(), 46);
});

test("A change of one's own is none of another process, and one of another is told once", async (t) => {
  const { create, open } = testFolder(t);
  const one = await create();
  const two = await open();
  await one.set("A_KEY", new Secret("1"), "ann");
  assert.deepEqual([one.changedSince(), two.changedSince(), two.changedSince()], [false, true, false]);
});

test("Who reads is not kept waiting by who writes, and who writes waits for so long and then says so", async (t) => {
  const { create, open, options } = testFolder(t);
  const vault = await create();
  await vault.set("A_KEY", new Secret("1"), "ann");
  const hasty = await open({ timeoutMs: 50 });
  const hanging = new DatabaseSync(options.file);
  hanging.exec("BEGIN IMMEDIATE");
  assert.equal(valueOf(hasty, "A_KEY"), "1");
  await assert.rejects(hasty.set("A_KEY", new Secret("2"), "ann"), { code: "VAULT_BUSY" });
  await assert.rejects(hasty.revoke("A_KEY", "all", "ann"), { code: "VAULT_BUSY" });
  hanging.exec("ROLLBACK");
  hanging.close();
  assert.equal((await hasty.set("A_KEY", new Secret("3"), "ann")).version, 2);
});
