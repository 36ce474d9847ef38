import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Writable } from "node:stream";
import { withCleanDescriptors } from "../jail/clean-descriptors.ts";
import { findSystemProgram } from "../jail/system-program.ts";
import { withoutCoverage } from "../processes/launch.ts";
import type { DomainUser } from "../processes/messages.ts";
import { groupArguments, groupFds } from "./group-arguments.ts";
import type { GroupEngine } from "./group-engine.ts";
import { readOutput } from "./group-output.ts";
import { innerProcess, runsItself } from "./inner-process.ts";
import { watchMemory } from "./watch-memory.ts";

/** Options of {@link launchGroup}. */
export interface LaunchGroupOptions {
  /** What runs it, and the program that it is handed. */
  readonly engine: GroupEngine;
  /** The user that it becomes before all else; undefined: it stays this one. */
  readonly user: DomainUser | undefined;
  /** Whether it gets a sandbox. Without one it is a process like any other, and sees what its user sees. */
  readonly isSandboxed: boolean;
  /** Where it listens: a descriptor of this process. */
  readonly listenerFd: number;
  /** Memory of its own that it may use. */
  readonly memoryMb: number;
  /** One line that it wrote. */
  readonly onLine: (line: string) => void;
}

/** A group's process. */
export interface LaunchedGroup {
  /** What was started: a sandbox's outer half, where there is one. */
  readonly pid: number;
  /** The functions' own process; undefined: it did not come up. */
  readonly inner: Promise<number | undefined>;
  /** Resolves when nothing of it runs any more, with how it ended. */
  readonly exited: Promise<string>;
  kill(): void;
}

/** What is ended first when the machine has no memory left. */
const expendable = "1000";
/** Its threads, some ten. A user of its own counts no others. */
const processes = { own: 256, shared: 4096 } as const;
/** Connections to the keeper and to egress. */
const descriptors = 4096;

/**
 * Starts the process of a group of functions: as a user of its own, in a sandbox with nothing in it, under the kernel's limits and a filter of
 * system calls. Its program comes through a pipe and lies in no file that it, or anybody else, could change.
 */
export function launchGroup({
  engine,
  user,
  isSandboxed,
  listenerFd,
  memoryMb,
  onLine,
}: LaunchGroupOptions): LaunchedGroup {
  const filter = isSandboxed ? engine.filter : undefined;
  const sandbox = isSandboxed
    ? [findSystemProgram("bwrap") ?? "bwrap", ...groupArguments(engine.view(), filter !== undefined)]
    : [];
  const command = [...sandbox, ...engine.command(groupFds.listener, isSandboxed)];
  const [file = "", ...parameters] = [
    ...(isSandboxed ? [] : endingWithUs()),
    ...limits(engine, memoryMb, user !== undefined),
    ...command,
  ];
  const child = withCleanDescriptors(["pipe", "pipe", "pipe", listenerFd, "pipe"], (stdio) =>
    spawn(file, parameters, {
      stdio,
      env: withoutCoverage,
      cwd: "/",
      detached: true,
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    }),
  );
  makeExpendable(child.pid);
  give(child, groupFds.filter, filter ?? new Uint8Array(0));
  readOutput([child.stdout, child.stderr], onLine);
  return watchedProcess(child, { isSandboxed, memoryMb, program: engine.program });
}

function watchedProcess(
  child: ChildProcess,
  {
    isSandboxed,
    memoryMb,
    program,
  }: Pick<LaunchGroupOptions, "isSandboxed" | "memoryMb"> & Pick<GroupEngine, "program">,
): LaunchedGroup {
  let innerPid = isSandboxed ? undefined : child.pid;
  let reason: string | undefined;
  let hasEnded = false;
  const inner =
    isSandboxed && child.pid !== undefined
      ? innerProcess(child.pid, () => hasEnded)
      : Promise.resolve(child.pid);
  void inner.then(async (pid) => {
    innerPid = pid;
    makeExpendable(pid);
    // Handed over when it ends with this process. If that ends before, so does the pipe, and what has no program ends by itself.
    if (pid !== undefined) await runsItself(pid, () => hasEnded);
    give(child, 0, program);
  });
  // Always the inner half: the outer one waits for it, so that nothing runs once that has ended. The outer one alone, ended too early,
  // would leave behind an inner one that has not asked yet to end with it.
  const kill = (): void =>
    void inner.then((pid) => {
      if (!hasEnded && !signal(pid)) child.kill("SIGKILL");
    });
  const unwatch = watchMemory({
    pid: () => innerPid,
    maxBytes: memoryMb * 2 ** 20,
    onReached: (bytes) => {
      reason = `it used ${Math.round(bytes / 2 ** 20)} MiB of memory, and may use ${memoryMb}`;
      kill();
    },
  });
  const exited = new Promise<string>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("exit", (code, signalName) => resolve(reason ?? signalName ?? `exit code ${code}`));
  }).finally(() => {
    hasEnded = true;
    unwatch();
  });
  return { pid: child.pid ?? 0, inner, exited, kill };
}

function signal(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

/** What a sandbox does by itself, where util-linux is installed. */
function endingWithUs(): string[] {
  const setpriv = findSystemProgram("setpriv");
  return setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--"];
}

/** Limits of the kernel, where util-linux is installed: no file with its memory, none written at all, and a bound to what it may ask for. */
function limits({ reservedMb }: GroupEngine, memoryMb: number, hasOwnUser: boolean): string[] {
  const prlimit = findSystemProgram("prlimit");
  if (prlimit === undefined) return [];
  const data = (reservedMb + memoryMb) * 2 ** 20;
  const nproc = hasOwnUser ? processes.own : processes.shared;
  return [prlimit, "--core=0", "--fsize=0", `--nofile=${descriptors}`, `--nproc=${nproc}`, `--data=${data}`];
}

/** What it starts as hands this down; its inner half may have been there already. */
function makeExpendable(pid: number | undefined): void {
  try {
    if (pid !== undefined) writeFileSync(`/proc/${pid}/oom_score_adj`, expendable);
  } catch {
    // No /proc, or it has ended at once, which is noticed elsewhere.
  }
}

function give(child: ChildProcess, fd: number, bytes: Uint8Array): void {
  const pipe = child.stdio[fd] as Writable | null;
  // One that could not be started, or ended at once, is noticed by its end.
  pipe?.on("error", () => undefined);
  pipe?.end(bytes);
}
