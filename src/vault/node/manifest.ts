import { timingSafeEqual } from "node:crypto";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { encodeFields } from "../encode-fields.ts";
import type { KeyRing } from "./key-ring.ts";

/** Each table in an order that does not depend on how it lies in the file. */
const tables = {
  store: "SELECT * FROM store ORDER BY one",
  keys: "SELECT * FROM keys ORDER BY id",
  versions: "SELECT * FROM versions ORDER BY kind, name, version",
} as const;

/**
 * The MAC over every cell of a store, with the store's own version. A row that is changed, added, missing, or from another generation gives
 * another one.
 */
function manifestOf(database: DatabaseSync, ring: KeyRing, version: number): Uint8Array {
  const mac = ring.startManifest();
  mac.update(encodeFields(["curtainwall vault manifest 1", version, ring.id]));
  for (const [table, query] of Object.entries(tables)) {
    const statement = database.prepare(query);
    const columns = statement.columns().map(({ name }) => name);
    statement.setReturnArrays(true);
    const rows = statement.all() as unknown as SQLOutputValue[][];
    mac.update(encodeFields([table, ...columns, rows.length]));
    for (const row of rows) mac.update(encodeFields(row));
  }
  return mac.digest();
}

/** Tells whether a store is as the key's holder left it. */
export function isAsManifested(database: DatabaseSync, ring: KeyRing, version: number): boolean {
  const row = database.prepare("SELECT mac FROM manifest").get();
  const mac = manifestOf(database, ring, version);
  return row?.mac instanceof Uint8Array && row.mac.length === mac.length && timingSafeEqual(row.mac, mac);
}

/** Writes the MAC of what is there now; in the transaction that changed it. */
export function writeManifest(database: DatabaseSync, ring: KeyRing, version: number): void {
  database.prepare("INSERT OR REPLACE INTO manifest VALUES (1, ?)").run(manifestOf(database, ring, version));
}
