import assert from "node:assert/strict";
import { test } from "node:test";
import { explanationText } from "./explain-report.ts";

const explanation = {
  key: "GET /api/a",
  to: "shop",
  declared: "curtainwall.config.ts:8",
  countedOn: "a machine",
  steps: [
    {
      check: "path",
      passes: "/api/a, to the letter; no encoded separators, and some more words",
      otherwise: "400 GATEWAY_PATH_INVALID, 404 GATEWAY_ROUTE_UNKNOWN",
      cost: 5000,
      declared: "curtainwall.config.ts:9",
    },
    { check: "answer's headers", passes: "none", otherwise: "never refuses" },
  ],
};
const dim = (text: string): string => `<${text}>`;

test("an explanation ends where the terminal does, what goes on under where it began", () => {
  const text = explanationText(explanation, { columns: 72, dim: (words) => words });
  assert.ok(
    text.split("\n").every((line) => line.length <= 72),
    text,
  );
  const [, first = "", ...more] = text.split("\n");
  assert.equal(first, `  1  path                5.0 k   /api/a, to the letter; no encoded`);
  assert.equal(more[0], `${" ".repeat(35)}separators, and some more words`);
  assert.ok(
    text.includes(
      `\n${" ".repeat(33)}otherwise 400 GATEWAY_PATH_INVALID,\n${" ".repeat(35)}404 GATEWAY_ROUTE_UNKNOWN\n`,
    ),
  );
});

test("without a terminal every check has one line, and where it is asked for stands beside it", () => {
  const text = explanationText(explanation, { columns: Number.POSITIVE_INFINITY, dim });
  assert.match(text, /^GET \/api\/a {3}<curtainwall\.config\.ts:8>$/m);
  assert.match(text, /and some more words {3}<curtainwall\.config\.ts:9>$/m);
  assert.match(text, /^ {2}2 {2}answer's headers {2}< {7}> {3}none$/m);
});
