import { closeSync, fsyncSync, openSync } from "node:fs";

/** Waits until a file is on disk, or a folder's names are: a new one is safe only then. */
export function syncPath(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
