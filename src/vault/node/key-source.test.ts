import assert from "node:assert/strict";
import { argon2Sync } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { inspect } from "node:util";
import { needsRoot } from "../../../test/requires.ts";
import { Secret } from "../../shared/index.ts";
import { testFolder, valueOf } from "../fixtures/test-vault.ts";
import { areSensible, loadKey, newParameters } from "./key-source.ts";

test("Node's Argon2id gives what RFC 9106 §5.3 publishes", () => {
  const tag = argon2Sync("argon2id", {
    message: Buffer.alloc(32, 1),
    nonce: Buffer.alloc(16, 2),
    secret: Buffer.alloc(8, 3),
    associatedData: Buffer.alloc(12, 4),
    parallelism: 4,
    memory: 32,
    passes: 3,
    tagLength: 32,
  });
  assert.equal(tag.toString("hex"), "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
});

test("A passphrase opens its store and no other does; what stretching costs lies beside it", async (t) => {
  const { create, open, options } = testFolder(t);
  const source = (text: string) => ({ kek: { kind: "passphrase", passphrase: new Secret(text) } }) as const;
  const vault = await create(source("caf\u00e9 and four more words"));
  await vault.set("A_KEY", new Secret("a"), "ann");
  vault.close();
  // The same word, composed otherwise: é as e and an accent.
  assert.equal(valueOf(await open(source("cafe\u0301 and four more words")), "A_KEY"), "a");
  for (const wrong of ["cafe and four more words", "caf\u00e9 and four more words ", "x"])
    await assert.rejects(open(source(wrong)), { code: "VAULT_KEY_WRONG", message: /passphrase/ });
  await assert.rejects(open(source("")), { code: "VAULT_KEY_INVALID" });
  const database = new DatabaseSync(options.file, { readOnly: true });
  const row = database.prepare("SELECT kind, memory_kib, passes, parallelism FROM keys").get();
  database.close();
  assert.deepEqual(Object.values(row ?? {}), ["passphrase", 65_536, 3, 1]);
});

test("Parameters that make a guess cheap, or an opening the machine's end, are damage; those that a store is made with are not", () => {
  const good = newParameters("passphrase", new Uint8Array(32));
  assert.ok(areSensible(good));
  assert.ok(areSensible(newParameters("file", new Uint8Array(32))));
  for (const change of [
    { memoryKib: 8 },
    { memoryKib: 8_388_608 },
    { passes: 0 },
    { passes: 1_000_000 },
    { parallelism: 0 },
    { parallelism: 1_000 },
    { salt: new Uint8Array() },
    { memoryKib: Number.NaN },
  ])
    assert.equal(areSensible({ ...good, ...change }), false, JSON.stringify(change));
  assert.equal(areSensible({ ...newParameters("file", new Uint8Array(32)), passes: 1 }), false);
});

test("A key file is 32 bytes that are its owner's alone; anything else is told, with what to do", async (t) => {
  const { create, newKey, path } = testFolder(t);
  const key = newKey("other.key");
  (await create({ kek: key })).close();
  const load = (file: string) => () => loadKey({ kind: "file", file });
  assert.throws(load(path("none.key")), { code: "VAULT_KEY_MISSING", hint: /urandom/ });
  for (const mode of [0o640, 0o604, 0o660, 0o602]) {
    chmodSync(key.file, mode);
    assert.throws(load(key.file), { code: "VAULT_KEY_EXPOSED", hint: /chmod 600/ });
  }
  chmodSync(key.file, 0o400);
  load(key.file)();
  symlinkSync(key.file, path("link.key"));
  assert.throws(load(path("link.key")), { code: "VAULT_KEY_EXPOSED" });
  mkdirSync(path("folder.key"), { mode: 0o700 });
  assert.throws(load(path("folder.key")), { code: "VAULT_KEY_EXPOSED" });
  for (const length of [0, 16, 31, 33, 64, 100_000]) {
    writeFileSync(path("odd.key"), new Uint8Array(length), { mode: 0o600 });
    assert.throws(load(path("odd.key")), { code: "VAULT_KEY_INVALID" });
  }
});

test("A key file of another user is not used, unless the folder is theirs as well", needsRoot, (t) => {
  const { newKey, folder } = testFolder(t);
  const key = newKey("their.key");
  chownSync(key.file, 12_345, 12_345);
  assert.throws(() => loadKey(key), { code: "VAULT_KEY_EXPOSED", message: /another user/ });
  chownSync(folder, 12_345, 12_345);
  loadKey(key);
});

test("A credential of systemd opens a store; its name leads to no other folder", async (t) => {
  const { create, open, path } = testFolder(t);
  mkdirSync(path("credentials"), { mode: 0o700 });
  // systemd shows it to a service's user by an access list, which a mode shows as the group's right.
  writeFileSync(path("credentials/vault"), Buffer.alloc(32, 9), { mode: 0o440 });
  chmodSync(path("credentials/vault"), 0o440);
  const source = { kind: "credential", name: "vault", directory: path("credentials") } as const;
  const vault = await create({ kek: source });
  await vault.set("A_KEY", new Secret("a"), "ann");
  vault.close();
  assert.equal(valueOf(await open({ kek: source }), "A_KEY"), "a");
  for (const name of ["../vault.key", "..", ".", "", "a/b", "x".repeat(300)])
    await assert.rejects(open({ kek: { ...source, name } }), { code: "VAULT_KEY_INVALID" });
  await assert.rejects(open({ kek: { ...source, name: "other" } }), { code: "VAULT_KEY_MISSING" });
  assert.equal(process.env.CREDENTIALS_DIRECTORY, undefined);
  await assert.rejects(open({ kek: { kind: "credential", name: "vault" } }), {
    code: "VAULT_KEY_MISSING",
    message: /CREDENTIALS_DIRECTORY/,
  });
  chmodSync(path("credentials/vault"), 0o444);
  await assert.rejects(open({ kek: source }), { code: "VAULT_KEY_EXPOSED" });
});

test("A key that was loaded opens stores until it is forgotten, and prints as nothing that tells it", async (t) => {
  const { create, open, options } = testFolder(t);
  (await create()).close();
  const key = loadKey(options.kek);
  (await open({ kek: key })).close();
  (await open({ kek: key })).close();
  assert.equal(inspect(key, { depth: 9, showHidden: true }).includes("Buffer"), false);
  assert.deepEqual(JSON.parse(JSON.stringify(key)), { kind: "file" });
  key.forget();
  await assert.rejects(open({ kek: key }), { code: "VAULT_KEY_WRONG" });
});
