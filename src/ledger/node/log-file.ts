import { closeSync, constants, fdatasync, fstatSync, openSync, readSync, write } from "node:fs";
import { promisify } from "node:util";
import { CurtainwallError } from "../../shared/index.ts";

const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);

/** The log on disk. */
export interface LogFile {
  /** Takes lines; they are written in order, in batches. */
  append(line: string): void;
  /** Resolves when all that was appended is on disk. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Options of {@link openLogFile}. */
export interface LogFileOptions {
  path: string;
  /** Called when a batch can't be written; its lines are kept and tried again. */
  onError: (error: CurtainwallError) => void;
  /** Time between two attempts after a failure, in milliseconds. Default 1 000. */
  retryMs?: number;
  /** Lines kept while the disk refuses them. Default 100 000. */
  maxPending?: number;
}

/**
 * Opens the log to append to it. A last line that a crash cut short is closed off, so that it can't swallow the next.
 *
 * @throws {CurtainwallError} `LEDGER_FILE_UNUSABLE` when it can't be opened
 */
export function openLogFile({
  path,
  onError,
  retryMs = 1000,
  maxPending = 100_000,
}: LogFileOptions): LogFile {
  const fd = openForAppending(path);
  let pending: string[] = endsInsideLine(fd) ? ["\n"] : [];
  let running: Promise<void> | undefined;
  let closed = false;

  async function drain(): Promise<void> {
    while (pending.length > 0) {
      const batch = Buffer.from(pending.join(""));
      pending = [];
      let from = 0;
      try {
        while (from < batch.length) from += (await writeAsync(fd, batch, from)).bytesWritten;
        await syncAsync(fd);
      } catch (cause) {
        onError(
          new CurtainwallError("LEDGER_WRITE_FAILED", "The log can't be written.", {
            cause,
            hint: `Free space for, or mend, ${path}`,
          }),
        );
        pending.unshift(batch.subarray(from).toString());
        if (closed) return;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  const start = (): Promise<void> => (running ??= drain().finally(() => (running = undefined)));

  return {
    append(line) {
      if (pending.length >= maxPending) pending.shift();
      pending.push(line);
      void start();
    },
    async flush() {
      while (pending.length > 0 || running !== undefined) await start();
    },
    async close() {
      closed = true;
      await (running ?? (pending.length > 0 ? start() : undefined));
      closeSync(fd);
    },
  };
}

function openForAppending(path: string): number {
  try {
    // O_NOFOLLOW: whoever could put a link here would choose what a privileged process appends to.
    return openSync(
      path,
      constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
      0o600,
    );
  } catch (cause) {
    throw new CurtainwallError("LEDGER_FILE_UNUSABLE", "The log can't be opened.", {
      cause,
      hint: `Check that ${path} is a plain file in a folder that can be written`,
    });
  }
}

function endsInsideLine(fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] !== 10;
}
