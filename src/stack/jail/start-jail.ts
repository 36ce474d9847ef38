import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CurtainwallError } from "../../shared/index.ts";
import { withCleanDescriptors } from "./clean-descriptors.ts";
import { filterArguments, filterBytes, sendFilter } from "./filter/hand-over.ts";
import { jailArguments } from "./jail-arguments.ts";
import type { JailView } from "./jail-arguments.ts";
import { findSystemProgram } from "./system-program.ts";

/** A jail in which a program runs. */
export interface StartedJail {
  /** Standard output and error, and what was asked for behind them. */
  readonly child: ChildProcess;
  /** Resolves when nothing that ran in it is left. Its `close` is not that: it may have closed its output and gone on. */
  readonly empty: () => Promise<void>;
}

/**
 * Starts a program in a jail. What makes the jail goes to bubblewrap by descriptors: a command line, with the variables of a build on
 * it, can be read by every user of the machine.
 *
 * @param more descriptors of the program behind the usual three
 */
export function startJail(
  view: JailView,
  program: readonly string[],
  more: readonly "pipe"[] = [],
): StartedJail {
  const own = ["ignore", "pipe", "pipe", ...more] as const;
  const [filterFd, viewFd, infoFd] = [own.length, own.length + 1, own.length + 2];
  const { options, launcher } = jailArguments(view);
  const channels = ["--args", String(viewFd), "--info-fd", String(infoFd), ...filterArguments(filterFd)];
  const child = withCleanDescriptors([...own, "pipe", "pipe", "pipe"], (stdio) =>
    spawn(findSystemProgram("bwrap") ?? "bwrap", [...channels, ...launcher, ...program], {
      stdio,
      env: {},
      // A process group of its own, so that it can be ended as one.
      detached: true,
    }),
  );
  sendFilter(child, filterFd);
  const form = child.stdio[viewFd] as Writable | undefined;
  form?.on("error", () => undefined);
  form?.end(options.map((option) => `${option}\0`).join(""));
  const first = firstProcess(child.stdio[infoFd] as Readable | undefined);
  return { child, empty: async () => untilGone(await first) };
}

/** Whether a jail can be made here, as the user that a build would be. */
export function jailWorks(uid: number | undefined): boolean {
  const bwrap = findSystemProgram("bwrap");
  if (process.platform !== "linux" || bwrap === undefined) return false;
  const view = { copy: "/usr", root: "/srv", readOnly: [], gate: undefined, environment: {}, uid };
  const { options, launcher } = jailArguments(view);
  const { status } = spawnSync(bwrap, [...filterArguments(0), ...options, ...launcher, "/bin/true"], {
    stdio: ["pipe", "ignore", "ignore"],
    input: filterBytes,
    timeout: 10_000,
  });
  return status === 0;
}

/** A process, and when it was started: numbers are used again. */
interface Process {
  readonly id: number;
  readonly startedAt: string;
}

/** The first process in a jail. With it all others end. */
async function firstProcess(info: Readable | undefined): Promise<Process | undefined> {
  let text = "";
  try {
    for await (const part of info ?? []) text += String(part);
  } catch {
    return undefined;
  }
  const id = Number(/"child-pid": (\d+)/.exec(text)?.[1] ?? 0);
  const startedAt = startOf(id);
  return startedAt === undefined ? undefined : { id, startedAt };
}

/** When a process was started; undefined when it has ended, whether or not somebody has taken note of it. @see proc_pid_stat(5) */
function startOf(id: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

const endMs = 10_000;

/** The kernel ends a jail's processes with its first one, and reports that one's end when the others have ended. */
async function untilGone(first: Process | undefined): Promise<void> {
  if (first === undefined) return;
  const latest = performance.now() + endMs;
  while (startOf(first.id) === first.startedAt) {
    if (performance.now() > latest)
      throw new CurtainwallError("STACK_BUILD_FAILED", "The build has ended, and processes of it have not.", {
        hint: `See what holds them:  cat /proc/${first.id}/stack`,
      });
    await sleep(2);
  }
}
