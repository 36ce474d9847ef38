import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";
import type { StackFolders } from "../folders.ts";

/** SQLite's codes, the lowest byte of what it says. */
const busy = 5;
/** One that nobody holds would be collected, and its lock with it. */
const held = new Set<DatabaseSync>();

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
  // The lock's own file is opened by nobody else: to close it anywhere in this process would give the lock back.
  const pidFile = join(supervisor, "running.pid");
  let lock: DatabaseSync | undefined;
  const close = (): void => {
    if (lock === undefined) return;
    held.delete(lock);
    lock.close();
  };
  try {
    mkdirSync(supervisor, { recursive: true, mode: 0o700 });
    lock = new DatabaseSync(join(supervisor, "running.lock"));
    held.add(lock);
    // Nothing is written, so no journal need lie there for whoever comes after a kill.
    lock.exec(`PRAGMA busy_timeout = ${waitMs}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`);
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (cause) {
    close();
    if (isBusy(cause)) throw runsAlready(pidFile, state, cause);
    warn(`nothing keeps a second stack from running on ${state}: ${(cause as Error).message}`);
    return () => undefined;
  }
  return () => {
    rmSync(pidFile, { force: true });
    close();
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

const isBusy = (error: unknown): boolean => (((error as { errcode?: number }).errcode ?? 0) & 0xff) === busy;

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
