import { readFileSync, statSync } from "node:fs";
import { CurtainwallError } from "../../shared/index.ts";
import { holdFileLock, isLockHeld } from "../../shared/node.ts";
import type { LedgerErrorCode } from "../errors.ts";

/**
 * Takes the right to write a log, for as long as this process lives or until it is given back. A ledger outlives a supervisor that is killed, with
 * all that it read and did not write yet: whoever went on with the chain meanwhile would have it cut in two.
 *
 * @param lockFile an empty file that belongs to this alone, not in a folder of somebody who is trusted less: SQLite follows links
 * @param waitMs how long to wait for another
 * @returns gives it back
 * @throws {CurtainwallError} `LEDGER_IN_USE`; SQLite's own error where nothing can be locked
 */
export function lockLog(lockFile: string, waitMs: number): () => void {
  try {
    return holdFileLock(lockFile, { timeoutMs: waitMs });
  } catch (error) {
    throw isLockHeld(error) ? inUse(holderOf(lockFile), error) : error;
  }
}

/** Which process holds a lock, by the kernel's own list. Undefined: it has none, or does not show it here, as in a sandbox. */
function holderOf(lockFile: string): string | undefined {
  try {
    // 1: POSIX  ADVISORY  WRITE 4711 08:01:12345 1073741824 1073742335. Not by the device: some file systems give two.
    const held = new RegExp(`POSIX +ADVISORY +WRITE ([1-9]\\d*) [0-9a-f:]+:${statSync(lockFile).ino} `);
    return held.exec(readFileSync("/proc/locks", "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

function inUse(pid: string | undefined, cause: unknown): CurtainwallError<LedgerErrorCode> {
  const [process, end] = pid === undefined ? ["", ""] : [` (process ${pid})`, `:  kill -KILL ${pid}`];
  return new CurtainwallError("LEDGER_IN_USE", `Another process${process} still writes the log.`, {
    cause,
    hint: `It is the ledger of a stack that was killed, or a command. Wait until it ends, or end it${end}`,
  });
}
