import { constants } from "node:os";
import { say } from "../voice.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type Stop = (typeof signals)[number];

/** One Ctrl-C is two signals, the terminal's and npx's. Only one that comes later than this is a second one. */
const patienceMs = 1000;

/** What work came to, and whether a signal ended it. */
export interface Stopped<Result> {
  readonly result: Result;
  /** The exit code that shells have for the signal: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP. Undefined: it went to its end. */
  readonly stopped: number | undefined;
}

/** Runs work that a signal ends: the first tells it to come to an end, a second ends the process at once. */
export async function untilStopped<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Stopped<Result>> {
  const stopping = new AbortController();
  let stopped: { readonly code: number; readonly since: number } | undefined;
  const stop = (name: Stop): void => {
    const code = 128 + constants.signals[name];
    if (stopped === undefined) {
      stopped = { code, since: performance.now() };
      say("Stopping: what was made is taken away first. Once more ends it at once.");
      stopping.abort();
    } else if (performance.now() - stopped.since > patienceMs) process.exit(code);
  };
  for (const name of signals) process.on(name, stop);
  try {
    const result = await work(stopping.signal);
    return { result, stopped: stopped?.code };
  } finally {
    for (const name of signals) process.off(name, stop);
  }
}
