import { existsSync, readFileSync, readdirSync } from "node:fs";

/** Watches how much memory a browser takes. */
export interface MemoryWatch {
  /** Whether it took too much, and was ended for it. */
  isOver(): boolean;
  stop(): void;
}

/** Pages fill some 300 MB a second. */
const everyMs = 250;

/**
 * Ends a browser, with all of its processes, once they have more memory than that: a limit of the script engine holds for a script's objects and not for the buffers
 * that it fills, and one of the system for each process alone. Where there is no `/proc`, nothing is watched.
 */
export function watchMemory(pid: number, maxBytes: number): MemoryWatch {
  let isOver = false;
  // Whoever starts a browser gives it a group of its own, which all of its processes stay in.
  const group = existsSync("/proc/self/status") ? groupOf(pid) : undefined;
  const watching = setInterval(() => {
    if (group === undefined || memoryOf(group) <= maxBytes) return;
    isOver = true;
    clearInterval(watching);
    end(group === groupOf(process.pid) ? pid : -group);
  }, everyMs).unref();
  return { isOver: () => isOver, stop: () => clearInterval(watching) };
}

/** Memory that a group of processes has for itself, in bytes: not what it reads of the browser's own files. */
function memoryOf(group: number): number {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && groupOf(pid) === group)
    .reduce((sum, pid) => sum + privateBytes(pid), 0);
}

/** What two processes share counts for both: it is little, and what a page shares on purpose it had better count. */
function privateBytes(pid: number): number {
  const kilobytes = [
    ...read(pid, "status").matchAll(/^(?:RssAnon|RssShmem|VmSwap):\s{1,20}(\d{1,12}) kB$/gm),
  ];
  return kilobytes.reduce((sum, [, count]) => sum + Number(count) * 1024, 0);
}

/** Of a name that may hold anything, what follows its last parenthesis. */
function groupOf(pid: number): number | undefined {
  const text = read(pid, "stat");
  const group = Number(text.slice(text.lastIndexOf(")") + 2).split(" ", 3)[2]);
  return group > 0 ? group : undefined;
}

/** Empty of a process that is gone. */
function read(pid: number, name: "stat" | "status"): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

function end(target: number): void {
  try {
    process.kill(target, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}
