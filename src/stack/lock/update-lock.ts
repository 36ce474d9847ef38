import { closeSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { HardenErrorCode, Lock } from "../../harden/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { readLock, saveLock } from "./site-lock.ts";

/** Options of {@link updateLock}. */
export interface UpdateLockOptions {
  /** How long others may take that write, in milliseconds. Each takes a few. Default 5 000. */
  maxWaitMs?: number;
}

const stepMs = 20;

/**
 * Changes a project's lock as it lies there now: commands that approve something at the same time come one after the other, and none is lost.
 *
 * @param change gives what is to be written, of what was read
 * @throws {CurtainwallError} `HARDEN_LOCK_INVALID`, `HARDEN_OUTPUT_FAILED`
 */
export function updateLock(
  file: string,
  change: (lock: Lock) => Lock,
  { maxWaitMs = 5_000 }: UpdateLockOptions = {},
): Lock {
  const release = takeTurn(file, maxWaitMs);
  try {
    const changed = change(readLock(file));
    saveLock(file, changed);
    return changed;
  } finally {
    release();
  }
}

/** Waits until nobody else writes. Returns what ends the turn. */
function takeTurn(file: string, maxWaitMs: number): () => void {
  const mark = join(dirname(resolve(file)), `.${basename(file)}.turn`);
  for (let waited = 0; waited < maxWaitMs; waited += stepMs) {
    if (tryMark(mark)) return () => rmSync(mark, { force: true });
    removeIfDead(mark);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stepMs);
  }
  throw refused(mark, undefined);
}

function tryMark(mark: string): boolean {
  try {
    const fd = openSync(mark, "wx", 0o600);
    writeSync(fd, String(process.pid));
    closeSync(fd);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw refused(mark, cause);
  }
}

/** Whoever was killed while it wrote ends no turn. */
function removeIfDead(mark: string): void {
  const owner = readMark(mark);
  if (owner === "" || isAlive(Number(owner))) return;
  // Taken away by one alone; if another's turn began in between, it gets its mark back.
  const taken = `${mark}.${process.pid}`;
  try {
    renameSync(mark, taken);
    if (readMark(taken) !== owner) linkSync(taken, mark);
  } catch {
    // Somebody else was faster.
  }
  rmSync(taken, { force: true });
}

/** Empty: there is none, or it was made this moment. */
function readMark(mark: string): string {
  try {
    return readFileSync(mark, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const refused = (mark: string, cause: unknown): CurtainwallError<HardenErrorCode> =>
  new CurtainwallError(
    "HARDEN_OUTPUT_FAILED",
    cause === undefined
      ? "Another command has been writing the lock for too long."
      : `${mark} can't be made (${(cause as NodeJS.ErrnoException).code ?? "unknown"}), and so the lock not be changed.`,
    {
      hint:
        cause === undefined
          ? `If none is, delete ${mark}`
          : "Make its folder writable; harden and plan take another place with --lock",
      cause,
    },
  );
