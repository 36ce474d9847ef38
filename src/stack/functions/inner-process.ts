import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { processTree } from "../inspect/process-tree.ts";

/** What a group's process is before it becomes what runs functions. */
const launchers: ReadonlySet<string> = new Set(["setpriv", "prlimit", "bwrap"]);
const lookMs = 1;

/**
 * Resolves with the process inside a sandbox once there is one; undefined if the sandbox ended before. Asked of the kernel, not of `bwrap --info-fd`:
 * with nobody there to read, `bwrap` ends while what it started waits for its word, for good.
 */
export async function innerProcess(outer: number, hasEnded: () => boolean): Promise<number | undefined> {
  for (; !hasEnded(); await wait(lookMs)) {
    const inner = childOf(outer);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/**
 * Resolves once a process has become the program that it was started for. By then it has asked the kernel to end with the one that started it, and before
 * it has not: a process that starts it and dies meanwhile would leave it behind.
 */
export async function runsItself(pid: number, hasEnded: () => boolean): Promise<void> {
  while (!hasEnded() && launchers.has(nameOf(pid))) await wait(lookMs);
}

function childOf(pid: number): number | undefined {
  try {
    const [child = ""] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
    return child === "" ? undefined : Number(child);
  } catch {
    // It has ended, or its kernel keeps no such list.
    return processTree(pid)[1]?.pid;
  }
}

/** The kernel's name of a process: that of its program, cut short. */
function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    // It has ended, or there is no /proc.
    return "";
  }
}
