import assert from "node:assert/strict";
import { chmodSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { needsRoot } from "../../../test/requires.ts";
import { Secret } from "../../shared/index.ts";
import { writeDocument } from "../export-document.ts";
import { copyStore, testFolder, valueOf } from "../fixtures/test-vault.ts";
import { keptVersions, maxNames, maxValueBytes } from "../names.ts";
import { encryptFor } from "./age.ts";

test("A value that was set is given back, by any process that opens the store with its key", async (t) => {
  const { create, open } = testFolder(t);
  const vault = await create({ now: () => 1_000 });
  const info = await vault.set("DELIVERY_KEY", new Secret("first"), "ann");
  assert.deepEqual(info, {
    name: "DELIVERY_KEY",
    version: 1,
    state: "current",
    createdMs: 1_000,
    by: "ann",
    changedMs: 1_000,
    changedBy: "ann",
  });
  await vault.set("DELIVERY_KEY", Buffer.from([0, 255, 10, 0]), "bob");
  vault.close();
  const again = await open();
  assert.deepEqual(again.get("DELIVERY_KEY")?.value, Buffer.from([0, 255, 10, 0]));
  assert.deepEqual(again.get("DELIVERY_KEY", 1)?.value, Buffer.from("first"));
  assert.equal(again.get("OTHER_KEY"), undefined);
  assert.deepEqual(
    again.history("DELIVERY_KEY").map(({ version, state, by, changedBy }) => [version, state, by, changedBy]),
    [
      [2, "current", "bob", "bob"],
      [1, "previous", "ann", "bob"],
    ],
  );
  assert.deepEqual(
    again.list().map(({ name, current, versions }) => [name, current?.version, versions]),
    [["DELIVERY_KEY", 2, 2]],
  );
});

test("A revoked version gives nothing any more, its number is not used again, and its sealed bytes are gone from the file", async (t) => {
  const { create, options } = testFolder(t);
  const vault = await create();
  await vault.set("MAIL_KEY", new Secret("one"), "ann");
  await vault.set("MAIL_KEY", new Secret("two"), "ann");
  const database = new DatabaseSync(options.file, { readOnly: true });
  const sealed = database
    .prepare("SELECT sealed, wrapped FROM versions WHERE kind = 'secret'")
    .all()
    .flatMap((row) => Object.values(row) as Uint8Array[]);
  database.close();
  assert.equal(sealed.length, 4);

  assert.deepEqual(
    (await vault.revoke("MAIL_KEY", 1, "bob")).map(({ version, state, changedBy }) => [
      version,
      state,
      changedBy,
    ]),
    [[1, "revoked", "bob"]],
  );
  assert.equal(valueOf(vault, "MAIL_KEY"), "two");
  assert.throws(() => vault.get("MAIL_KEY", 1), { code: "VAULT_VERSION_REVOKED" });
  assert.equal((await vault.revoke("MAIL_KEY", "all", "bob")).length, 1);
  assert.equal(vault.get("MAIL_KEY"), undefined);
  assert.equal(vault.list()[0]?.current, undefined);
  assert.equal((await vault.set("MAIL_KEY", new Secret("three"), "ann")).version, 3);
  await assert.rejects(vault.revoke("MAIL_KEY", 9, "bob"), { code: "VAULT_VERSION_UNKNOWN" });
  await assert.rejects(vault.revoke("NO_KEY", "all", "bob"), { code: "VAULT_VERSION_UNKNOWN" });

  for (const file of [options.file, `${options.file}-wal`])
    for (const part of sealed) assert.equal(readFileSync(file).includes(part), false);
});

test("What is no name or value is refused and not repeated; a store and a history do not grow without end", async (t) => {
  const { create } = testFolder(t);
  const vault = await create();
  const mixedUp = "sk-not-a-real-value-just-a-test";
  for (const wrong of [mixedUp, "", "lower", "A".repeat(65), "A-B", "__proto__", "A\n"]) {
    await assert.rejects(vault.set(wrong, new Secret("x"), "ann"), (error: Error) => {
      assert.equal((error as { code?: string }).code, "VAULT_NAME_INVALID");
      return wrong === "" || !JSON.stringify([error, error.message, error.stack]).includes(mixedUp);
    });
    assert.throws(() => vault.get(wrong), { code: "VAULT_NAME_INVALID" });
  }
  await assert.rejects(vault.set("A", new Secret(""), "ann"), { code: "VAULT_VALUE_INVALID" });
  await assert.rejects(vault.set("A", new Uint8Array(maxValueBytes + 1), "ann"), {
    code: "VAULT_VALUE_INVALID",
  });
  await vault.set("A", new Uint8Array(maxValueBytes).fill(7), "ann");
  for (let count = 0; count < keptVersions + 5; count++) await vault.set("B", new Secret(`${count}`), "ann");
  const history = vault.history("B");
  assert.deepEqual([history.length, history[0]?.version], [keptVersions, keptVersions + 5]);
  assert.throws(() => vault.get("B", 5), { code: "VAULT_VERSION_UNKNOWN" });
});

test("A store takes so many names and no more, and goes on with those that it has", async (t) => {
  const { create } = testFolder(t);
  const vault = await create();
  const identity = await generateIdentity();
  const secrets = Array.from({ length: maxNames }, (_, index) => ({
    name: `N${index}`,
    version: 1,
    value: Buffer.from("x"),
  }));
  const from = { project: vault.project, environment: vault.environment, exportedMs: 0 };
  const file = await encryptFor([await identityToRecipient(identity)], writeDocument({ ...from, secrets }));
  await (await vault.import(file, new Secret(identity))).apply("ann");
  await assert.rejects(vault.set("ONE_MORE", new Secret("x"), "ann"), { code: "VAULT_LIMIT_EXCEEDED" });
  assert.equal((await vault.set("N0", new Secret("y"), "ann")).version, 2);
  assert.equal(vault.list().length, maxNames);
});

test("Another environment's or project's store is refused by name, and another key by its commitment", async (t) => {
  const { create, open, newKey, options } = testFolder(t);
  (await create()).close();
  await assert.rejects(open({ environment: "development" }), {
    code: "VAULT_FOREIGN",
    message: /production/,
  });
  await assert.rejects(open({ project: "shop" }), { code: "VAULT_FOREIGN", message: /bakery/ });
  await assert.rejects(open({ kek: newKey("other.key") }), {
    code: "VAULT_KEY_WRONG",
    hint: /After a rewrap the contract names the new one: {2}vault: \{ key: …/,
  });
  await assert.rejects(open({ kek: { kind: "passphrase", passphrase: new Secret("x") } }), {
    code: "VAULT_KEY_WRONG",
    message: /opened by a file/,
  });
  await assert.rejects(create(), { code: "VAULT_EXISTS" });
  (await open()).close();
  const vault = await open();
  await vault.set("A", new Secret("x"), "ann");
  for (const ending of ["", "-wal", "-shm"])
    assert.equal(statSync(options.file + ending).mode & 0o777, 0o600, ending);
});

test("One key file gives two stores two keys: neither opens with what the other remembers", async (t) => {
  const { create, options, path } = testFolder(t);
  (await create()).close();
  (await create({ file: path("two.db"), environment: "development" })).close();
  const commitments = [options.file, path("two.db")].map((file) => {
    const database = new DatabaseSync(file, { readOnly: true });
    const row = database.prepare("SELECT id, salt, commitment FROM keys").get();
    database.close();
    return Object.values(row ?? {}).map(String);
  });
  for (const index of [0, 1, 2]) assert.notEqual(commitments[0]?.[index], commitments[1]?.[index]);
});

test("A store that others may read, a symbolic link and a folder are not opened", async (t) => {
  const { create, open, options, path } = testFolder(t);
  await assert.rejects(open(), { code: "VAULT_MISSING" });
  (await create()).close();
  chmodSync(options.file, 0o640);
  await assert.rejects(open(), { code: "VAULT_EXPOSED" });
  chmodSync(options.file, 0o600);
  symlinkSync(options.file, path("link.db"));
  await assert.rejects(open({ file: path("link.db") }), { code: "VAULT_EXPOSED" });
  await assert.rejects(open({ file: path(".") }), { code: "VAULT_EXPOSED" });
  (await open()).close();
});

test("A store that is moved away or replaced while it is open takes no more writes: they would be lost", async (t) => {
  const { create, open, options, path } = testFolder(t);
  const vault = await create();
  await vault.set("A", new Secret("1"), "ann");
  renameSync(options.file, path("away.db"));
  await assert.rejects(vault.set("A", new Secret("2"), "ann"), { code: "VAULT_REPLACED" });
  assert.throws(() => vault.get("A"), { code: "VAULT_REPLACED" });
  writeFileSync(options.file, "", { mode: 0o600 });
  await assert.rejects(vault.set("A", new Secret("2"), "ann"), { code: "VAULT_REPLACED" });
  renameSync(path("away.db"), options.file);
  await vault.set("A", new Secret("3"), "ann");
  vault.close();
  assert.equal(valueOf(await open(), "A"), "3");
});

test("A store that root opened is used on by a user who can't reach it any more", needsRoot, async (t) => {
  const { create, open, folder } = testFolder(t);
  const vault = await create();
  await vault.set("A", new Secret("1"), "ann");
  chmodSync(folder, 0o700);
  process.seteuid?.(65_534);
  try {
    assert.equal(valueOf(vault, "A"), "1");
    await vault.set("A", new Secret("2"), "ann");
    await vault.revoke("A", 1, "ann");
  } finally {
    process.seteuid?.(0);
  }
  vault.close();
  assert.equal(valueOf(await open(), "A"), "2");
});

test("A copy that is made while the store is open, brought back with its log, is the store of then", async (t) => {
  const { create, open, options, path } = testFolder(t);
  const vault = await create();
  await vault.set("A", new Secret("1"), "ann");
  copyStore(options.file, path("copy.db"));
  await vault.set("A", new Secret("2"), "ann");
  assert.equal(valueOf(await open({ file: path("copy.db") }), "A"), "1");
});

test("A closed store says so", async (t) => {
  const { create } = testFolder(t);
  const vault = await create();
  vault.close();
  vault.close();
  assert.throws(() => vault.get("A"), { code: "VAULT_CLOSED" });
  await assert.rejects(vault.set("A", new Secret("1"), "ann"), { code: "VAULT_CLOSED" });
  assert.throws(() => vault.changedSince(), { code: "VAULT_CLOSED" });
});
