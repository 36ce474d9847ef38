import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Secret } from "../../shared/index.ts";
import { copyStore, testFolder, valueOf } from "../fixtures/test-vault.ts";
import type { KeySource } from "../types.ts";

const sealedIn = (file: string, column: "sealed" | "wrapped"): string[] => {
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare(`SELECT ${column} AS bytes FROM versions ORDER BY kind, name, version`).all();
  database.close();
  return rows.map(({ bytes }) => Buffer.from(bytes as Uint8Array).toString("hex"));
};

test("Between any two kinds of keys: the new one opens, the old one does not, and no value was sealed anew", async (t) => {
  const { create, open, options, newKey } = testFolder(t);
  const vault = await create();
  await vault.set("A_KEY", new Secret("1"), "ann");
  await vault.set("A_KEY", new Secret("2"), "ann");
  await vault.set("B_KEY", new Secret("3"), "ann");
  await vault.revoke("B_KEY", 1, "ann");
  const signer = vault.signingKey("release");
  const passphrase = { kind: "passphrase", passphrase: new Secret("some words") } as const;
  const credential = {
    kind: "credential",
    name: "next.key",
    directory: options.file.replace(/\/[^/]*$/, ""),
  } as const;
  newKey("next.key");
  let before: KeySource = options.kek;
  for (const next of [passphrase, credential, options.kek, options.kek, passphrase]) {
    const [sealed, wrapped] = [sealedIn(options.file, "sealed"), sealedIn(options.file, "wrapped")];
    // Two versions, the signing key and the witness's; of what was revoked nothing is left.
    assert.deepEqual(await vault.rewrap(next, "bob"), { wrapped: 4, taken: false });
    assert.deepEqual(sealedIn(options.file, "sealed"), sealed);
    for (const [index, bytes] of sealedIn(options.file, "wrapped").entries())
      assert.equal(bytes === wrapped[index], bytes === "", `row ${index}`);
    if (before.kind !== next.kind) await assert.rejects(open({ kek: before }), { code: "VAULT_KEY_WRONG" });
    const opened = await open({ kek: next });
    assert.deepEqual([valueOf(opened, "A_KEY"), valueOf(vault, "A_KEY")], ["2", "2"]);
    assert.deepEqual(opened.signingKey("release").publicKey, signer.publicKey);
    opened.close();
    before = next;
  }
});

test("Who leaks the old key with an old copy has the old values, and none that come later", async (t) => {
  const { create, open, options, newKey, path } = testFolder(t);
  const vault = await create();
  await vault.set("A_KEY", new Secret("old"), "ann");
  await vault.rewrap(newKey("next.key"), "ann");
  await vault.set("A_KEY", new Secret("new"), "ann");
  vault.close();
  copyStore(options.file, path("stolen.db"));
  await assert.rejects(open({ file: path("stolen.db") }), { code: "VAULT_KEY_WRONG" });
});

test("A process that has the store open takes the new key over, and the seal of it leaves the file", async (t) => {
  const { create, open, options, newKey } = testFolder(t);
  const vault = await create();
  await vault.set("A_KEY", new Secret("1"), "ann");
  const running = await open();
  const next = newKey("next.key");
  const changing = vault.rewrap(next, "ann", { handOverMs: 20_000 });
  // As a running vault does: it looks now and then whether something was written.
  const timer = setInterval(() => {
    if (running.changedSince()) assert.equal(valueOf(running, "A_KEY"), "1");
  }, 5);
  assert.deepEqual(await changing, { wrapped: 2, taken: true });
  clearInterval(timer);
  await running.set("A_KEY", new Secret("2"), "bob");
  assert.equal(valueOf(vault, "A_KEY"), "2");
  const database = new DatabaseSync(options.file, { readOnly: true });
  assert.deepEqual(Object.values(database.prepare("SELECT handover, handover_from FROM keys").get() ?? {}), [
    null,
    null,
  ]);
  database.close();
  assert.equal(valueOf(await open({ kek: next }), "A_KEY"), "2");
});

test("A key that nobody takes over is handed to nobody for longer than was said, and who comes late must open the store again", async (t) => {
  const { create, open, options, newKey } = testFolder(t);
  const vault = await create();
  await vault.set("A_KEY", new Secret("1"), "ann");
  const sleeping = await open();
  const next = newKey("next.key");
  assert.deepEqual(await vault.rewrap(next, "ann", { handOverMs: 60 }), { wrapped: 2, taken: false });
  assert.throws(() => sleeping.get("A_KEY"), { code: "VAULT_KEY_WRONG", message: /another key/ });
  await assert.rejects(sleeping.set("A_KEY", new Secret("2"), "bob"), { code: "VAULT_KEY_WRONG" });
  assert.equal(valueOf(await open({ kek: next }), "A_KEY"), "1");
  assert.ok(readFileSync(options.file).length > 0);
});

test("A key that can't be read changes nothing", async (t) => {
  const { create, open, path } = testFolder(t);
  const vault = await create();
  const before = vault.generation();
  await assert.rejects(vault.rewrap({ kind: "file", file: path("none.key") }, "ann"), {
    code: "VAULT_KEY_MISSING",
  });
  assert.equal(vault.generation(), before);
  (await open()).close();
});

for (const [clock, jumpMs] of [
  ["gone on", 60_001],
  ["been set back by days", -200_000_000],
] as const)
  test(`What a process left that was killed while it handed a key over is gone with the first opening when the clock has ${clock}`, async (t) => {
    const { create, open, options, newKey } = testFolder(t);
    const atMs = 1_000_000_000;
    const vault = await create({ now: () => atMs });
    const next = newKey("next.key");
    const waiting = vault.rewrap(next, "ann", { handOverMs: 1_000 });
    while (handOverIn(options.file) === null) await setImmediate();
    (await open({ kek: next, now: () => atMs + 60_000 })).close();
    assert.notEqual(handOverIn(options.file), null);
    (await open({ kek: next, now: () => atMs + jumpMs })).close();
    assert.equal(handOverIn(options.file), null);
    await waiting;
  });

function handOverIn(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare("SELECT handover FROM keys").get()?.handover;
  } finally {
    database.close();
  }
}
