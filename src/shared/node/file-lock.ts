import type { DatabaseSync } from "node:sqlite";

/** SQLite's code, the lowest byte of what it says. */
const busy = 5;
/** One that nobody holds would be collected, and its lock with it. */
const held = new Set<DatabaseSync>();

/** Options of {@link withFileLock}. */
export interface FileLockOptions {
  /** How long to wait for another process that holds the lock, in milliseconds. Default 10 000. */
  timeoutMs?: number;
}

/**
 * Runs something while no other process of this machine does the same for this file. It is the kernel that holds the lock, through SQLite: it
 * ends with its process, also with one that is killed, so that nobody ever judges whether a lock that lies about is still meant.
 * Beside the file an empty one, `….lock`, stays: who removed it would let two holders lock two files.
 *
 * @throws what the work throws; SQLite's own error when the lock can't be had within the time
 */
export function withFileLock<Result>(
  file: string,
  work: () => Result,
  { timeoutMs = 10_000 }: FileLockOptions = {},
): Result {
  const giveBack = holdFileLock(`${file}.lock`, { timeoutMs });
  try {
    return work();
  } finally {
    giveBack();
  }
}

/**
 * Takes the lock that an empty file is, as {@link withFileLock} does, and keeps it until it is given back or the process ends. No process that is
 * started meanwhile inherits it. Nobody may open the file otherwise: to close it anywhere in this process would give the lock back.
 *
 * @returns gives it back
 * @throws SQLite's own error when it can't be had within the time
 */
export function holdFileLock(lockFile: string, { timeoutMs = 10_000 }: FileLockOptions = {}): () => void {
  // Only who writes needs SQLite: whoever imports this for something else does not load it.
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(lockFile, { timeout: timeoutMs });
  const giveBack = (): void => {
    if (!held.delete(database)) return;
    // Rolls back, so that nothing is ever written into the file.
    database.close();
  };
  held.add(database);
  try {
    // In memory: a journal of a transaction that writes nothing would only be one more file to lie about.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    giveBack();
    throw error;
  }
  return giveBack;
}

/** Whether a lock could not be had because another holds it. */
export const isLockHeld = (error: unknown): boolean =>
  (((error as { errcode?: number }).errcode ?? 0) & 0xff) === busy;
