import { setTimeout as sleep } from "node:timers/promises";
import { CurtainwallError } from "../../shared/index.ts";
import { timeIsUp } from "../out-of-time.ts";

/** The end of something that has so much time. */
export interface Clock {
  /** Rejects when time is up, or when the signal comes. */
  readonly over: Promise<never>;
  stop(): void;
}

/** What is said when somebody interrupts. */
export const wasInterrupted = "it was interrupted";

/** Starts a clock, which keeps the process alive until it is stopped: whoever waits for something is told when not to. */
export function startClock(milliseconds: number, signal?: AbortSignal): Clock {
  const stopped = new AbortController();
  const over = new Promise<never>((_, reject) => {
    const spent = new CurtainwallError("AUDIT_BUDGET_SPENT", timeIsUp);
    const timer = setTimeout(() => reject(spent), Math.max(0, milliseconds));
    const interrupt = (): void => reject(new CurtainwallError("AUDIT_INTERRUPTED", wasInterrupted));
    stopped.signal.addEventListener("abort", () => clearTimeout(timer));
    signal?.addEventListener("abort", interrupt, { signal: stopped.signal });
    if (signal?.aborted === true) interrupt();
  });
  // Nobody may be waiting when it ends.
  over.catch(() => undefined);
  return { over, stop: () => stopped.abort() };
}

/**
 * Waits for work, but not for longer than this. What it does from then on is its own.
 *
 * @throws {CurtainwallError} `AUDIT_BUDGET_SPENT` when it takes longer
 */
export async function withTimeout<Result>(work: Promise<Result>, milliseconds: number): Promise<Result> {
  const waiting = new AbortController();
  try {
    const late = sleep(milliseconds, undefined, { signal: waiting.signal }).then(() => {
      throw new CurtainwallError(
        "AUDIT_BUDGET_SPENT",
        `it took longer than ${Math.round(milliseconds / 100) / 10} seconds`,
      );
    });
    return await Promise.race([work, late]);
  } finally {
    waiting.abort();
  }
}
