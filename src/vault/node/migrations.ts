import { DatabaseSync } from "node:sqlite";

/** Written into the file's header, so that it is known for what it is: "CWVA". */
export const applicationId = 0x43575641;

/**
 * How a store came to look as it does: step n makes version n (`user_version`) of the one before. A step that was released is never changed.
 *
 * `versions` has secrets and signing keys alike. Its `sealed_generation` is the generation in which a value was sealed, for ever; `generation` the one of
 * the row's last change. `handover` of `keys` is the key's root, sealed with the key before, while a process takes it over.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE store (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     id BLOB NOT NULL,
     project TEXT NOT NULL,
     environment TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     generation INTEGER NOT NULL,
     witnessed INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE keys (
     id TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     salt BLOB NOT NULL,
     memory_kib INTEGER NOT NULL,
     passes INTEGER NOT NULL,
     parallelism INTEGER NOT NULL,
     commitment BLOB NOT NULL,
     created_ms INTEGER NOT NULL,
     created_by TEXT NOT NULL,
     handover BLOB,
     handover_from TEXT
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE versions (
     kind TEXT NOT NULL,
     name TEXT NOT NULL,
     version INTEGER NOT NULL,
     state TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     created_by TEXT NOT NULL,
     changed_ms INTEGER NOT NULL,
     changed_by TEXT NOT NULL,
     key_id TEXT NOT NULL,
     wrapped BLOB NOT NULL,
     sealed BLOB NOT NULL,
     sealed_generation INTEGER NOT NULL,
     generation INTEGER NOT NULL,
     PRIMARY KEY (kind, name, version)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE manifest (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     mac BLOB NOT NULL
   ) STRICT;`,
];

/** Brings a database from one version to the newest; within the caller's transaction. */
export function migrate(database: DatabaseSync, from: number, steps: readonly string[] = migrations): void {
  for (const step of steps.slice(from)) database.exec(step);
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`);
}

/** Everything that a database declares, as text: tables, and whatever else there might be, as a trigger that somebody planted. */
export function declaredIn(database: DatabaseSync): string {
  const rows = database
    .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
    .all();
  return JSON.stringify(rows.map((row) => Object.values(row)));
}

/** What {@link declaredIn} gives for a store of that version: made by making one. */
export function declaredAt(version: number, steps: readonly string[] = migrations): string {
  const database = new DatabaseSync(":memory:");
  try {
    migrate(database, 0, steps.slice(0, version));
    return declaredIn(database);
  } finally {
    database.close();
  }
}
