import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { requires } from "../../../test/requires.ts";
import { Secret } from "../../shared/index.ts";
import { testFolder, valueOf } from "../fixtures/test-vault.ts";
import { encryptFor } from "./age.ts";

const person = async (): Promise<{ identity: Secret; recipient: string; text: string }> => {
  const text = await generateX25519Identity();
  return { identity: new Secret(text), recipient: await identityToRecipient(text), text };
};

test("Each person who is named opens the export, and nobody else does", async (t) => {
  const { create, path } = testFolder(t);
  const [ann, bob, eve] = [await person(), await person(), await person()];
  const vault = await create();
  await vault.set("A_KEY", new Secret("für alle"), "ann");
  await vault.set("A_KEY", new Secret("für alle, neu"), "ann");
  await vault.set("B_KEY", Buffer.from([0xff, 0x00, 0xfe]), "ann");
  await vault.set("C_KEY", new Secret("gone"), "ann");
  await vault.revoke("C_KEY", "all", "ann");
  const file = await vault.export([ann.recipient, bob.recipient]);
  assert.match(
    Buffer.from(file).toString(),
    /^-----BEGIN AGE ENCRYPTED FILE-----\n[A-Za-z0-9+/=\n]+-----END/,
  );
  for (const [name, { identity }] of Object.entries({ ann, bob })) {
    const other = await create({ file: path(`${name}.db`) });
    await other.set("B_KEY", Buffer.from([0xff, 0x00, 0xfe]), name);
    const plan = await other.import(file, identity);
    assert.deepEqual(plan.changes, [
      { name: "A_KEY", change: "new" },
      { name: "B_KEY", change: "same" },
    ]);
    const before = other.generation();
    assert.deepEqual(
      (await plan.apply(name)).map(({ name: set, version }) => [set, version]),
      [["A_KEY", 1]],
    );
    assert.equal(other.generation(), before + 1);
    assert.equal(valueOf(other, "A_KEY"), "für alle, neu");
    await assert.rejects(plan.apply(name), { code: "VAULT_CHANGED" });
  }
  await assert.rejects(vault.import(file, eve.identity), { code: "VAULT_IMPORT_LOCKED" });
});

test("A store that was changed since an import was planned takes nothing of it", async (t) => {
  const { create } = testFolder(t);
  const ann = await person();
  const vault = await create();
  await vault.set("A_KEY", new Secret("1"), "ann");
  const file = await vault.export([ann.recipient]);
  await vault.set("A_KEY", new Secret("2"), "ann");
  const plan = await vault.import(file, ann.identity);
  assert.deepEqual(plan.changes, [{ name: "A_KEY", change: "changed" }]);
  await vault.set("B_KEY", new Secret("3"), "bob");
  await assert.rejects(plan.apply("ann"), { code: "VAULT_CHANGED" });
  assert.equal(valueOf(vault, "A_KEY"), "2");
  const again = await vault.import(file, ann.identity);
  again.discard();
  await assert.rejects(again.apply("ann"), { code: "VAULT_CHANGED" });
});

test("Another environment's export is refused unless somebody says why", async (t) => {
  const { create, path } = testFolder(t);
  const ann = await person();
  const production = await create();
  await production.set("A_KEY", new Secret("of production"), "ann");
  const file = await production.export([ann.recipient]);
  const development = await create({ file: path("development.db"), environment: "development" });
  await assert.rejects(development.import(file, ann.identity), {
    code: "VAULT_IMPORT_INVALID",
    message: /production/,
  });
  const plan = await development.import(file, ann.identity, { insecureAllowOther: "a staging copy" });
  assert.deepEqual([plan.project, plan.environment, plan.changes.length], ["bakery", "production", 1]);
  plan.discard();
});

test("What is no recipient, identity or export is refused, and nothing of it is repeated", async (t) => {
  const { create } = testFolder(t);
  const ann = await person();
  const vault = await create();
  await vault.set("A_KEY", new Secret("canary-in-a-value"), "ann");
  const quiet = async (work: Promise<unknown>, code: string, ...hidden: string[]): Promise<void> => {
    await assert.rejects(work, (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, code);
      const told = [error.message, error.hint, error.stack, String(error.cause)].join("\n");
      for (const text of hidden) assert.equal(told.includes(text), false, told);
      return true;
    });
  };
  await quiet(vault.export([]), "VAULT_RECIPIENT_INVALID");
  // An identity where a recipient should be, and the other way round, are the likeliest mistakes.
  await quiet(
    vault.export([ann.recipient, ann.text]),
    "VAULT_RECIPIENT_INVALID",
    ann.text,
    ann.text.slice(20, 40),
  );
  await quiet(vault.export([`${ann.recipient}x`]), "VAULT_RECIPIENT_INVALID");
  const file = await vault.export([ann.recipient]);
  await quiet(vault.import(file, new Secret(ann.recipient)), "VAULT_IMPORT_LOCKED");
  await quiet(
    vault.import(file, new Secret(`${ann.text}Q`)),
    "VAULT_IMPORT_LOCKED",
    ann.text,
    ann.text.slice(20, 40),
  );
  await quiet(
    vault.import(Buffer.from("A_KEY=canary-in-a-value\n"), ann.identity),
    "VAULT_IMPORT_INVALID",
    "canary",
  );
  await quiet(vault.import(file.subarray(0, -60), ann.identity), "VAULT_IMPORT_INVALID");
  for (const text of [
    '{"secret":"canary-in-a-value"',
    "[]",
    "null",
    '{"format":"curtainwall-vault-export","version":2}',
    '{"format":"curtainwall-vault-export","version":1,"project":"bakery","environment":"production","exported":"2026-01-01","secrets":[{"name":"canary-in-a-value","version":1,"encoding":"utf8","value":"x"}]}',
    '{"format":"curtainwall-vault-export","version":1,"project":"bakery","environment":"production","exported":"2026-01-01","secrets":[{"name":"A","version":1,"encoding":"base64","value":"canary-in-a-value!"}]}',
    '{"format":"curtainwall-vault-export","version":1,"project":"bakery","environment":"production","exported":"2026-01-01","secrets":[{"name":"A","version":1,"encoding":"utf8","value":""}]}',
  ]) {
    const sealed = await encryptFor([ann.recipient], Buffer.from(text));
    await quiet(vault.import(sealed, ann.identity), "VAULT_IMPORT_INVALID", "canary");
  }
});

test(
  "Debian's age opens what is exported, and what it encrypts is imported, armored or not",
  requires("age"),
  async (t) => {
    const { create, path } = testFolder(t);
    const age = requires("age").path;
    const ann = await person();
    const vault = await create();
    await vault.set("A_KEY", new Secret("for a person"), "ann");
    await vault.set("B_KEY", Buffer.from([0xff, 0xfe]), "ann");
    writeFileSync(path("identity.txt"), ann.text, { mode: 0o600 });
    const opened = spawnSync(age, ["-d", "-i", path("identity.txt")], {
      input: await vault.export([ann.recipient]),
    });
    assert.equal(opened.status, 0, opened.stderr.toString());
    const document = JSON.parse(opened.stdout.toString()) as {
      format: string;
      version: number;
      secrets: unknown[];
    };
    assert.deepEqual([document.format, document.version], ["curtainwall-vault-export", 1]);
    assert.deepEqual(document.secrets, [
      { name: "A_KEY", version: 1, encoding: "utf8", value: "for a person" },
      { name: "B_KEY", version: 1, encoding: "base64", value: "//4=" },
    ]);
    const changed = opened.stdout.toString().replace("for a person", "by a person");
    for (const armor of [[], ["-a"]]) {
      const sealed = spawnSync(age, [...armor, "-r", ann.recipient], { input: changed });
      const plan = await vault.import(sealed.stdout, ann.identity);
      assert.deepEqual(
        plan.changes.map(({ change }) => change),
        ["changed", "same"],
      );
      plan.discard();
    }
  },
);

test("A person may have a post-quantum identity", async (t) => {
  const { create } = testFolder(t);
  const text = await generateHybridIdentity();
  const vault = await create();
  await vault.set("A_KEY", new Secret("1"), "ann");
  const file = await vault.export([await identityToRecipient(text)]);
  assert.equal((await vault.import(file, new Secret(text))).changes[0]?.change, "same");
});

test("A file that age encrypted with a passphrase is refused, not asked about", async (t) => {
  const { create } = testFolder(t);
  const vault = await create();
  const encrypter = new Encrypter();
  encrypter.setPassphrase("some words");
  encrypter.setScryptWorkFactor(4);
  const file = await encrypter.encrypt("x");
  await assert.rejects(vault.import(file, (await person()).identity), { code: "VAULT_IMPORT_LOCKED" });
});
