import { closeSync, fdatasync, fstatSync, write } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import type { SecurityEvent } from "../../contract/events.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { LedgerErrorCode } from "../errors.ts";
import { formatRecord, isAlert } from "../record.ts";
import { chainStart } from "./chain.ts";
import type { ChainHead } from "./chain.ts";
import { continueChain, resumed } from "./continue-chain.ts";
import { isFileAt, openForAppending } from "./log-descriptor.ts";
import { removedRange } from "./removed-range.ts";
import { rotateLog } from "./rotate.ts";

const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);

/** The log on disk. */
export interface LogFile {
  /** Takes a record's line, as `formatRecord` gives it; each is chained to the one before and written in order, in batches. After `close` it is ignored. */
  append(line: string): void;
  /**
   * Appends a line, and resolves with its record's number once it is on disk.
   *
   * @throws {CurtainwallError} `LEDGER_WRITE_FAILED` as soon as it could not be written, and at once while nothing can; it may still be written later
   */
  record(line: string): Promise<number>;
  /** 16 random bytes that name the log, base64url. */
  readonly log: string;
  /** How far the chain is on disk. */
  head(): ChainHead;
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
  /** Files that are kept beside the one that is written to, more of them where they are smaller than that; the oldest goes first. At least 1. Default 8. */
  keepFiles?: number;
  /**
   * Called once the log says which records will be removed, and before they are: what was signed last can still be followed to there. Nothing is
   * written until it resolves. Default: nothing.
   */
  beforeRemoval?: () => Promise<void>;
  /** Called each time that records came to lie on disk, with whether one of them is an alert. Default: nothing. */
  onWritten?: (hasAlert: boolean) => void;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

/**
 * Opens the log to append to it, and goes on with its chain. A last line that a crash cut short is closed off, so that it can't swallow the next,
 * and accounted for in the record that follows.
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
  beforeRemoval,
  onWritten = () => undefined,
  now = Date.now,
}: LogFileOptions): LogFile {
  // Said in errors; asked for now, since it may be out of sight later.
  const place = resolve(path);
  let fd = openForAppending(path, owner);
  const { chain, log, ...continued } = continueChain(path, fd, now());
  let { opening } = continued;
  // What the opening says is not there yet.
  let written = opening.length > 1 ? chainStart : chain.head();
  const pending: string[] = [];
  let pendingLength = 0;
  let lost = 0;
  let [acceptedLines, linkedLines] = [0, 0];
  /** Among what was taken to be written last. */
  let hasAlert = false;
  let awaited: Awaited[] = [];
  let failure: CurtainwallError<LedgerErrorCode> | undefined;
  let rotateAfter = 0;
  let running: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let wake: () => void = () => undefined;

  /** A file's worth at most, so that a burst that waited does not make one file of itself. */
  function takeBatch(): Buffer {
    if (lost > 0)
      wait(
        formatRecord({ type: "ledger.events.lost", time: now(), source: "ledger", count: lost }, "ledger"),
      );
    lost = 0;
    let count = 0;
    let length = 0;
    while (count < pending.length && length < maxFileBytes) length += pending[count++]?.length ?? 0;
    pendingLength = Math.max(0, pendingLength - length);
    const lines = pending.splice(0, count).map(linked);
    const text = opening + lines.join("");
    opening = "";
    return Buffer.from(text);
  }

  function wait(line: string): number {
    pending.push(line);
    pendingLength += line.length;
    return ++acceptedLines;
  }

  function linked(line: string): string {
    const text = chain.link(line);
    linkedLines++;
    hasAlert ||= isAlert(line);
    for (const one of awaited) if (one.number === linkedLines) one.seq = chain.head().seq;
    return text;
  }

  /** Tells those who wait that what they wait for is on disk, or that it is not. */
  function tellAwaited(problem: CurtainwallError<LedgerErrorCode> | undefined): void {
    failure = problem;
    if (awaited.length === 0) return;
    const told = awaited.filter(({ seq }) => problem !== undefined || seq !== undefined);
    awaited = awaited.filter((one) => !told.includes(one));
    for (const { seq = 0, resolve, reject } of told)
      if (problem === undefined) resolve(seq);
      else reject(problem);
  }

  /** Writes all of it, however long that takes. False: the log was closed before it could be. */
  async function writeOut(bytes: Buffer): Promise<boolean> {
    let from = 0;
    for (;;) {
      try {
        while (from < bytes.length) from += (await writeAsync(fd, bytes, from)).bytesWritten;
        await syncAsync(fd);
        written = chain.head();
        tellAwaited(undefined);
        onWritten(hasAlert);
        hasAlert = false;
        return true;
      } catch (cause) {
        const problem = unwritable(place, cause);
        onError(problem);
        tellAwaited(problem);
        if (closing !== undefined) return false;
        await pause();
      }
    }
  }

  /** Begins a new file when this one is full. If that can't be done the full one grows on: no event is given up for a bound. False: as {@link writeOut}. */
  async function rotateIfFull(): Promise<boolean> {
    if (now() < rotateAfter || fstatSync(fd).size < maxFileBytes) return true;
    try {
      // Somebody may have moved it away already; then there is nothing to make way for.
      if (isFileAt(path, fd)) {
        const removed = removedRange(path, { maxFileBytes, keepFiles });
        // What will be missing is told before it is: else it could not be told from what somebody took away.
        if (
          removed !== undefined &&
          !(await writeRecord({ type: "ledger.rotated", time: now(), ...removed }))
        )
          return false;
        if (removed !== undefined) await beforeRemoval?.();
        rotateLog(path, { maxFileBytes, keepFiles });
      }
      const fresh = openForAppending(path, owner);
      closeSync(fd);
      fd = fresh;
      opening = resumed(fd, chain, log, now());
    } catch (cause) {
      rotateAfter = now() + retryMs;
      onError(unwritable(place, cause));
    }
    return true;
  }

  const writeRecord = (event: SecurityEvent): Promise<boolean> =>
    writeOut(Buffer.from(chain.link(formatRecord(event, "ledger"))));

  async function drain(): Promise<void> {
    // Before the file is moved anywhere, since it says what lies before it there.
    if (opening !== "" && !(await writeOut(takeOpening()))) return;
    while (pending.length > 0) {
      if (!(await rotateIfFull()) || !(await writeOut(takeBatch()))) return;
    }
  }

  function takeOpening(): Buffer {
    const bytes = Buffer.from(opening);
    opening = "";
    return bytes;
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

  if (opening !== "") void start();
  return {
    log,
    head: () => written,
    append(line) {
      if (closing !== undefined) return;
      if (pendingLength + line.length > maxPendingLength) {
        lost++;
        return;
      }
      wait(line);
      void start();
    },
    record(line) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      // What waits already may wait for long: nobody is to wait behind it.
      if (failure !== undefined || closing !== undefined || pendingLength + line.length > maxPendingLength)
        reject(failure ?? unwritable(place, undefined));
      else {
        awaited.push({ number: wait(line), seq: undefined, resolve, reject });
        void start();
      }
      return promise;
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

/** A line that somebody waits for. */
interface Awaited {
  /** How many lines were taken up to it. */
  readonly number: number;
  /** Its record's number, once it has one. */
  seq: number | undefined;
  readonly resolve: (seq: number) => void;
  readonly reject: (problem: CurtainwallError<LedgerErrorCode>) => void;
}

const unwritable = (place: string, cause: unknown): CurtainwallError<LedgerErrorCode> =>
  new CurtainwallError("LEDGER_WRITE_FAILED", "The log can't be written.", {
    cause,
    hint: `Free space for, or mend, ${place}`,
  });
