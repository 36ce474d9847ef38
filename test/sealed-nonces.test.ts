import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Secret } from "../src/shared/index.ts";
import { testFolder } from "../src/vault/fixtures/test-vault.ts";
import { sealedNonces } from "../src/stack/inspect/sealed-nonces.ts";

test("no two things in a vault's file have a nonce in common; where they do, it shows without the key", async (context) => {
  const { create, path } = testFolder(context);
  const vault = await create();
  for (const name of ["A_KEY", "B_KEY"]) await vault.set(name, new Secret(`value of ${name}`), "ann");
  const nonces = sealedNonces(path("store.db"));
  assert.ok(nonces.length >= 4);
  assert.equal(new Set(nonces).size, nonces.length);
  assert.ok(nonces.every((nonce) => /^[0-9a-f]{48}$/.test(nonce)));

  vault.close();
  const database = new DatabaseSync(path("store.db"));
  database.exec("UPDATE versions SET sealed = zeroblob(64)");
  database.close();
  const again = sealedNonces(path("store.db"));
  assert.ok(new Set(again).size < again.length);
});

test("a file that is no vault is told as such", (context) => {
  const { path } = testFolder(context);
  assert.throws(() => sealedNonces(path("vault.key")));
  assert.throws(() => sealedNonces(path("missing.db")));
});
