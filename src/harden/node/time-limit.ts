import { Script } from "node:vm";
import type { TimeLimit } from "../libraries/types.ts";

const runTask = new Script("globalThis[Symbol.for('curtainwall.limited-task')]()");
const slot = Symbol.for("curtainwall.limited-task");

/**
 * Runs a task on this thread and ends it when its time is over, also in the middle of a regular expression: V8 looks for the watchdog
 * whenever it backtracks.
 */
export const timeLimit: TimeLimit = <Result>(task: () => Result, limitMs: number) => {
  let value: { value: Result } | undefined;
  const globals = globalThis as { [slot]?: () => void };
  globals[slot] = () => {
    value = { value: task() };
  };
  try {
    runTask.runInThisContext({ timeout: limitMs });
    return value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    throw error;
  } finally {
    delete globals[slot];
  }
};
