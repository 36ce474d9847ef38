import assert from "node:assert/strict";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { testFolder } from "../fixtures/test-vault.ts";

test("What killed makers of a store and of its witness left is taken away by the next opening; what is fresh, or another's, is not", async (t) => {
  const { create, open, options, path, folder } = testFolder(t);
  const witness = { file: path("vault.witness") };
  (await create({ witness })).close();
  const stale = [
    "store.db.new-0123456789ab",
    "store.db.new-0123456789ab-wal",
    "vault.witness.new-0123456789ab",
  ];
  const kept = ["store.db.new-ba9876543210", "store.db.newer", "other.db.new-0123456789ab"];
  for (const name of [...stale, ...kept]) writeFileSync(path(name), "");
  const hourAgo = Date.now() / 1000 - 3600;
  for (const name of [...stale, "store.db.newer", "other.db.new-0123456789ab"])
    utimesSync(path(name), hourAgo, hourAgo);
  (await open({ ...options, witness })).close();
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes(".new")),
    kept.toSorted(),
  );
});
