import { randomBytes } from "node:crypto";
import { linkSync, rmSync } from "node:fs";
import { writeWhole } from "../../release/node.ts";

/**
 * Makes the key of a store where there is none; tells whether it did. Of two processes that do so at once one makes it, and both have the same: a
 * store that was sealed with a key that was then replaced could be opened by nothing.
 */
export function makeOwnKey(file: string): boolean {
  const draft = `${file}.new-${randomBytes(6).toString("hex")}`;
  try {
    writeWhole(draft, randomBytes(32), 0o600);
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
