import assert from "node:assert/strict";
import { test } from "node:test";
import { mapFunctionLines } from "./map-function-lines.ts";
import type { StackLogEntry } from "./surroundings.ts";

const map = '{"version":3,"sources":["functions/quotes.ts"],"mappings":"AAAA"}';

test("an error's line leads to its source and stays an error; those of its stack are a trace, and what a function prints is not", () => {
  const entries: StackLogEntry[] = [];
  const { log } = mapFunctionLines({ log: (entry: StackLogEntry) => void entries.push(entry) }, [], () => ({
    mapOf: () => map,
  }));
  for (const message of [
    "quotes 9f44: Error: the courier answered 500 (function.js:1:1)",
    "quotes 9f44:     at async f (function.js:1:1)",
    "quotes (scheduled):     at function.js:1:1",
    "quotes:     at the market",
    "quotes 9f44: met at noon",
  ])
    log({ from: "functions", level: "error", message });
  assert.deepEqual(
    entries.map(({ level, message }) => [level, message]),
    [
      ["error", "quotes 9f44: Error: the courier answered 500 (functions/quotes.ts:1:1)"],
      ["trace", "quotes 9f44:     at async f (functions/quotes.ts:1:1)"],
      ["trace", "quotes (scheduled):     at functions/quotes.ts:1:1"],
      ["error", "quotes:     at the market"],
      ["error", "quotes 9f44: met at noon"],
    ],
  );
});
