import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isCurtainwallError } from "../../shared/index.ts";
import { parseLimit } from "./limit.ts";

const unitSeconds = { s: 1, min: 60, h: 3600, day: 86_400 };
const count = fc.integer({ min: 1, max: 999_999_999 });

test("a limit is read as it is written, its burst being the whole count unless it says otherwise", () => {
  fc.assert(
    fc.property(
      count,
      fc.constantFrom("s", "min", "h", "day"),
      fc.constantFrom("client", "user", "tenant", "key", "route"),
      fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
      fc.option(count, { nil: undefined }),
      (number, unit, by, units, burst) => {
        const text = `${number}/${units ?? ""}${unit} per ${by}${burst === undefined ? "" : `, burst ${burst}`}`;
        const windowSeconds = unitSeconds[unit] * (units ?? 1);
        fc.pre(((burst ?? number) * windowSeconds) / number <= 31 * 86_400);
        assert.deepEqual(parseLimit(text), {
          text,
          by,
          count: number,
          windowSeconds,
          burst: burst ?? number,
        });
      },
    ),
  );
});

const refused = [
  "",
  "120",
  "120/min",
  "120 / min per client",
  "120/minute per client",
  "120/min per ip",
  "120/MIN per client",
  " 120/min per client",
  "120/min per client\n",
  "120/min per client,burst 5",
  "120/min per client, burst",
  "120/min per client, burst 0",
  "0/min per client",
  "-1/min per client",
  "5/0min per client",
  "5/15 min per client",
  "5/min per tenant or client",
  "1.5/min per client",
  "1e3/min per client",
  "0x10/min per client",
  "１２０/min per client",
  "9999999999/s per client",
  120,
  null,
  undefined,
  ["120/min per client"],
  { text: "120/min per client" },
];

for (const text of refused) {
  test(`${JSON.stringify(text)} is no limit, and the error shows how one is written`, () => {
    assert.throws(
      () => parseLimit(text),
      (error) =>
        isCurtainwallError(error, "CONTRACT_OPTION_INVALID") &&
        error.message.includes('"120/min per client"'),
    );
  });
}

test("a burst that takes longer than 31 days to regain is refused, with one that does not", () => {
  assert.equal(parseLimit("1/day per client, burst 31").burst, 31);
  assert.throws(
    () => parseLimit("1/day per client, burst 32"),
    (error: Error) => error.message.includes("a burst of at most 31"),
  );
});
