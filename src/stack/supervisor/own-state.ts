import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CurtainwallError } from "../../shared/index.ts";
import { holdFileLock, isLockHeld } from "../../shared/node.ts";
import type { StackErrorCode } from "../errors.ts";
import type { StackFolders } from "../folders.ts";

/**
 * Takes a site's state for this process: two stacks on one would write one log and remember webhooks apart. The lock is SQLite's on an empty file:
 * the kernel gives it back when the process ends, however it does, no domain inherits it, and containers that share a volume on one machine see it.
 *
 * @param warn told when nothing can be locked there
 * @param waitMs how long to wait for a command that writes a line into the log, which nobody else does meanwhile
 * @returns gives it back
 * @throws {CurtainwallError} `STACK_RUNS_ALREADY`
 */
export function ownState(
  { supervisor, state }: StackFolders,
  warn: (message: string) => void,
  waitMs = 0,
): () => void {
  const pidFile = join(supervisor, "running.pid");
  let unlock: () => void = () => undefined;
  try {
    mkdirSync(supervisor, { recursive: true, mode: 0o700 });
    unlock = holdFileLock(join(supervisor, "running.lock"), { timeoutMs: waitMs });
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (cause) {
    unlock();
    if (isLockHeld(cause)) throw runsAlready(pidFile, state, cause);
    warn(`nothing keeps a second stack from running on ${state}: ${(cause as Error).message}`);
    return () => undefined;
  }
  return () => {
    rmSync(pidFile, { force: true });
    unlock();
  };
}

/**
 * Sees that no stack runs on a site's state, before work that one would not like. Keeps nothing: `startStack` looks again.
 *
 * @param waitMs how long to wait for a command that writes a line into the log. Default 1000.
 * @throws {CurtainwallError} `STACK_RUNS_ALREADY`
 */
export function assertNotRunning(folders: StackFolders, waitMs = 1000): void {
  // Where no stack ever ran, none runs, and nothing is made.
  if (existsSync(folders.supervisor)) ownState(folders, () => undefined, waitMs)();
}

function runsAlready(pidFile: string, state: string, cause: unknown): CurtainwallError<StackErrorCode> {
  const pid = existsSync(pidFile) ? readFileSync(pidFile, "utf8").trim() : "";
  return new CurtainwallError(
    "STACK_RUNS_ALREADY",
    `This site runs already${pid === "" ? "" : ` (process ${pid})`}, and its state in ${state} is that stack's.`,
    {
      cause,
      hint: pid === "" ? "Stop that one first" : `Stop that one first:  kill ${pid}`,
    },
  );
}
