import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Secret } from "../../shared/index.ts";
import { copyStore, testFolder, valueOf } from "../fixtures/test-vault.ts";

test("An older copy of the whole store is refused by its witness, and without one it opens", async (t) => {
  const { create, open, options, path } = testFolder(t);
  const witness = { file: path("elsewhere/witness.json") };
  const vault = await create({ witness });
  await vault.set("A_KEY", new Secret("stolen"), "ann");
  vault.close();
  copyStore(options.file, path("older.db"));
  const later = await open({ witness });
  await later.revoke("A_KEY", "all", "ann");
  later.close();
  copyStore(path("older.db"), options.file);
  await assert.rejects(open({ witness }), { code: "VAULT_ROLLED_BACK" });
  // What has no witness can't know: this is what the documentation says of it.
  const blind = await open({ witness: { insecureForget: "to see it" } });
  assert.equal(valueOf(blind, "A_KEY"), "stolen");
});

test("Honest starts, crashes and several processes are let through: a witness that is behind is brought up", async (t) => {
  const { create, open, path } = testFolder(t);
  const witness = { file: path("witness.json") };
  const one = await create({ witness });
  const early = readFileSync(witness.file);
  const two = await open({ witness });
  await one.set("A_KEY", new Secret("1"), "ann");
  await two.set("A_KEY", new Secret("2"), "bob");
  await one.set("B_KEY", new Secret("1"), "ann");
  one.close();
  two.close();
  (await open({ witness })).close();
  // A process that was killed between the store and its witness.
  writeFileSync(witness.file, early);
  const again = await open({ witness });
  assert.equal(valueOf(again, "A_KEY"), "2");
  again.close();
  assert.equal(
    (JSON.parse(readFileSync(witness.file, "utf8")) as { generation: number }).generation,
    (await open({ witness })).generation(),
  );
});

test("Another branch of the same length is refused: one copy was written to while the other was witnessed", async (t) => {
  const { create, open, options, path } = testFolder(t);
  const witness = { file: path("witness.json") };
  (await create({ witness })).close();
  copyStore(options.file, path("branch.db"));
  const vault = await open({ witness });
  await vault.set("A_KEY", new Secret("ours"), "ann");
  vault.close();
  const branch = await open({
    file: path("branch.db"),
    witness: { file: path("other.json"), insecureAccept: "the attack" },
  });
  await branch.set("A_KEY", new Secret("theirs"), "eve");
  const length = branch.generation();
  branch.close();
  copyStore(path("branch.db"), options.file);
  assert.equal((JSON.parse(readFileSync(witness.file, "utf8")) as { generation: number }).generation, length);
  await assert.rejects(open({ witness }), { code: "VAULT_ROLLED_BACK" });
});

test("A witness that is gone, of another store, changed or not named is refused; after a disaster the store can be accepted", async (t) => {
  const { create, open, path } = testFolder(t);
  const witness = { file: path("witness.json") };
  const vault = await create({ witness });
  await vault.set("A_KEY", new Secret("1"), "ann");
  vault.close();
  await assert.rejects(open(), { code: "VAULT_WITNESS_MISSING", message: /none is named/ });
  const good = readFileSync(witness.file, "utf8");
  const record = JSON.parse(good) as Record<string, unknown>;
  const generation = Number(record.generation);
  for (const text of [
    "",
    "{}",
    "null",
    "not json",
    good.slice(0, -20),
    JSON.stringify({ ...record, generation: generation - 1 }),
    JSON.stringify({ ...record, generation: 1e300 }),
    JSON.stringify({ ...record, mac: "00" }),
    JSON.stringify({ ...record, store: "00" }),
  ]) {
    writeFileSync(witness.file, text);
    await assert.rejects(open({ witness }), { code: "VAULT_WITNESS_INVALID" }, text);
  }
  writeFileSync(witness.file, good);
  chmodSync(witness.file, 0o666);
  await assert.rejects(open({ witness }), { code: "VAULT_WITNESS_INVALID" });
  rmSync(witness.file);
  await assert.rejects(open({ witness }), { code: "VAULT_WITNESS_MISSING", message: /is not there/ });
  (await open({ witness: { ...witness, insecureAccept: "the other disk burnt" } })).close();
  (await open({ witness })).close();
});

test("A write whose witness can't be told is not confirmed, and blocks nothing afterwards", async (t) => {
  const { create, open, path } = testFolder(t);
  const witness = { file: path("elsewhere/witness.json") };
  const vault = await create({ witness });
  renameSync(path("elsewhere"), path("away"));
  // Root may write any folder, but none that is a file.
  writeFileSync(path("elsewhere"), "");
  await assert.rejects(vault.set("A_KEY", new Secret("1"), "ann"), (error: { code?: string }) =>
    ["VAULT_WITNESS_MISSING", "VAULT_WITNESS_UNWRITABLE"].includes(error.code ?? ""),
  );
  rmSync(path("elsewhere"));
  renameSync(path("away"), path("elsewhere"));
  await vault.set("A_KEY", new Secret("2"), "ann");
  // A folder in the witness's place: it can be neither read nor replaced.
  rmSync(witness.file);
  mkdirSync(witness.file);
  await assert.rejects(vault.set("A_KEY", new Secret("3"), "ann"), (error: { code?: string }) =>
    (error.code ?? "").startsWith("VAULT_WITNESS_"),
  );
  rmSync(witness.file, { recursive: true });
  assert.equal(valueOf(vault, "A_KEY"), "2");
  vault.close();
  await assert.rejects(open({ witness }), { code: "VAULT_WITNESS_MISSING" });
});

test("A store takes a witness later, and gives it up only when it is told to", async (t) => {
  const { create, open, path } = testFolder(t);
  const witness = { file: path("witness.json") };
  (await create()).close();
  (await open({ witness })).close();
  assert.ok(existsSync(witness.file));
  await assert.rejects(open(), { code: "VAULT_WITNESS_MISSING" });
  (await open({ witness: { insecureForget: "the other disk is sold" } })).close();
  (await open()).close();
});

test("A witness goes on through a change of key", async (t) => {
  const { create, open, options, newKey, path } = testFolder(t);
  const witness = { file: path("witness.json") };
  const vault = await create({ witness });
  copyStore(options.file, path("older.db"));
  const next = newKey("next.key");
  await vault.rewrap(next, "ann");
  vault.close();
  (await open({ witness, kek: next })).close();
  copyStore(path("older.db"), options.file);
  await assert.rejects(open({ witness }), { code: "VAULT_ROLLED_BACK" });
});
