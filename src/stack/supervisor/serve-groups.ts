import type { FunctionGroup } from "../functions/function-groups.ts";
import type { FromFunctions, ToFunctions } from "../processes/messages.ts";

/** The process of a group. */
export interface GroupProcess {
  readonly pid: number;
  /** Resolves when it has ended, with how. */
  readonly exited: Promise<string>;
  kill(): void;
}

/** Starts the process of a group; throws if it can't. */
export type StartGroup = (group: FunctionGroup) => GroupProcess;

/** Options of {@link serveGroups}. */
export interface ServeGroupsOptions {
  readonly groups: readonly FunctionGroup[];
  readonly start: StartGroup;
  /** Tells the keeper that runs now. */
  readonly tell: (message: Extract<ToFunctions, { type: "group-started" | "group-exited" }>) => void;
  /** Tells the operator. */
  readonly onFailure: (group: string, error: Error) => void;
  /** A clock in milliseconds that only goes forward. Default `performance.now`. */
  readonly now?: () => number;
}

/** Does what the keeper of functions asks of the supervisor. */
export interface ServedGroups {
  /** False: it asked for what no keeper asks for. */
  handle(message: FromFunctions): boolean;
  /** Process ids by group, of those that run. */
  pids(): Readonly<Record<string, number>>;
  /** Ends all of them: none runs without a keeper that watches it. */
  endAll(): Promise<void>;
}

/**
 * A process that is started is some 50 ms of work that the machine does for others' code. The keeper's quarantine ends that early; this is for a keeper
 * that somebody has taken over.
 */
const maxStartsAtOnce = 20;
const msPerStart = 500;

interface Run {
  /** When it may start again, were there no starts at once. */
  nextMs: number;
  waiting?: NodeJS.Timeout;
  process?: GroupProcess;
}

/** Starts and ends the processes of a contract's groups, one at a time each. No other can be asked for. */
export function serveGroups({
  groups,
  start,
  tell,
  onFailure,
  now = () => performance.now(),
}: ServeGroupsOptions): ServedGroups {
  const byName = new Map(groups.map((group) => [group.name, group]));
  const runs = new Map<string, Run>(groups.map(({ name }) => [name, { nextMs: 0 }]));

  function launch(group: FunctionGroup, run: Run): void {
    delete run.waiting;
    try {
      const process = start(group);
      run.process = process;
      tell({ type: "group-started", group: group.name, pid: process.pid });
      void process.exited.then((how) => {
        delete run.process;
        tell({ type: "group-exited", group: group.name, how });
      });
    } catch (error) {
      onFailure(group.name, error as Error);
      tell({ type: "group-exited", group: group.name, how: "it could not be started" });
    }
  }

  /** When there were too many starts it waits: who calls meanwhile waits too, as long as a call may. */
  function ask(group: FunctionGroup, run: Run): void {
    if (run.process !== undefined || run.waiting !== undefined) return;
    const present = now();
    run.nextMs = Math.max(run.nextMs, present) + msPerStart;
    const waitMs = run.nextMs - present - maxStartsAtOnce * msPerStart;
    if (waitMs <= 0) return launch(group, run);
    run.waiting = setTimeout(() => launch(group, run), waitMs);
  }

  function end(name: string, run: Run): void {
    run.process?.kill();
    if (run.waiting === undefined) return;
    clearTimeout(run.waiting);
    delete run.waiting;
    tell({ type: "group-exited", group: name, how: "it had not started yet" });
  }

  return {
    handle({ type, group: name }) {
      const group = byName.get(name);
      const run = runs.get(name);
      if (group === undefined || run === undefined) return false;
      if (type === "start-group") ask(group, run);
      else if (type === "kill-group") end(name, run);
      else return false;
      return true;
    },
    pids: () =>
      Object.fromEntries(
        [...runs].flatMap(([name, { process }]) => (process === undefined ? [] : [[name, process.pid]])),
      ),
    async endAll() {
      const ending = [...runs.values()].flatMap(({ process }) =>
        process === undefined ? [] : [process.exited],
      );
      for (const [name, run] of runs) end(name, run);
      await Promise.all(ending);
    },
  };
}
