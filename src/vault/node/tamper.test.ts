import assert from "node:assert/strict";
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { test } from "node:test";
import type { TestContext } from "node:test";
import fc from "fast-check";
import { Secret, isCurtainwallError } from "../../shared/index.ts";
import { copyStore, testFolder, valueOf } from "../fixtures/test-vault.ts";
import type { TestFolder } from "../fixtures/test-vault.ts";
import type { Vault } from "../types.ts";

const values = { A_KEY: "second of A", B_KEY: "first of B", C_KEY: "" };
const tables = ["store", "keys", "versions", "manifest"] as const;

/** A store with two generations of the same names: `old.db`, and the newer `store.db`; both closed. */
async function twoGenerations(t: TestContext): Promise<TestFolder> {
  const place = testFolder(t);
  const vault = await place.create();
  await vault.set("A_KEY", new Secret("first of A"), "ann");
  await vault.set("B_KEY", new Secret("first of B"), "ann");
  await vault.set("C_KEY", new Secret("first of C"), "ann");
  vault.signingKey("release");
  vault.close();
  copyStore(place.options.file, place.path("old.db"));
  const later = await place.open();
  await later.set("A_KEY", new Secret("second of A"), "bob");
  await later.revoke("C_KEY", 1, "bob");
  later.close();
  return place;
}

/** A copy of the store that something is done to with SQLite alone. */
function changed(place: TestFolder, change: (database: DatabaseSync) => void): string {
  const file = place.path("changed.db");
  copyStore(place.options.file, file);
  const database = new DatabaseSync(file, { defensive: false });
  try {
    change(database);
  } finally {
    database.close();
  }
  return file;
}

async function assertRefused(place: TestFolder, file: string, what: string): Promise<string> {
  try {
    (await place.open({ file })).close();
  } catch (error) {
    assert.ok(isCurtainwallError(error) && error.code.startsWith("VAULT_"), `${what}: ${String(error)}`);
    return error.code;
  }
  assert.fail(`${what} was not noticed`);
}

const readAll = (database: DatabaseSync, table: string): Record<string, SQLOutputValue>[] =>
  database.prepare(`SELECT * FROM ${table}`).all();

function snapshot(file: string): Map<string, Record<string, SQLOutputValue>[]> {
  const database = new DatabaseSync(file);
  const rows = new Map(tables.map((table) => [table as string, readAll(database, table)]));
  database.close();
  return rows;
}

/** Another value of the same kind. */
function another(value: SQLOutputValue | undefined): SQLInputValue {
  if (typeof value === "number") return value + 100;
  if (typeof value === "string") return `${value}x`;
  if (value instanceof Uint8Array) {
    const copy = Uint8Array.from(value);
    if (copy.length === 0) return Buffer.from("x");
    copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
    return copy;
  }
  return Buffer.from("x");
}

const columns: Record<string, readonly string[]> = {
  store: ["one"],
  keys: ["id"],
  versions: ["kind", "name", "version"],
  manifest: ["one"],
};

function whereRow(
  table: string,
  row: Record<string, SQLOutputValue>,
): [sql: string, values: SQLInputValue[]] {
  const names = columns[table] ?? [];
  return [names.map((name) => `${name} = ?`).join(" AND "), names.map((name) => row[name] ?? null)];
}

test("Whichever cell of the store is changed, it is refused, when it is opened and by who has it open", async (t) => {
  const place = await twoGenerations(t);
  const codes = new Map<string, string>();
  for (const [table, rows] of snapshot(place.options.file))
    for (const [index, row] of rows.entries())
      for (const column of Object.keys(row)) {
        const where = whereRow(table, row);
        // The one row of a table that has one is told apart by nothing: a check of the table holds it.
        if (column === "one") continue;
        const file = changed(place, (database) => {
          const { changes } = database
            .prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where[0]}`)
            .run(column === "handover_from" ? "x" : another(row[column]), ...where[1]);
          assert.equal(changes, 1);
        });
        codes.set(
          `${table}.${column} ${index}`,
          await assertRefused(place, file, `${table}.${column} of row ${index}`),
        );
      }
  assert.ok(codes.size > 90, `${codes.size} cells`);
  const count = Object.groupBy(codes.values(), (code) => code);
  // Its name and its key are looked at before its manifest can be.
  assert.deepEqual(Object.keys(count).sort(), ["VAULT_DAMAGED", "VAULT_FOREIGN", "VAULT_KEY_WRONG"]);
  assert.deepEqual([count.VAULT_FOREIGN?.length, count.VAULT_KEY_WRONG?.length], [2, 4]);
});

test("Who has the store open refuses a change at the next use, and writes nothing onto it", async (t) => {
  const place = await twoGenerations(t);
  const vault = await place.open();
  assert.equal(valueOf(vault, "A_KEY"), values.A_KEY);
  const other = new DatabaseSync(place.options.file, { defensive: false });
  other.exec("UPDATE versions SET state = 'current' WHERE name = 'A_KEY' AND version = 1");
  assert.throws(() => vault.get("A_KEY"), { code: "VAULT_DAMAGED" });
  assert.throws(() => vault.list(), { code: "VAULT_DAMAGED" });
  await assert.rejects(vault.set("B_KEY", new Secret("x"), "ann"), { code: "VAULT_DAMAGED" });
  other.exec("UPDATE versions SET state = 'previous' WHERE name = 'A_KEY' AND version = 1");
  other.close();
  assert.equal(valueOf(vault, "A_KEY"), values.A_KEY);
});

test("No row of an older generation passes in a newer one, nor one that is left out, doubled or put in another's place", async (t) => {
  const place = await twoGenerations(t);
  const old = snapshot(place.path("old.db"));
  let mixed = 0;
  for (const [table, rows] of old)
    for (const row of rows) {
      const [where, keys] = whereRow(table, row);
      const current = snapshot(place.options.file).get(table) ?? [];
      if (current.some((each) => JSON.stringify(each) === JSON.stringify(row))) continue;
      mixed++;
      const file = changed(place, (database) => {
        database.prepare(`DELETE FROM ${table} WHERE ${where}`).run(...keys);
        const marks = Object.keys(row).map(() => "?");
        database.prepare(`INSERT INTO ${table} VALUES (${marks.join(", ")})`).run(...Object.values(row));
      });
      await assertRefused(place, file, `the old row ${JSON.stringify(keys)} of ${table}`);
    }
  // The store's own, A's and C's first versions, and the manifest.
  assert.equal(mixed, 4);
  for (const [table, rows] of snapshot(place.options.file))
    for (const row of rows) {
      const [where, keys] = whereRow(table, row);
      const file = changed(place, (database) => {
        database.prepare(`DELETE FROM ${table} WHERE ${where}`).run(...keys);
      });
      await assertRefused(place, file, `the missing row ${JSON.stringify(keys)} of ${table}`);
    }
  const swaps = [
    "UPDATE versions SET sealed = (SELECT sealed FROM versions WHERE name = 'B_KEY'), wrapped = (SELECT wrapped FROM versions WHERE name = 'B_KEY') WHERE name = 'A_KEY' AND version = 2",
    "UPDATE versions SET name = 'D_KEY' WHERE name = 'A_KEY'",
    "INSERT INTO versions SELECT kind, 'D_KEY', version, state, created_ms, created_by, changed_ms, changed_by, key_id, wrapped, sealed, sealed_generation, generation FROM versions WHERE name = 'B_KEY'",
    "UPDATE versions SET kind = 'secret', name = 'RELEASE' WHERE kind = 'signing'",
    "INSERT INTO keys SELECT id || '2', kind, salt, memory_kib, passes, parallelism, commitment, created_ms, created_by, handover, handover_from FROM keys",
  ];
  for (const swap of swaps)
    await assertRefused(
      place,
      changed(place, (database) => database.exec(swap)),
      swap,
    );
});

test("Both rows and the manifest of the older generation are the older store, and are no mixture: that is what a witness is for", async (t) => {
  const place = await twoGenerations(t);
  const vault = await place.open({ file: place.path("old.db") });
  assert.equal(valueOf(vault, "A_KEY"), "first of A");
});

test("Nothing that is declared besides is let in: no trigger, view, table or index, and no other numbering", async (t) => {
  const place = await twoGenerations(t);
  const planted = [
    "CREATE TRIGGER evil AFTER INSERT ON versions BEGIN DELETE FROM versions WHERE name = 'A_KEY'; END",
    "CREATE VIEW evil AS SELECT * FROM versions",
    "CREATE TABLE evil (a)",
    "CREATE INDEX evil ON versions (state)",
    "ALTER TABLE versions ADD COLUMN evil TEXT",
    "PRAGMA application_id = 1",
    "PRAGMA user_version = 0",
    "PRAGMA user_version = 2",
    "PRAGMA user_version = -1",
    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'state TEXT', 'state BLOB') WHERE name = 'versions'",
  ];
  const codes = new Set<string>();
  for (const sql of planted)
    codes.add(
      await assertRefused(
        place,
        changed(place, (database) => database.exec(sql)),
        sql,
      ),
    );
  assert.deepEqual([...codes].sort(), ["VAULT_DAMAGED", "VAULT_FOREIGN"]);
});

test("A file that is empty, of something else, or cut anywhere is refused with what is wrong, and left as it is", async (t) => {
  const place = await twoGenerations(t);
  const whole = readFileSync(place.options.file);
  const file = place.path("cut.db");
  const lengths = [0, 1, 15, 16, 99, 100, 512, 4_095, 4_096, whole.length - 4_096, whole.length - 1];
  for (const length of lengths) {
    copyFileSync(place.options.file, file);
    truncateSync(file, length);
    assert.equal(await assertRefused(place, file, `${length} bytes`), "VAULT_DAMAGED");
    assert.equal(readFileSync(file).length, length);
  }
  writeFileSync(file, "not a database, but long enough to have a header of one\n".repeat(50));
  assert.equal(await assertRefused(place, file, "a text"), "VAULT_DAMAGED");
  const foreign = place.path("foreign.db");
  writeFileSync(foreign, "", { mode: 0o600 });
  const database = new DatabaseSync(foreign);
  database.exec("CREATE TABLE versions (a); CREATE TABLE store (a)");
  database.close();
  assert.equal(await assertRefused(place, foreign, "another database"), "VAULT_FOREIGN");
});

test("A log with a bit flipped loses what was written last; with a witness that is noticed, each time", async (t) => {
  const place = testFolder(t);
  const witness = { file: place.path("witness.json") };
  const vault = await place.create({ witness });
  for (const value of ["1", "2", "3", "4"]) await vault.set("A_KEY", new Secret(value), "ann");
  copyStore(place.options.file, place.path("copy.db"));
  const log = readFileSync(place.path("copy.db-wal"));
  const outcomes = new Set<string>();
  const flipped = place.path("flipped.db");
  await fc.assert(
    fc.asyncProperty(fc.nat(log.length - 1), fc.nat(7), async (at, bit) => {
      copyStore(place.path("copy.db"), flipped);
      const bytes = Uint8Array.from(log);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      writeFileSync(`${flipped}-wal`, bytes);
      // The index that lies beside would hide what SQLite finds when it reads the log anew.
      writeFileSync(`${flipped}-shm`, "");
      for (const watched of [true, false]) {
        let opened: Vault | undefined;
        try {
          const how = watched ? { witness } : { witness: { insecureForget: "to see what nobody notices" } };
          opened = await place.open({ file: flipped, ...how });
          outcomes.add(`${watched ? "watched" : "alone"}: ${valueOf(opened, "A_KEY")}`);
        } catch (error) {
          if (!isCurtainwallError(error)) throw error;
          outcomes.add(`${watched ? "watched" : "alone"}: ${error.code}`);
        } finally {
          opened?.close();
        }
      }
    }),
    { numRuns: 60, seed: 2 },
  );
  const watched = [...outcomes].filter((outcome) => outcome.startsWith("watched"));
  assert.ok(watched.includes("watched: VAULT_ROLLED_BACK"), watched.join());
  assert.ok(
    watched.every((outcome) => outcome === "watched: 4" || outcome.includes("VAULT_")),
    watched.join(),
  );
  assert.ok(outcomes.has("alone: 3"), [...outcomes].join());
});

async function holdsItsValues(vault: Vault): Promise<boolean> {
  const { sign } = vault.signingKey("release");
  return (
    valueOf(vault, "A_KEY") === values.A_KEY &&
    valueOf(vault, "B_KEY") === values.B_KEY &&
    vault.get("C_KEY") === undefined &&
    (await sign(Buffer.from("x"))).length === 64
  );
}

test("A store with a bit flipped anywhere is refused or whole: no value is ever another one", async (t) => {
  const place = await twoGenerations(t);
  const whole = readFileSync(place.options.file);
  const file = place.path("flipped.db");
  let refused = 0;
  const numRuns = Number(process.env.CURTAINWALL_FLIPS ?? 250);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (at, bit) => {
      const bytes = Uint8Array.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      writeFileSync(file, bytes, { mode: 0o600 });
      let vault: Vault | undefined;
      try {
        vault = await place.open({ file });
        assert.ok(await holdsItsValues(vault));
      } catch (error) {
        if (!isCurtainwallError(error)) throw error;
        refused++;
      } finally {
        vault?.close();
      }
    }),
    { numRuns, seed: 1 },
  );
  // Most of a small file is unused space, where a bit means nothing.
  assert.ok(refused > numRuns / 20, `${refused} of ${numRuns} refused`);
});
