import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { isLoopbackHost } from "../../contract/index.ts";
import { CurtainwallError, sha256, toHex } from "../../shared/index.ts";
import type { CliErrorCode } from "../errors.ts";
import { say } from "../voice.ts";
import { ownFolder } from "./own-folder.ts";

/** Longer than an audit or an attack takes by default. */
const maxWaitMs = 600_000;
const pauseMs = 200;
/** SQLite's code, the lowest byte of what it says. */
const busy = 5;
/** A lock that nobody refers to would be collected, and given back with that. */
const held = new Set<DatabaseSync>();

/**
 * Waits until nothing else that this user runs on this machine audits or attacks a target, and keeps others waiting until it is done: what one of them
 * writes, the other would take for a refusal that was done all the same. The lock is SQLite's on an empty file that stays, so that the kernel gives it back
 * when a process is killed. It lies where nobody else can hold it, or anybody on the machine could keep audits waiting; so what two users run on one
 * target at once is not kept apart.
 *
 * @throws {CurtainwallError} `CLI_TARGET_BUSY` after ten minutes
 */
export async function aloneAt<Result>(target: URL, act: () => Promise<Result>): Promise<Result> {
  const giveBack = await hold(target);
  try {
    return await act();
  } finally {
    giveBack();
  }
}

async function hold(target: URL): Promise<() => void> {
  const deadline = performance.now() + maxWaitMs;
  const file = await lockFile(target);
  if (file === undefined) return () => undefined;
  for (let tries = 0; ; tries++) {
    const lock = take(file);
    if (lock !== "busy") return lock;
    if (tries === 0) say(`Another audit or attack of ${target.origin} runs here; this one waits for it.`);
    if (performance.now() > deadline)
      throw new CurtainwallError<CliErrorCode>(
        "CLI_TARGET_BUSY",
        `Another audit or attack of ${target.origin} still runs on this machine.`,
        { hint: "End it, or wait for it" },
      );
    await sleep(pauseMs);
  }
}

/** The file that stands for a target. Undefined: there is no place for it, so nobody is kept waiting. */
async function lockFile({ hostname, host, port }: URL): Promise<string | undefined> {
  const folder = ownFolder();
  if (folder === undefined) return undefined;
  // This machine has many names; those of others may be longer than a file's.
  const name = isLoopbackHost(hostname) ? port : toHex(await sha256(host)).slice(0, 32);
  return join(folder, `curtainwall-target-${name}.lock`);
}

/** Locks a file. Gives what gives it back; where nothing can be locked, nobody is kept waiting. */
function take(file: string): (() => void) | "busy" {
  let lock: DatabaseSync | undefined;
  const close = (): void => {
    if (lock === undefined) return;
    held.delete(lock);
    lock.close();
  };
  try {
    lock = new DatabaseSync(file);
    held.add(lock);
    // Nothing is written, so no journal need lie there for whoever comes after a kill.
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return close;
  } catch (error) {
    close();
    return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === busy ? "busy" : () => undefined;
  }
}
