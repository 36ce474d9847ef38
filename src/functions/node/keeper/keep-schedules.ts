import { randomUUID } from "node:crypto";
import type { EventSink } from "../../../contract/index.ts";
import { callVersion, scheduledPath } from "../../call.ts";
import type { FunctionSettings, ScheduledCall } from "../../call.ts";
import { createTicker, phaseOf } from "../../keeper/next-due.ts";
import type { CallOutcome, KeptFunction } from "./types.ts";

/** Options of {@link keepSchedules}. */
export interface KeepSchedulesOptions {
  readonly functions: readonly KeptFunction[];
  readonly run: (name: string, path: string, body: Uint8Array, done: (outcome: CallOutcome) => void) => void;
  readonly events: EventSink;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  readonly wallMs?: () => number;
}

/**
 * Calls functions from time to time: never one twice at once, and what was missed meanwhile once at most.
 *
 * @returns ends it
 */
export function keepSchedules({
  functions,
  run,
  events,
  wallMs = Date.now,
}: KeepSchedulesOptions): () => void {
  const timers = new Map<string, NodeJS.Timeout>();

  function keep({ name, settings = {} }: KeptFunction, everyMs: number): void {
    const ticker = createTicker({ everyMs, phase: phaseOf(name), wallMs, now: () => performance.now() });
    let isUnderWay = false;
    const tick = (): void => {
      timers.set(name, setTimeout(tick, ticker.waitMs()).unref());
      if (!ticker.take()) return;
      if (isUnderWay) return events({ type: "function.schedule.skipped", time: Date.now(), function: name });
      isUnderWay = true;
      call(name, settings, () => (isUnderWay = false));
    };
    timers.set(name, setTimeout(tick, ticker.waitMs()).unref());
  }

  function call(name: string, settings: FunctionSettings, onOver: () => void): void {
    const begunMs = performance.now();
    const scheduled: ScheduledCall = { version: callVersion, id: randomUUID(), dueMs: wallMs(), settings };
    events({ type: "function.schedule.started", time: Date.now(), function: name, id: scheduled.id });
    run(name, scheduledPath(name), Buffer.from(JSON.stringify(scheduled)), (outcome) => {
      onOver();
      const about = { time: Date.now(), function: name, id: scheduled.id };
      if (outcome.kind === "failed")
        events({ type: "function.schedule.failed", ...about, code: outcome.code });
      else if (outcome.status >= 400)
        events({ type: "function.schedule.failed", ...about, code: "FUNCTIONS_ANSWER_INVALID" });
      else
        events({ type: "function.schedule.done", ...about, tookMs: Math.round(performance.now() - begunMs) });
    });
  }

  for (const one of functions) if (one.everyMs !== undefined) keep(one, one.everyMs);
  return () => {
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
  };
}
