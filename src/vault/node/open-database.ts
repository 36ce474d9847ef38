import { accessSync, closeSync, constants, linkSync, lstatSync, mkdirSync, openSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isCurtainwallError } from "../../shared/index.ts";
import { damaged, diskFull, fromDatabase, readOnly } from "./database-errors.ts";
import { draftOf, removeDraft, removeStaleDrafts } from "./drafts.ts";
import { errorCode, vaultError } from "./fail.ts";
import { applicationId, migrate } from "./migrations.ts";
import { checkPrivateFile } from "./private-file.ts";
import { syncPath } from "./sync-path.ts";

/** Where a store lies, and what errors call it. */
export interface StorePlace {
  readonly path: string;
  readonly shown: string;
}

/** An open database, and which file it was opened from. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly stats: Stats;
}

const smallestPage = 512;
/** Every commit is on disk before it returns; what is deleted is overwritten; nothing of it lies in temporary files. */
const settings = `
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  PRAGMA temp_store = MEMORY;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;
  PRAGMA mmap_size = 0`;

/**
 * Opens a store's database and looks through all of it for damage. Who wrote it is the manifest's to say.
 *
 * @throws {CurtainwallError} `VAULT_MISSING`, `VAULT_EXPOSED`, `VAULT_FOREIGN`, `VAULT_DAMAGED`, `VAULT_READ_ONLY`, `VAULT_BUSY`, `VAULT_UNUSABLE`
 */
export function openDatabase(place: StorePlace, timeoutMs: number): OpenDatabase {
  const { path, shown: file } = place;
  const stats = checkStoreFile(place);
  removeStaleDrafts(path);
  // SQLite would take one without a whole header for a new database.
  if (stats.size < smallestPage) throw damaged(file, { what: "It is empty, or was cut off" });
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: timeoutMs, defensive: true });
    database.exec(settings);
    checkKind(file, database);
    const rows = database.prepare("PRAGMA integrity_check(1)").all();
    if (rows[0]?.integrity_check !== "ok") throw damaged(file);
    return { database, stats: sameFile(place, stats) };
  } catch (error) {
    closeQuietly(database);
    const told = fromDatabase(file, error);
    throw isCurtainwallError(told, "VAULT_UNUSABLE") && isReadOnly(dirname(path))
      ? readOnly(file, error)
      : told;
  }
}

/** SQLite says of a disk that is read-only that the files beside the store can't be opened. */
function isReadOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return errorCode(error) === "EROFS";
  }
}

/** Closes a database whose opening failed; the first error is the one to tell. */
function closeQuietly(database: DatabaseSync | undefined): void {
  try {
    database?.close();
  } catch {
    // It never opened.
  }
}

const checkStoreFile = ({ path, shown }: StorePlace): Stats =>
  checkPrivateFile(path, {
    what: `The store ${shown}`,
    shown,
    missing: "VAULT_MISSING",
    exposed: "VAULT_EXPOSED",
    unusable: "VAULT_UNUSABLE",
    hint: "Make it by setting a secret:  npx curtainwall secret set NAME",
  });

/**
 * Tells whether what lies there is still the file that was opened: writing to one that was replaced would be acknowledged and lost.
 *
 * @throws {CurtainwallError} `VAULT_REPLACED`
 */
export function sameFile({ path, shown }: StorePlace, opened: Stats): Stats {
  const stats = lookAt(path);
  if (stats === "hidden" || (stats?.ino === opened.ino && stats.dev === opened.dev)) return opened;
  throw vaultError("VAULT_REPLACED", `The store ${shown} was moved or replaced while it was open.`, {
    hint: "Nothing was written. Start again, so that the store is opened that lies there now",
  });
}

/** A process that gave up root's rights may not look into the folder any more that it opened the store in: then nobody can tell. */
function lookAt(file: string): Stats | "hidden" | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    return errorCode(error) === "EACCES" ? "hidden" : undefined;
  }
}

function checkKind(file: string, database: DatabaseSync): void {
  if (database.prepare("PRAGMA application_id").get()?.application_id !== applicationId)
    throw vaultError("VAULT_FOREIGN", `The file ${file} is no store of secrets.`, {
      hint: "It is a database of something else. Name another file",
    });
}

/**
 * Makes a database where there is none: aside, and under its name only when it is whole and on disk.
 *
 * @param fill runs in the transaction that makes it
 * @throws {CurtainwallError} `VAULT_EXISTS`, `VAULT_DISK_FULL`, `VAULT_READ_ONLY`, `VAULT_UNUSABLE`
 */
export function createDatabase(
  { path: file, shown }: StorePlace,
  fill: (database: DatabaseSync) => void,
): void {
  const draft = draftOf(file);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // SQLite would make it readable for everybody whom the umask lets.
    closeSync(openSync(draft, "wx", 0o600));
    fillDatabase(draft, fill);
    linkSync(draft, file);
    syncPath(dirname(file));
  } catch (error) {
    throw notCreated(shown, error);
  } finally {
    removeDraft(draft);
  }
}

function fillDatabase(draft: string, fill: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(draft, { defensive: true });
  try {
    database.exec(settings);
    database.exec("BEGIN IMMEDIATE");
    migrate(database, 0);
    fill(database);
    database.exec("COMMIT; PRAGMA journal_mode = WAL");
  } finally {
    database.close();
  }
  syncPath(draft);
}

function notCreated(file: string, error: unknown): unknown {
  switch (errorCode(error)) {
    case "EEXIST":
      return vaultError("VAULT_EXISTS", `There is a file ${file} already.`, {
        hint: "A store that is replaced can't be had again. Open it, or choose another name",
      });
    case "ENOSPC":
    case "EDQUOT":
      return diskFull(file, error);
    case "EROFS":
      return readOnly(file, error);
    case "EACCES":
    case "ENOTDIR":
      return vaultError("VAULT_UNUSABLE", `The store ${file} can't be made in its folder.`, {
        hint: `Its user must be able to write there:  ls -ld ${dirname(file)}`,
        cause: error,
      });
    default:
      return fromDatabase(file, error);
  }
}
