import type { DatabaseSync } from "node:sqlite";
import { damaged, fromDatabase } from "./database-errors.ts";
import { vaultError } from "./fail.ts";
import { isCommittedTo } from "./key-ring.ts";
import type { KeyRing } from "./key-ring.ts";
import { isAsManifested, writeManifest } from "./manifest.ts";
import { declaredAt, declaredIn, migrate, migrations } from "./migrations.ts";
import { sameFile } from "./open-database.ts";
import type { OpenDatabase, StorePlace } from "./open-database.ts";
import { readKeyRow, readStoreRow, writeKeyRow } from "./rows.ts";
import type { KeyRow, StoreRow } from "./rows.ts";

/** What a transaction finds: a store that was checked as a whole. */
export interface StoreView {
  readonly database: DatabaseSync;
  readonly store: StoreRow;
  readonly key: KeyRow;
  readonly ring: KeyRing;
}

/** What a transaction that writes finds besides. */
export interface WritableView extends StoreView {
  /** The one that this transaction makes. */
  readonly generation: number;
  /** Makes another key the store's: the manifest is written with it. */
  useRing(ring: KeyRing): void;
}

/** A store that is open. */
export interface Store {
  /** Reads in one transaction, after the whole store was checked. */
  read<Result>(work: (view: StoreView) => Result): Result;
  /** Writes in one transaction, whole or not at all, and on disk when it returns. */
  write<Result>(work: (view: WritableView) => Result): Result;
  /** Reads while nobody writes, in this process or another. */
  hold(work: (view: StoreView) => void): void;
  /** Takes what was erased out of the file and the log beside it; as far as others who are reading let it. */
  checkpoint(): void;
  /** Another number whenever another process has written. */
  dataVersion(): number;
  close(): void;
}

/** Options of {@link createStore}. */
export interface StoreOptions {
  place: StorePlace;
  opened: OpenDatabase;
  ring: KeyRing;
  /** Asked within each transaction that writes, before it does: what it throws ends it. */
  beforeWrite?: (view: StoreView) => void;
  /** Called after each transaction that wrote, with nobody else writing. */
  afterWrite?: (view: StoreView) => void;
  /** For tests. Default: those that there are. */
  steps?: readonly string[];
}

/**
 * Guards a database: nothing is read from it, nor written into it, before its schema, its key and its manifest were found to be as the
 * key's holder left them, in the same transaction.
 */
export function createStore(options: StoreOptions): Store {
  const { place, steps = migrations } = options;
  const file = place.shown;
  const { database, stats } = options.opened;
  let { ring } = options;
  let highestGeneration = 0;
  let schemaVersion = 0;
  let wasHandedOver = false;
  let expectedSchema = "";

  /** Checks everything; within a transaction, so that what was checked is what is used. */
  const check = (): StoreView => {
    checkSchema();
    const { store, key } = readRows();
    ring = ringFor(key);
    if (!isAsManifested(database, ring, schemaVersion)) throw damaged(file);
    if (store.generation < highestGeneration) throw rolledBack(file);
    highestGeneration = store.generation;
    return { database, store, key, ring };
  };

  const readRows = (): Pick<StoreView, "store" | "key"> => {
    const store = readStoreRow(database);
    const key = readKeyRow(database);
    if (store === undefined || key === undefined) throw damaged(file);
    return { store, key };
  };

  const checkSchema = (): void => {
    const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
    if (version > steps.length)
      throw vaultError("VAULT_FOREIGN", `The store ${file} was written by a newer Curtainwall.`, {
        hint: `It has version ${version}, and this one knows ${steps.length}. Update Curtainwall`,
      });
    if (version < 1) throw damaged(file);
    if (version !== schemaVersion) expectedSchema = declaredAt(version, steps);
    schemaVersion = version;
    if (declaredIn(database) !== expectedSchema) throw damaged(file);
  };

  /** The ring for the key that the store has now: ours, or the next one, if it was handed over to us. */
  const ringFor = (key: KeyRow): KeyRing => {
    if (key.id === ring.id && isCommittedTo(ring, key.commitment)) return ring;
    const { handOver } = key;
    const next = handOver?.from === ring.id ? ring.takeOver(handOver.sealed, key.id) : undefined;
    if (next === undefined || !isCommittedTo(next, key.commitment)) throw keyChanged(file);
    ring.forget();
    wasHandedOver = true;
    return next;
  };

  const begin = (kind: "BEGIN" | "BEGIN IMMEDIATE"): StoreView => {
    sameFile(place, stats);
    database.exec(kind);
    return check();
  };

  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      if (database.isOpen && database.isTransaction) rollBack(database);
      throw fromDatabase(file, error);
    }
  };

  const read = <Result>(work: (view: StoreView) => Result): Result =>
    guarded(() => {
      const result = work(begin("BEGIN"));
      database.exec("COMMIT");
      return result;
    });

  const write = <Result>(work: (view: WritableView) => Result): Result => {
    let next: KeyRing | undefined;
    const result = guarded(() => {
      const view = begin("BEGIN IMMEDIATE");
      options.beforeWrite?.(view);
      if (schemaVersion < steps.length) migrate(database, schemaVersion, steps);
      const generation = view.store.generation + 1;
      const made = work({ ...view, generation, useRing: (other) => (next = other) });
      database.prepare("UPDATE store SET generation = ?").run(generation);
      writeManifest(database, next ?? ring, steps.length);
      database.exec("COMMIT");
      highestGeneration = generation;
      // What is replaced meanwhile has nothing of it.
      sameFile(place, stats);
      return made;
    });
    if (next !== undefined) {
      ring.forget();
      ring = next;
    }
    if (options.afterWrite !== undefined) hold(options.afterWrite);
    return result;
  };

  /** Reads while nobody writes, in this process or another. */
  const hold = (work: (view: StoreView) => void): void =>
    guarded(() => {
      work(begin("BEGIN IMMEDIATE"));
      database.exec("ROLLBACK");
    });

  /** What handed the key over waits for this, or is gone: the seal of the new key with the old one is to vanish. */
  const clearHandOver = (): void => {
    if (!wasHandedOver) return;
    wasHandedOver = false;
    write(({ database: connection, key }) => writeKeyRow(connection, { ...key, handOver: undefined }));
    checkpoint();
  };

  const checkpoint = (): void => {
    try {
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Whoever is reading keeps it from being done; the next checkpoint does it.
    }
  };

  return {
    read(work) {
      const result = read(work);
      clearHandOver();
      return result;
    },
    write(work) {
      const result = write(work);
      clearHandOver();
      return result;
    },
    hold,
    checkpoint,
    dataVersion: () => guarded(() => Number(database.prepare("PRAGMA data_version").get()?.data_version)),
    close() {
      ring.forget();
      if (database.isOpen) database.close();
    },
  };
}

function rollBack(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // SQLite has done so itself, after an error of the disk.
  }
}

const rolledBack = (file: string): Error =>
  vaultError("VAULT_ROLLED_BACK", `The store ${file} is older than it was.`, {
    hint: "Somebody laid an older copy in its place. Bring back the newest one",
  });

const keyChanged = (file: string): Error =>
  vaultError("VAULT_KEY_WRONG", `The store ${file} has another key than the one it was opened with.`, {
    hint: "It was changed while this process had the store open. Start again with the new key",
  });
