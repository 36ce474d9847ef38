import assert from "node:assert/strict";
import { test } from "node:test";
import type { SecurityEvent } from "../../../contract/index.ts";
import { keepSchedules } from "./keep-schedules.ts";
import type { CallOutcome } from "./types.ts";

const limits = { timeoutMs: 1000, concurrency: 1, maxResponseBytes: 1000 } as const;
const done: CallOutcome = { kind: "answered", status: 204, headers: [], body: new Uint8Array(0) };

test("a function that still runs is not called again, and that is told; once it has ended it is", async () => {
  const events: SecurityEvent["type"][] = [];
  const calls: ((outcome: CallOutcome) => void)[] = [];
  let told = (): void => undefined;
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      told = () => isSo() && resolve();
      told();
    });
  const end = keepSchedules({
    functions: [{ ...limits, name: "mail", everyMs: 20 }],
    events({ type }) {
      events.push(type);
      told();
    },
    run: (_name, path, body, over) => {
      assert.equal(path, "/scheduled/mail");
      assert.equal(JSON.parse(Buffer.from(body).toString()).version, 1);
      calls.push(over);
    },
  });
  // What times the periods keeps no process alive by itself.
  const alive = setInterval(() => undefined, 1000);
  await until(() => events.filter((type) => type === "function.schedule.skipped").length === 3);
  assert.equal(calls.length, 1);
  calls[0]?.(done);
  await until(() => events.filter((type) => type === "function.schedule.started").length === 2);
  calls[1]?.({ kind: "failed", code: "FUNCTIONS_TIMEOUT", reason: "too slow" });
  assert.equal(events.at(-1), "function.schedule.failed");
  end();
  clearInterval(alive);
  assert.ok(events.includes("function.schedule.done"));
});
