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
  // Only who writes needs SQLite: whoever imports this for something else does not load it.
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(`${file}.lock`, { timeout: timeoutMs });
  try {
    // In memory: a journal of a transaction that writes nothing would only be one more file to lie about.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return work();
  } finally {
    // Rolls back, so that nothing is ever written into the file.
    database.close();
  }
}
