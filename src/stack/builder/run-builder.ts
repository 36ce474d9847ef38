import type { Readable } from "node:stream";
import { CurtainwallError } from "../../shared/index.ts";
import { removeTree } from "../jail/clear-tree.ts";
import { howItEnded, lastLines, limitReached } from "../jail/how-it-ended.ts";
import type { LastLines } from "../jail/how-it-ended.ts";
import type { JailView } from "../jail/jail-arguments.ts";
import { killGroup } from "../jail/run-to-end.ts";
import { startJail } from "../jail/start-jail.ts";
import { watchLimits } from "../jail/watch-limits.ts";
import type { BuildLimits, ReachedLimit } from "../jail/watch-limits.ts";
import { splitLines } from "../processes/safe-lines.ts";
import type { OwnBuildOptions } from "./build-own-site.ts";
import { reportFd } from "./messages.ts";
import { readReport } from "./read-report.ts";
import type { BuilderReport } from "./read-report.ts";

/** Options of {@link runBuilder}. */
export interface BuilderRun extends Required<Pick<OwnBuildOptions, "onProgress" | "onLine">> {
  readonly signal: AbortSignal | undefined;
  /** On the disk that it writes to. */
  readonly folder: string;
  readonly limits: BuildLimits;
}

/**
 * Runs a builder in its jail; resolves with what it reports.
 *
 * @throws {CurtainwallError} `STACK_BUILD_FAILED` when it ends without a report
 */
export async function runBuilder(
  view: JailView,
  command: readonly string[],
  { onProgress, onLine, signal, folder, limits }: BuilderRun,
): Promise<NonNullable<BuilderReport>> {
  const { child, empty } = startJail(view, command, ["pipe"]);
  const abort = (): void => killGroup(child);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted === true) abort();
  const last = lastLines();
  const tell = (line: string): void => {
    last.add(line);
    onLine(line);
  };
  let reached: ReachedLimit | undefined;
  const unwatch = watchLimits({
    pid: child.pid ?? 0,
    folder,
    limits,
    onReached: (limit) => {
      reached = limit;
      killGroup(child);
    },
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", splitLines(tell));
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, killed) => resolve(howItEnded(code, killed)));
  });
  try {
    const report = await readReport(child.stdio[reportFd] as Readable, onProgress);
    const how = await ended;
    if (report !== undefined) return report;
    if (reached !== undefined) throw limitReached("The build", reached, last.hint());
    throw unfinished(how, last);
  } finally {
    unwatch();
    signal?.removeEventListener("abort", abort);
    killGroup(child);
    // What is still at work could change the cache, or the copy, that the next build starts from.
    await empty();
    // It stays from one build to the next, and with it what fills the disk.
    if (reached?.isOfDisk === true) removeTree(folder);
  }
}

/** The error of a builder that ended without a report: of its own accord, or for want of a package. */
function unfinished(how: string, last: LastLines): CurtainwallError {
  const name = last.missingPackage();
  return name === undefined
    ? new CurtainwallError("STACK_BUILD_FAILED", `The build was not done: it ${how}.`, { hint: last.hint() })
    : new CurtainwallError(
        "STACK_BUILD_FAILED",
        `The build needs the package ${name}, which is not installed.`,
        {
          hint: `Install what package.json names:  npm install\nIf it does not name it yet:  npm install ${name}`,
        },
      );
}
