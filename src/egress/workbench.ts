import { createFairQueue } from "../shared/index.ts";

/** Options of {@link createWorkbench}. */
export interface WorkbenchOptions {
  /** How many may wait; beyond that, whoever has most waiting loses one. Default 1 024. */
  maxWaiting?: number;
  /** How long is worked before the rest is taken, in milliseconds. Default 4. */
  shiftMs?: number;
  /** Milliseconds that only grow, whatever the clock does. */
  elapsed: () => number;
  /** Runs something later. */
  schedule: (delayMs: number, run: () => void) => void;
}

/** Where work is done that keeps the thread from all else; made by {@link createWorkbench}. */
export interface Workbench {
  /**
   * Does some work, at once or in its turn.
   *
   * @param caller whose turn it is to be
   * @param work does not throw
   * @param leave called instead when there is no room to wait
   * @returns gives the wait up
   */
  ask(caller: string, work: () => void, leave: () => void): () => void;
}

/**
 * Callers take turns with work that the thread does for one of them while all others wait. After each shift as much time is left for everything
 * else: whoever sends the costliest bodies there are, as many as it can, has half of the thread at most.
 */
export function createWorkbench({
  maxWaiting = 1024,
  shiftMs = 4,
  elapsed,
  schedule,
}: WorkbenchOptions): Workbench {
  const queue = createFairQueue(maxWaiting);
  let spentMs = 0;
  let isBusy = false;

  function next(): void {
    if (isBusy) return;
    isBusy = true;
    while (spentMs < shiftMs) {
      const first = queue.next(line);
      if (first === undefined) return void (isBusy = false);
      const begun = elapsed();
      first.pass();
      spentMs += elapsed() - begun;
    }
    schedule(spentMs, () => {
      isBusy = false;
      spentMs = 0;
      next();
    });
  }

  return {
    ask(caller, work, leave) {
      const giveUp = queue.add(line, caller, { pass: work, leave });
      if (giveUp === undefined) leave();
      else next();
      return () => void giveUp?.();
    },
  };
}

const line = "";
