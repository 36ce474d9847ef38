import { readFileSync } from "node:fs";

const intervalMs = 50;

/** Options of {@link watchMemory}. */
export interface WatchMemoryOptions {
  /** Looked at each time: the process may be known only later. */
  readonly pid: () => number | undefined;
  readonly maxBytes: number;
  /** Called once. */
  readonly onReached: (bytes: number) => void;
}

/**
 * Measures a process's own memory 20 times a second. The kernel's limit on a process's data counts what V8 reserves and never touches, and so
 * can't be close; this one is.
 *
 * @returns ends the watch
 */
export function watchMemory({ pid, maxBytes, onReached }: WatchMemoryOptions): () => void {
  const timer = setInterval(() => {
    const process = pid();
    const bytes = process === undefined ? 0 : ownMemory(process);
    if (bytes <= maxBytes) return;
    clearInterval(timer);
    onReached(bytes);
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** What it holds that no file has, in bytes: memory of its own, shared memory that it made, and what of it was swapped out. @see proc_pid_status(5) */
function ownMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    let kilobytes = 0;
    for (const [, size] of status.matchAll(/^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm))
      kilobytes += Number(size);
    return kilobytes * 1024;
  } catch {
    // It has ended.
    return 0;
  }
}
