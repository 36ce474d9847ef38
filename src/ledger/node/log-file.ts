import {
  closeSync,
  constants,
  fchownSync,
  fdatasync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  write,
} from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { CurtainwallError } from "../../shared/index.ts";
import type { LedgerErrorCode } from "../errors.ts";
import { formatRecord } from "../record.ts";
import { rotateLog } from "./rotate.ts";

const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);

/** The log on disk. */
export interface LogFile {
  /** Takes a line; lines are written in order, in batches. After `close` it is ignored. */
  append(line: string): void;
  /** Resolves when all that was appended is on disk. */
  flush(): Promise<void>;
  /** Writes what waits, in one last attempt, and gives up the file. */
  close(): Promise<void>;
}

/** Options of {@link openLogFile}. */
export interface LogFileOptions {
  /** The file. Relative if this process will lose the right to pass through the folders above the present one. */
  path: string;
  /** Who owns the file from then on. Default: whoever opens it. */
  owner?: { uid: number; gid: number } | undefined;
  /** Called when a batch can't be written; its lines are kept and tried again. */
  onError: (error: CurtainwallError<LedgerErrorCode>) => void;
  /** Time between two attempts after a failure, in milliseconds. Default 1 000. */
  retryMs?: number;
  /**
   * Characters that wait while the disk refuses them. Lines beyond that are dropped, the newest, and their number is
   * written as `ledger.events.lost`. Default 33 554 432.
   */
  maxPendingLength?: number;
  /** Size at which the file is moved out of the way and a new one begun, in bytes. Default 67 108 864. */
  maxFileBytes?: number;
  /** Files that are kept beside the one that is written to; the oldest goes first. At least 1. Default 8. */
  keepFiles?: number;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

/**
 * Opens the log to append to it. A last line that a crash cut short is closed off, so that it can't swallow the next.
 *
 * @throws {CurtainwallError} `LEDGER_FILE_UNUSABLE` when it can't be opened, or is not a plain file
 */
export function openLogFile({
  path,
  owner,
  onError,
  retryMs = 1000,
  maxPendingLength = 33_554_432,
  maxFileBytes = 67_108_864,
  keepFiles = 8,
  now = Date.now,
}: LogFileOptions): LogFile {
  // Said in errors; asked for now, since it may be out of sight later.
  const place = resolve(path);
  let fd = openForAppending(path, owner);
  const pending: string[] = endsInsideLine(fd) ? ["\n"] : [];
  let pendingLength = 0;
  let lost = 0;
  let rotateAfter = 0;
  let running: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let wake: () => void = () => undefined;

  /** A file's worth at most, so that a burst that waited does not make one file of itself. */
  function takeBatch(): Buffer {
    if (lost > 0)
      pending.push(
        formatRecord({ type: "ledger.events.lost", time: now(), source: "ledger", count: lost }, "ledger"),
      );
    lost = 0;
    let count = 0;
    let length = 0;
    while (count < pending.length && length < maxFileBytes) length += pending[count++]?.length ?? 0;
    pendingLength = Math.max(0, pendingLength - length);
    return Buffer.from(pending.splice(0, count).join(""));
  }

  /** Begins a new file when this one is full. If that can't be done the full one grows on: no event is given up for a bound. */
  function rotateIfFull(): void {
    if (now() < rotateAfter || fstatSync(fd).size < maxFileBytes) return;
    try {
      // Somebody may have moved it away already; then there is nothing to make way for.
      if (isFileAt(path, fd)) rotateLog(path, keepFiles);
      const fresh = openForAppending(path, owner);
      closeSync(fd);
      fd = fresh;
      if (endsInsideLine(fd)) pending.unshift("\n");
    } catch (cause) {
      rotateAfter = now() + retryMs;
      onError(unwritable(place, cause));
    }
  }

  async function drain(): Promise<void> {
    while (pending.length > 0) {
      rotateIfFull();
      const batch = takeBatch();
      let from = 0;
      for (;;) {
        try {
          while (from < batch.length) from += (await writeAsync(fd, batch, from)).bytesWritten;
          await syncAsync(fd);
          break;
        } catch (cause) {
          onError(unwritable(place, cause));
          if (closing !== undefined) return;
          await pause();
        }
      }
    }
  }

  /** Waits before another attempt, or until the log is closed. */
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, retryMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  function start(): Promise<void> {
    // Not in `finally`, which comes a moment later: a line appended in between would wait for the next.
    running ??= drain().then(() => {
      running = undefined;
      return pending.length > 0 && closing === undefined ? start() : undefined;
    });
    return running;
  }

  return {
    append(line) {
      if (closing !== undefined) return;
      if (pendingLength + line.length > maxPendingLength) {
        lost++;
        return;
      }
      pending.push(line);
      pendingLength += line.length;
      void start();
    },
    async flush() {
      while (running !== undefined || pending.length > 0) await start();
    },
    close() {
      closing ??= (async () => {
        await Promise.resolve();
        wake();
        await running;
        if (pending.length > 0) await drain();
        closeSync(fd);
      })();
      return closing;
    },
  };
}

const unwritable = (place: string, cause: unknown): CurtainwallError<LedgerErrorCode> =>
  new CurtainwallError("LEDGER_WRITE_FAILED", "The log can't be written.", {
    cause,
    hint: `Free space for, or mend, ${place}`,
  });

const unusable = (path: string, cause: unknown): CurtainwallError<LedgerErrorCode> =>
  new CurtainwallError("LEDGER_FILE_UNUSABLE", "The log can't be opened.", {
    cause,
    hint: `Check that ${resolve(path)} is a plain file in a folder that can be written`,
  });

function openForAppending(path: string, owner: LogFileOptions["owner"]): number {
  let fd: number;
  try {
    // O_NOFOLLOW: whoever could put a link here would choose what a privileged process appends to. O_NONBLOCK: a pipe put
    // here must not hold the start up.
    const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
    fd = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (cause) {
    throw unusable(path, cause);
  }
  const stats = fstatSync(fd);
  // A second name would be somebody else's file, linked here to be handed over.
  if (stats.isFile() && stats.nlink === 1) {
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    return fd;
  }
  closeSync(fd);
  throw unusable(path, undefined);
}

/** Whether a path still leads to an open file. */
function isFileAt(path: string, fd: number): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  const { ino, dev } = fstatSync(fd);
  return there?.ino === ino && there.dev === dev;
}

function endsInsideLine(fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] !== 10;
}
