import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { testFolder } from "../fixtures/test-vault.ts";
import { deriveRoot, loadKey } from "./key-source.ts";
import { createKeyRing } from "./key-ring.ts";
import { declaredAt, declaredIn, migrate, migrations } from "./migrations.ts";
import { openDatabase } from "./open-database.ts";
import { readKeyRow, readStoreRow } from "./rows.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";

const next = "ALTER TABLE versions ADD COLUMN note TEXT";

test("A released step is as it was released: stores of it lie on people's disks", () => {
  assert.equal(migrations.length, 1);
  assert.match(declaredAt(1), /"table","versions"/);
  const database = new DatabaseSync(":memory:");
  migrate(database, 0);
  assert.equal(declaredIn(database), declaredAt(migrations.length));
  database.close();
});

test("A store of an older version is brought up with its first write, under the same manifest, and is refused by who knows only the older", async (t) => {
  const { create, options } = testFolder(t);
  const vault = await create();
  await vault.set("A_KEY", Buffer.from("1"), "ann");
  vault.close();
  const openWith = async (steps: readonly string[]): Promise<Store> => {
    const place = { path: options.file, shown: options.file };
    const opened = openDatabase(place, 100);
    t.after(() => opened.database.isOpen && opened.database.close());
    const key = readKeyRow(opened.database);
    const store = readStoreRow(opened.database);
    assert.ok(key !== undefined && store !== undefined);
    const root = await deriveRoot(loadKey(options.kek), key);
    return createStore({ place, opened, ring: createKeyRing(root, key.id, store.id), steps });
  };
  const steps = [...migrations, next];
  const newer = await openWith(steps);
  assert.equal(
    newer.read(({ store }) => store.generation),
    2,
  );
  newer.write(() => undefined);
  newer.read(({ database }) =>
    assert.equal(database.prepare("SELECT note FROM versions WHERE kind = 'secret'").get()?.note, null),
  );
  newer.close();
  const older = await openWith(migrations);
  assert.throws(() => older.read(() => undefined), { code: "VAULT_FOREIGN", message: /newer/ });
  const other = await openWith([
    ...migrations,
    next.replace("note", randomBytes(4).toString("hex").replace(/^/, "c")),
  ]);
  assert.throws(() => other.read(() => undefined), { code: "VAULT_DAMAGED" });
});
