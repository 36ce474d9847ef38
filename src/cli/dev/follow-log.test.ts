import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { followLog } from "./follow-log.ts";

const line = (event: string): string => `${JSON.stringify({ event })}\n`;

test("records are told as they are written, also in halves and into a new file; what was there before is not", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-log-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "events.jsonl");
  writeFileSync(file, line("before"));
  const told: string[] = [];
  let wake = (): void => undefined;
  t.after(
    followLog(file, ({ event }) => {
      told.push(event);
      wake();
    }),
  );
  const until = async (event: string): Promise<void> => {
    while (!told.includes(event)) await new Promise<void>((resolve) => (wake = resolve));
  };

  appendFileSync(file, line("first").slice(0, 8));
  appendFileSync(file, line("first").slice(8) + "no record\n");
  await until("first");
  renameSync(file, `${file}.1`);
  writeFileSync(file, line("second"));
  await until("second");
  assert.deepEqual(told, ["first", "second"]);
});
