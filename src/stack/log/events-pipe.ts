import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Both ends of a pipe, as descriptors. */
export interface EventsPipe {
  /** The domain that writes to it. */
  readonly name: string;
  readonly readFd: number;
  readonly writeFd: number;
}

/**
 * Makes the pipes from domains to the ledger. The supervisor keeps all ends, so that what was sent survives while either
 * side is started again. Made through FIFOs with no name left, since Node has no pipe().
 */
export function openEventsPipes(names: readonly string[]): EventsPipe[] {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-"));
  try {
    const paths = names.map((name) => join(folder, name));
    execFileSync("mkfifo", ["-m", "600", ...paths]);
    return names.map((name) => openBothEnds(name, join(folder, name)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The reading end first: without one, opening the other would wait for it. */
function openBothEnds(name: string, path: string): EventsPipe {
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { name, readFd, writeFd: openSync(path, constants.O_WRONLY) };
}

/** Closes both ends of each. */
export function closeEventsPipes(pipes: readonly EventsPipe[]): void {
  for (const { readFd, writeFd } of pipes) {
    closeSync(readFd);
    closeSync(writeFd);
  }
}
