import type { Readable } from "node:stream";
import { removeTree } from "../jail/clear-tree.ts";
import type { JailView } from "../jail/jail-arguments.ts";
import { killGroup } from "../jail/run-to-end.ts";
import { startJail } from "../jail/start-jail.ts";
import { watchLimits } from "../jail/watch-limits.ts";
import type { BuildLimits } from "../jail/watch-limits.ts";
import { splitLines } from "../processes/safe-lines.ts";
import { viewProject } from "./project-view.ts";
import type { PageOrder } from "./write-page-report.ts";

/** How the process is started that makes one page, as JSON can say it. Valid while nothing of the project changes but contents. */
export interface PageBuilderStart {
  /** The jail of the build before. */
  readonly view: JailView;
  /** Projects that packages are links to. */
  readonly linked: readonly string[];
  /** The program and its arguments, up to the order. */
  readonly program: readonly string[];
  /** What it is told, the file aside. */
  readonly order: Omit<PageOrder, "file">;
}

/** Longer than any page takes: a template that waits is waited for by a whole build, which has a limit of its own. */
const maxMs = 20_000;
const maxReportBytes = 134_217_728;
/** They are kept until the page is published. A whole build shows each as it comes. */
const maxLines = 1000;
const reportFd = 3;

/**
 * Makes one page in a jail like that of the build before. Gives what it reports, unread; undefined when it ended in any other way.
 *
 * @param onLine told each line that a template wrote, safe to show
 * @param limits those of a whole build, the time aside
 */
export async function startPageBuilder(
  { view, linked, program, order }: PageBuilderStart,
  file: string,
  onLine: (line: string) => void,
  limits: Omit<BuildLimits, "timeoutMs"> = {},
): Promise<Uint8Array | undefined> {
  if (!linked.every((folder) => isCovered(folder, view))) return undefined;
  const { child, empty } = startJail(view, [...program, JSON.stringify({ ...order, file })], ["pipe"]);
  const ended = new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
  let lines = 0;
  const tell = (line: string): void => {
    if (++lines <= maxLines) onLine(line);
    else killGroup(child);
  };
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", splitLines(tell));
  let fillsDisk = false;
  const unwatch = watchLimits({
    pid: child.pid ?? 0,
    folder: order.cacheFolder,
    limits: { ...limits, timeoutMs: maxMs },
    onReached: ({ isOfDisk }) => {
      fillsDisk = isOfDisk === true;
      killGroup(child);
    },
  });
  try {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of child.stdio[reportFd] as Readable) {
      parts.push(part as Uint8Array);
      bytes += (part as Uint8Array).length;
      if (bytes > maxReportBytes) return undefined;
    }
    return (await ended) ? Buffer.concat(parts, bytes) : undefined;
  } finally {
    unwatch();
    killGroup(child);
    // What is still at work could change what a whole build reads, which comes next.
    await empty();
    if (fillsDisk) removeTree(order.cacheFolder);
  }
}

/** Whether the jail hides all of a folder that must not be seen: nothing watches folders beside the project. */
function isCovered(folder: string, { hidden = [], masked = [] }: JailView): boolean {
  const now = viewProject(folder);
  return (
    now.hidden.every((path) => hidden.includes(path)) && now.masked.every((path) => masked.includes(path))
  );
}
