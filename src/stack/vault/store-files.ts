import { lstatSync } from "node:fs";

/**
 * Names the files that a store is made of right now: SQLite's log and its index, beside it, count as much as the database itself. Who opened
 * others than lie under these names reads and writes what nobody else sees. Opens none of them: whoever closes a descriptor of theirs gives up
 * all locks of the whole process (`fcntl(2)`).
 */
export const storeFiles = (file: string): string =>
  [file, `${file}-wal`, `${file}-shm`].map(identityOf).join(" ");

function identityOf(file: string): string {
  try {
    const stats = lstatSync(file, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? "none" : `${stats.dev}:${stats.ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}
