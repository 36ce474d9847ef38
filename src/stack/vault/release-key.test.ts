import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { asTested } from "../../../test/support/command.ts";
import { countInMemory } from "../../../test/support/process-memory.ts";
import { needsRoot } from "../../../test/requires.ts";
import { openSignatures } from "../../contract/index.ts";
import { openReleaseStore } from "../../release/node.ts";
import { findSiteKeys, loadContract, readCurrentRelease, stackFolders } from "../index.ts";
import { findVaultReleaseKey } from "./release-key.ts";

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** A site with a secret, so with a vault; and a release key in a file, as one has that was built before it declared one. */
function makeSite(t: TestContext): { root: string; seed: Buffer } {
  const parent = join(repository, ".curtainwall", "test");
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, "release-key-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(
    join(root, "curtainwall.config.ts"),
    `import { defineStack, webhookSecret } from "curtainwall";
export default defineStack({ origin: "https://localhost", secrets: { HOOK_KEY: webhookSecret() } });`,
  );
  const { privateKey } = generateKeyPairSync("ed25519");
  const folders = stackFolders(root);
  mkdirSync(folders.keys, { recursive: true });
  writeFileSync(folders.releaseKeyFile, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return { root, seed: privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32) };
}

/** Builds with a page, in a process of its own that then waits; says so on its output. */
const builder = `
import { publish } from "./test/support/project.ts";
const { root, html } = JSON.parse(process.env.CASE);
await publish(root, { "/": html });
console.log("published");
process.stdin.resume();`;

interface Built {
  readonly line: string;
  readonly pid: number;
  end(): Promise<void>;
}

async function build(root: string, html: string): Promise<Built> {
  const child = spawn(process.execPath, [...asTested, "--input-type=module-typescript", "-e", builder], {
    cwd: repository,
    env: { ...process.env, CASE: JSON.stringify({ root, html }) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const line = await new Promise<string>((resolve) => {
    child.stdout.once("data", (text: Buffer) => resolve(text.toString().trim()));
    void ended.then(() => resolve("ended"));
  });
  return {
    line,
    pid: child.pid ?? 0,
    async end() {
      child.stdin.end();
      child.kill();
      await ended;
    },
  };
}

test("A release key that lies in a file is handed to the vault, once; the same key signs on, and the file is gone", async (t) => {
  const { root, seed } = makeSite(t);
  const folders = stackFolders(root);
  const { contract } = await loadContract(root);
  const before = (await findSiteKeys(contract, folders)).pinned.release.text;
  const first = await build(root, "<!doctype html><title>One</title>");
  await first.end();
  assert.equal(first.line, "published");
  assert.ok(!existsSync(folders.releaseKeyFile));
  assert.equal(readFileSync(join(folders.keys, "release.pub"), "utf8").trim(), before);
  const { pinned } = await findSiteKeys(contract, folders);
  assert.equal(pinned.release.text, before);
  const current = openReleaseStore(folders.releases).current();
  assert.equal((await openSignatures(current?.signatures ?? "", pinned)).statement.sequence, 1);
  assert.ok(await readCurrentRelease(folders));
  const store = readFileSync(join(root, ".curtainwall", "vault", "development", "store.db"));
  assert.ok(!store.includes(seed), "sealed, not kept");

  // Killed after the vault had it and before the file was removed: both are there, and it is the same key.
  const pem = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, seed]),
    format: "der",
    type: "pkcs8",
  }).export({
    type: "pkcs8",
    format: "pem",
  });
  writeFileSync(folders.releaseKeyFile, pem, { mode: 0o600 });
  const again = await build(root, "<!doctype html><title>Two</title>");
  await again.end();
  assert.equal(again.line, "published");
  assert.equal(openReleaseStore(folders.releases).current()?.sequence, 2);
  assert.ok(!existsSync(folders.releaseKeyFile));
});

const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

test(
  "What builds and publishes never has the private half: it is nowhere in its memory",
  needsRoot,
  async (t) => {
    const { root, seed } = makeSite(t);
    // Handed over by another process, which has read the file.
    const first = await build(root, "<!doctype html><title>One</title>");
    assert.ok(countInMemory(first.pid, Buffer.from("<title>One</title>")) > 0, "what is there is found");
    await first.end();
    const second = await build(root, "<!doctype html><title>Two</title>");
    t.after(() => second.end());
    assert.equal(second.line, "published");
    assert.equal(countInMemory(second.pid, seed), 0);
    assert.ok(countInMemory(second.pid, Buffer.from("<title>Two</title>")) > 0);
    await second.end();
  },
);

test("A key of somebody else in the file is not taken in place of the vault's", async (t) => {
  const { root } = makeSite(t);
  const folders = stackFolders(root);
  const { contract } = await loadContract(root);
  const key = await findVaultReleaseKey(contract, folders, { create: true });
  await key?.withSigner(async () => undefined);
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(folders.releaseKeyFile, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const other = await findVaultReleaseKey(contract, folders, { create: true });
  await assert.rejects(other?.withSigner(async () => undefined) ?? Promise.resolve(), {
    code: "VAULT_SIGNING_KEY_EXISTS",
  });
  assert.ok(existsSync(folders.releaseKeyFile), "it is its owner's to decide about");
});
