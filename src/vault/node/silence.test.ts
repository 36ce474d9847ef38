import assert from "node:assert/strict";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { Secret } from "../../shared/index.ts";
import { testFolder } from "../fixtures/test-vault.ts";
import type { TestFolder } from "../fixtures/test-vault.ts";

const canaries = ["canary-one-of-a-value", "canary-two-of-a-value", "canary-three-of-a-value"];
const passphrase = "canary-of-a-passphrase";

const spellings = (text: string): Buffer[] => [
  Buffer.from(text),
  Buffer.from(text, "utf16le"),
  Buffer.from(Buffer.from(text).toString("base64").slice(0, -4)),
  Buffer.from(Buffer.from(text).toString("hex")),
];

/** Looks for all canaries in all files of a folder. */
function assertNowhere(folder: string): void {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  assert.ok(files.length >= 2);
  for (const file of files) {
    const bytes = readFileSync(file);
    for (const canary of [...canaries, passphrase])
      for (const spelling of spellings(canary))
        assert.equal(bytes.includes(spelling), false, `${canary} in ${file}`);
  }
}

async function fill({ create, newKey, folder }: TestFolder): Promise<void> {
  const vault = await create({ kek: { kind: "passphrase", passphrase: new Secret(passphrase) } });
  for (const canary of canaries) await vault.set("A_KEY", new Secret(canary), "ann");
  await vault.set("B_KEY", Buffer.from(canaries[0] ?? ""), "ann");
  assertNowhere(folder);
  await vault.revoke("A_KEY", 2, "ann");
  await vault.rewrap(newKey("next.key"), "ann");
  assertNowhere(folder);
  await vault.revoke("A_KEY", "all", "ann");
  await vault.export([await identityToRecipient(await generateX25519Identity())]);
  vault.close();
  assertNowhere(folder);
}

test("No value and no passphrase stands in the store, in its log or in its index, in any spelling, before and after it is revoked", async (t) => {
  await fill(testFolder(t));
});

test(
  "No file appears anywhere else: SQLite's temporary ones are memory",
  { skip: process.platform !== "linux" && "reads /proc" },
  async (t) => {
    const { create, folder } = testFolder(t);
    const vault = await create();
    await vault.set("A_KEY", new Uint8Array(60_000).fill(65), "ann");
    const links = readdirSync("/proc/self/fd").map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        // The one that the folder itself was read through.
        return "";
      }
    });
    const files = links.filter((link) => /sqlite|etilqs|vault-/.test(link));
    assert.ok(
      files.some((link) => link.startsWith(folder)),
      links.join(),
    );
    assert.deepEqual(
      files.filter((link) => !link.startsWith(folder)),
      [],
    );
    assert.deepEqual(readdirSync(folder).sort(), ["store.db", "store.db-shm", "store.db-wal", "vault.key"]);
  },
);

test("Nothing that is printed holds a value: not the store, a value, a plan, a key, nor an error", async (t) => {
  const { create, open } = testFolder(t);
  const text = canaries[0] ?? "";
  const vault = await create();
  const info = await vault.set("A_KEY", new Secret(text), "ann");
  const value = vault.get("A_KEY");
  const identity = await generateX25519Identity();
  const file = await vault.export([await identityToRecipient(identity)]);
  const plan = await vault.import(file, new Secret(identity));
  const signer = vault.signingKey("release");
  const printed: unknown[] = [
    vault,
    info,
    value,
    { ...value },
    plan,
    signer,
    vault.list(),
    vault.history("A_KEY"),
  ];
  const errors: unknown[] = [];
  const attempts: (() => unknown)[] = [
    () => vault.set(text, new Secret(text), "ann"),
    () => vault.set("A_KEY", new Secret(text.repeat(9_999)), "ann"),
    () => vault.revoke(text, "all", "ann"),
    () => vault.revoke("A_KEY", 7, "ann"),
    () => vault.import(Buffer.from(text), new Secret(identity)),
    () => vault.import(file, new Secret(text)),
    () => vault.export([text]),
    () => vault.importSigningKey("release", Buffer.from(text), "ann"),
    () => open({ kek: { kind: "passphrase", passphrase: new Secret(text) } }),
    () => open({ kek: { kind: "credential", name: `${text}/`, directory: "/" } }),
  ];
  for (const attempt of attempts) {
    try {
      await attempt();
      assert.fail(`${attempt.toString()} was let through`);
    } catch (error) {
      errors.push(error, (error as Error).stack, (error as Error).cause);
    }
  }
  const shown = inspect([...printed, ...errors], { depth: 20, maxArrayLength: null, maxStringLength: null });
  const asJson = JSON.stringify([...printed, ...errors]);
  for (const spelling of [
    text,
    Buffer.from(text).toString("hex"),
    Buffer.from(text).toString("base64"),
    identity,
  ])
    for (const output of [shown, asJson]) assert.equal(output.includes(spelling), false);
  const asBytes = Buffer.from(text)
    .toString("hex")
    .replace(/(..)(?=.)/g, "$1 ")
    .slice(0, 40);
  assert.equal(shown.includes(asBytes), false);
  assert.equal(Buffer.from(value?.value ?? []).toString(), text);
  plan.discard();
});
