import type { ChildProcess } from "node:child_process";
import type { Writable } from "node:stream";
import { callFilter } from "./call-filter.ts";

const filter = callFilter();

/** Arguments with which `bwrap` reads its filter from a descriptor; none where there is no filter. */
export function filterArguments(fd: number): string[] {
  return filter === undefined ? [] : ["--seccomp", String(fd)];
}

/** What a process gets as that descriptor, when it is started synchronously. */
export const filterBytes: Uint8Array = filter ?? new Uint8Array(0);

/** Sends a filter to a `bwrap` that was started with a pipe at that descriptor. It reads to the end before it does anything else. */
export function sendFilter(child: ChildProcess, fd: number): void {
  const pipe = child.stdio[fd] as Writable | undefined;
  // A bwrap that could not be started, or ended at once, is noticed by its end.
  pipe?.on("error", () => undefined);
  pipe?.end(filterBytes);
}
