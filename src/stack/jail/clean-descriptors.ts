import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";

type Inherited = number | "pipe" | "ignore";

/**
 * Runs something with a list of a child's descriptors in which every one that this process itself inherited, and would pass on, is
 * replaced by `/dev/null`: those of a CI runner, of `make`, of whoever opened something before they started us.
 */
export function withCleanDescriptors<T>(own: readonly Inherited[], start: (stdio: Inherited[]) => T): T {
  const stdio = [...own];
  const leaking = passedOn().filter((fd) => fd >= own.length);
  const nothing = openSync("/dev/null", "r");
  try {
    while (stdio.length <= Math.max(-1, ...leaking)) stdio.push("ignore");
    for (const fd of leaking) stdio[fd] = nothing;
    return start(stdio);
  } finally {
    closeSync(nothing);
  }
}

const closeOnExec = 0o2000000;

/** Descriptors that a program which we start would have too. Node's own are closed on `exec`. */
function passedOn(): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => (flagsOf(fd) & closeOnExec) === 0);
}

/** A descriptor that is gone, the folder's own among them, is as good as closed. */
function flagsOf(fd: number): number {
  try {
    const [, flags = "0"] =
      /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
    return Number.parseInt(flags, 8);
  } catch {
    return closeOnExec;
  }
}
