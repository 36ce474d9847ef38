import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** A process of ours, with those that it starts. */
export interface Program {
  readonly child: ChildProcess;
  /** The next message; undefined when it ended, or the time was over. */
  next<Message>(milliseconds: number): Promise<Message | undefined>;
  /** Ends it, and all that it started: kindly, then not. */
  end(): Promise<void>;
}

/** How long an end may take before it is made. */
const graceMs = 4000;

/** Starts a module of TypeScript in a process of its own. What it says goes into a file. */
export function startProgram(file: string, { folder, environment, logFile }: Surroundings): Program {
  const log = openSync(logFile, "a");
  const child = fork(file, {
    cwd: folder,
    env: environment,
    execArgv: ["--conditions=curtainwall-source", "--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  const messages: unknown[] = [];
  const waiting: (() => void)[] = [];
  const wake = (): void => waiting.splice(0).forEach((resolve) => resolve());
  let isGone = false;
  child.on("message", (message) => {
    messages.push(message);
    wake();
  });
  for (const event of ["exit", "error", "disconnect"])
    child.on(event, () => {
      isGone = true;
      wake();
    });
  return {
    child,
    async next<Message>(milliseconds: number) {
      const deadline = AbortSignal.timeout(milliseconds);
      while (messages.length === 0 && !isGone && !deadline.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.push(resolve);
        deadline.addEventListener("abort", () => resolve(), { once: true });
        await promise;
      }
      return messages.shift() as Message | undefined;
    },
    end: () => endFamily(child),
  };
}

export interface Surroundings {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly logFile: string;
}

/** Domains lead process groups of their own, and are nobody's children once their supervisor is gone: they are noted before it is told. */
async function endFamily(child: ChildProcess): Promise<void> {
  const { pid } = child;
  // Its number may be another's by now. What it had started ends by itself when it is gone.
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const family = descendants(pid).map((each) => ({ pid: each, born: birthOf(each) }));
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    if (child.connected) child.disconnect();
    await Promise.race([gone, pause(graceMs, undefined, { ref: false })]);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await gone;
    }
  }
  const remaining = (): number[] =>
    family
      .filter(({ pid: each, born }) => born !== undefined && birthOf(each) === born)
      .map(({ pid: each }) => each);
  const deadline = Date.now() + graceMs;
  while (remaining().length > 0 && Date.now() < deadline) await pause(20);
  for (const each of remaining()) kill(each);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself.
  }
}

/** All processes below one, where the system tells. */
function descendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task`, readdirSync)
    .flatMap((task) =>
      read(`/proc/${pid}/task/${task}/children`, (path) => readFileSync(path, "utf8").split(" ")),
    )
    .filter((text) => text.trim() !== "")
    .map(Number);
  return children.flatMap((each) => [each, ...descendants(each)]);
}

/** When a process began: a number that is given again is another process. A zombie is none. */
function birthOf(pid: number): string | undefined {
  const [stat] = read(`/proc/${pid}/stat`, (path) => [readFileSync(path, "utf8")]);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

function read(path: string, how: (path: string) => string[]): string[] {
  try {
    return how(path);
  } catch {
    return [];
  }
}

/** Runs one of the tree's commands to its end, as `curtainwall …`. */
export async function runCommand(
  parameters: readonly string[],
  { folder, environment }: Pick<Surroundings, "folder" | "environment">,
  { input = "", milliseconds }: { input?: string; milliseconds: number },
): Promise<{ code: number | null; words: string }> {
  const child = spawn(
    process.execPath,
    ["--conditions=curtainwall-source", join(folder, "src/cli/main.ts"), ...parameters],
    { cwd: folder, env: environment, stdio: "pipe" },
  );
  let words = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (words = `${words}${String(chunk)}`.slice(-20_000)));
  child.stdin.on("error", () => undefined).end(input);
  const closed = once(child, "close") as Promise<[number | null]>;
  const late = pause(milliseconds, undefined, { ref: false }).then(() => undefined);
  const ended = await Promise.race([closed, late]);
  if (ended !== undefined) return { code: ended[0], words };
  await endFamily(child);
  return { code: null, words: `it was not over after ${Math.round(milliseconds / 1000)} s\n${words}` };
}
