import type { CheckFacts, NamedCheck } from "../../contract/index.ts";
import type { Schedule } from "../limits/pace.ts";

/** What came of a check. */
export interface CheckEnd {
  readonly holds: boolean;
  /** Why it gave no answer, for the log. */
  readonly fault?: string;
}

/** What running a check needs. */
export interface CheckSurroundings {
  readonly now: () => number;
  readonly schedule: Schedule;
  /** Told when it kept the whole thread longer than it may wait. */
  readonly onSlow: (tookMs: number) => void;
}

/**
 * Runs a check of the contract's own. It holds only if it says `true`, at once or in time: what throws, says something else or does not end
 * refuses. What keeps the thread can't be stopped, only told.
 */
export function runCheck(
  { test, timeoutMs }: NamedCheck,
  takeFacts: () => CheckFacts,
  { now, schedule, onSlow }: CheckSurroundings,
  done: (end: CheckEnd) => void,
): void {
  const started = now();
  let given: unknown;
  let thrown: CheckEnd | undefined;
  try {
    given = test(takeFacts());
  } catch (error) {
    thrown = threw(error);
  }
  const tookMs = now() - started;
  if (tookMs > timeoutMs) onSlow(tookMs);
  if (thrown !== undefined) return done(thrown);
  if (typeof given !== "object" || given === null) return done(read(given));
  let isOver = false;
  const end = (ended: CheckEnd): void => {
    if (isOver) return;
    isOver = true;
    callOff();
    done(ended);
  };
  const callOff = schedule(timeoutMs, () =>
    end({ holds: false, fault: `it took longer than ${timeoutMs} ms` }),
  );
  // Not Promise.resolve: that asks a promise for its constructor, outside of what is caught.
  new Promise<unknown>((resolve) => {
    resolve(given);
  }).then(
    (value) => end(read(value)),
    (error: unknown) => end(threw(error)),
  );
}

const read = (value: unknown): CheckEnd =>
  typeof value === "boolean"
    ? { holds: value }
    : { holds: false, fault: `it gave ${kindOf(value)}, not true or false` };

const kindOf = (value: unknown): string => (value === null ? "null" : `a value of type ${typeof value}`);

const threw = (error: unknown): CheckEnd => ({ holds: false, fault: `it threw ${nameOf(error)}` });

/** What is thrown may be anything, a proxy that throws when it is looked at too. */
function nameOf(error: unknown): string {
  try {
    return error instanceof Error ? error.constructor.name.slice(0, 60) : `a value of type ${typeof error}`;
  } catch {
    return "something that can't be read";
  }
}
