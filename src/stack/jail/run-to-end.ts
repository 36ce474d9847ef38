import type { ChildProcess } from "node:child_process";
import { CurtainwallError } from "../../shared/index.ts";
import { splitLines } from "../processes/safe-lines.ts";
import { howItEnded, lastLines, limitReached } from "./how-it-ended.ts";
import type { JailOptions } from "./jail-options.ts";
import { watchLimits } from "./watch-limits.ts";

/**
 * Waits for a build's process, tells its lines, and ends it when it reaches a limit or is to stop.
 *
 * @throws {CurtainwallError} `STACK_BUILD_FAILED`, `STACK_BUILD_LIMITED`
 */
export function runToEnd(child: ChildProcess, options: JailOptions): Promise<void> {
  const { command, onLine = () => {}, signal } = options;
  const build = `The build ${JSON.stringify(command)}`;
  return new Promise((resolve, reject) => {
    const last = lastLines();
    const tell = (line: string): void => {
      last.add(line);
      onLine(line);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", splitLines(tell));
    let why: CurtainwallError | undefined;
    const end = (reason: CurtainwallError): void => {
      why ??= reason;
      killGroup(child);
    };
    const failed = (how: string): CurtainwallError =>
      new CurtainwallError("STACK_BUILD_FAILED", `${build} ${how}.`, { hint: last.hint() });
    const unwatch = watchLimits({
      pid: child.pid ?? 0,
      folder: options.root,
      limits: options,
      onReached: (limit) => end(limitReached(build, limit, last.hint())),
    });
    const abort = (): void => end(failed("was stopped"));
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    child.once("error", (cause) => {
      unwatch();
      reject(failed(`could not be started: ${cause.message}`));
    });
    child.once("close", (code, killed) => {
      unwatch();
      signal?.removeEventListener("abort", abort);
      if (why === undefined && code === 0) resolve();
      else reject(why ?? failed(howItEnded(code, killed)));
    });
  });
}

/** Ends a process that has a group of its own, and what is in that. */
export function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}
