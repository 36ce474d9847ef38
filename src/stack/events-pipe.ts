import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Both ends of a pipe, as descriptors. */
export interface EventsPipe {
  readonly readFd: number;
  readonly writeFd: number;
}

/**
 * Makes the pipe from a domain to the ledger. The supervisor keeps both ends, so that what was sent survives while either
 * side is started again. Made through a FIFO with no name left, since Node has no pipe().
 */
export function openEventsPipe(): EventsPipe {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-"));
  try {
    const path = join(folder, "events");
    execFileSync("mkfifo", ["-m", "600", path]);
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { readFd, writeFd: openSync(path, constants.O_WRONLY) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
