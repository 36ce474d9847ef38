import assert from "node:assert/strict";
import { test } from "node:test";
import { createErrorLog } from "./error-log.ts";

const thrownAt = (message: string, line: number): string =>
  `Error: ${message}\n    at f (function.js:${line}:1)`;

test("an error is told whole the first time; of those from the same place one line is told, and of many their number", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let time = 0;
  const lines: string[] = [];
  const log = createErrorLog({ now: () => time, onLine: (line) => void lines.push(line) });
  for (let index = 0; index < 1000; index++) log.tell("own", `i${index}`, thrownAt(`no ${index}`, 1));
  log.tell("other", "k", thrownAt("no", 1));
  assert.deepEqual(lines.slice(0, 3), [
    "own i0: Error: no 0 (function.js:1:1)",
    "own i0:     at f (function.js:1:1)",
    "own i1: Error: no 1 (function.js:1:1)",
  ]);
  assert.deepEqual(lines.splice(0).slice(50), [
    "other k: Error: no (function.js:1:1)",
    "other k:     at f (function.js:1:1)",
  ]);
  context.mock.timers.tick(500);
  assert.deepEqual(lines.splice(0), ["own: (951 more errors)"]);
  time = 10_000;
  context.mock.timers.tick(500);
  log.tell("own", "l", thrownAt("again", 1));
  assert.equal(lines.splice(0).length, 2);
  log.forget("own");
  log.tell("own", "m", thrownAt("of other code", 1));
  assert.equal(lines.length, 2);
});

test("of errors that all differ fifty lines in half a second are told, of each function, and then their number", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let time = 0;
  const lines: string[] = [];
  const log = createErrorLog({ now: () => time, onLine: (line) => void lines.push(line) });
  let next = 0;
  const slice = (): void => {
    for (let index = 0; index < 500; index++) log.tell("own", "i", thrownAt("x", next++));
    log.tell("other", "j", thrownAt("seen", 1));
    time += 500;
    context.mock.timers.tick(500);
  };
  slice();
  assert.equal(lines.filter((line) => line.startsWith("own i")).length, 50);
  assert.ok(
    lines.includes("own: (475 more errors)") && lines.includes("other j: Error: seen (function.js:1:1)"),
  );
  for (let index = 0; index < 19; index++) slice();
  assert.ok(lines.length < 20 * 52, String(lines.length));
});

test("where it was thrown is the innermost frame, whether that has a name or none; an error without frames is told as it is", () => {
  const lines: string[] = [];
  const log = createErrorLog({ now: () => 0, onLine: (line) => void lines.push(line) });
  log.tell("own", "i", "Error: two\nlines\n    at function.js:1:2\n    at async f (function.js:3:4)");
  log.tell("own", "j", "no Error");
  log.close();
  assert.deepEqual([lines[0], lines.at(-1)], ["own i: Error: two (function.js:1:2)", "own j: no Error"]);
});

test("one that is longer than a slice is told, and what was counted is told at the end", () => {
  const lines: string[] = [];
  const log = createErrorLog({ now: () => 0, onLine: (line) => void lines.push(line) });
  log.tell("own", "i", "long\n".repeat(60));
  log.tell("own", "i", "long\n".repeat(60));
  assert.equal(lines.splice(0).length, 61);
  log.close();
  assert.deepEqual(lines, ["own: (1 more errors)"]);
});
