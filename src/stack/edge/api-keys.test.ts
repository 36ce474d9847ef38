import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readApiKeys, watchApiKeys } from "./api-keys.ts";
import type { LoadedContract } from "../contract/load-contract.ts";

const apiKeys = { file: "api-keys.json", header: "authorization" } as const;

test("a list that is not there is none; one that can't be read is not taken for none", (t) => {
  const root = mkdtempSync(join(tmpdir(), "cw-stack-keys-"));
  t.after(() => rmSync(root, { recursive: true }));
  assert.equal(readApiKeys({ apiKeys }, root), undefined);
  assert.equal(readApiKeys({ apiKeys: { ...apiKeys, file: "." } }, root), "");
  writeFileSync(join(root, apiKeys.file), "[]");
  assert.equal(readApiKeys({ apiKeys }, root), "[]");
  assert.equal(readApiKeys({ apiKeys: undefined }, root), undefined);
});

test("a list that is replaced is told", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "cw-stack-keys-"));
  t.after(() => rmSync(root, { recursive: true }));
  const loaded = { contract: { apiKeys }, root } as unknown as Pick<LoadedContract, "contract" | "root">;
  const told = new Promise<string | undefined>((resolve) => {
    const stop = watchApiKeys(loaded, resolve);
    t.after(stop);
  });
  writeFileSync(join(root, "new"), "a longer list");
  renameSync(join(root, "new"), join(root, apiKeys.file));
  // What looks must not keep a process alive; this test has to wait for it.
  const alive = setInterval(() => undefined, 1000);
  assert.equal(await told, "a longer list");
  clearInterval(alive);
});
