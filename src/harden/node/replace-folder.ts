import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { written } from "./blob-store.ts";

/**
 * Puts a finished folder in the place of the one before, which goes only once the new one is there.
 *
 * @throws {CurtainwallError} `HARDEN_OUTPUT_FAILED`
 */
export function replaceFolder(fresh: string, place: string): void {
  const old = besideOf(place, process.pid, "old");
  written(() => {
    let moved = true;
    try {
      renameSync(place, old);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      moved = false;
    }
    try {
      renameSync(fresh, place);
    } catch (error) {
      if (moved) renameSync(old, place);
      throw error;
    }
    if (moved) rmSync(old, { recursive: true, force: true });
  });
}

/**
 * Where a folder is made that {@link replaceFolder} puts in place. Tidies up first what processes left that were killed: one that
 * was killed between its two renames left the folder from before under another name, and it is put back.
 *
 * @throws {CurtainwallError} `HARDEN_OUTPUT_FAILED`
 */
export function freshFolder(place: string): string {
  const folder = dirname(place);
  written(() => {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const [, pid, state] =
        new RegExp(`^\\.${escape(basename(place))}\\.(\\d+)\\.(new|old)$`).exec(name) ?? [];
      if (pid === undefined || isAlive(Number(pid))) continue;
      if (state === "old" && !existsSync(place)) renameSync(join(folder, name), place);
      else rmSync(join(folder, name), { recursive: true, force: true });
    }
    rmSync(besideOf(place, process.pid, "new"), { recursive: true, force: true });
  });
  return besideOf(place, process.pid, "new");
}

/** On the same disk as the place, so that a rename is enough. */
const besideOf = (place: string, pid: number, state: "new" | "old"): string =>
  join(dirname(place), `.${basename(place)}.${pid}.${state}`);

const escape = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** Whether a process is there, be it another user's. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
