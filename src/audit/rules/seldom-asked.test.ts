import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Fault } from "../fixtures/faults.ts";
import { checkSite } from "../fixtures/run-check.ts";
import { startSite } from "../fixtures/site.ts";
import { rules } from "./index.ts";

/** Mistakes that a site makes in one branch alone: a protocol, a form of a request, a moment; each with its row and the check that must see it. */
const mistakes: readonly (readonly [fault: Fault, row: string, check: string])[] = [
  ["tells about others' by HEAD", "API-1", "whoever is refused an answer is refused its HEAD"],
  ["answers all who wait alike", "API-1", "who asks at the same moment gets an answer of its own"],
  ["knows what was sent before, by whomever", "API-1", "what two callers send alike is done for each"],
  ["takes two tokens over HTTP/2", "API-1", "who brings two tokens over HTTP/2 is let in by neither"],
  ["counts no questions about what is known", "API-2", "burst of N + 1"],
  ["forgives guesses after a good one", "API-2", "guesses are counted, and end"],
  ["counts guesses once they are answered", "API-2", "guesses are counted, and end"],
  ["looks at first elements alone", "API-3", "wrong types"],
  ["reads long bodies leniently", "API-3", "duplicate keys"],
  ["takes what was announced, of any size", "API-3", "size"],
];

/** How a check of a row ends on a site with some mistakes. */
async function stateOf(row: string, name: string, ...faults: Fault[]): Promise<string> {
  const check = rules.find(({ id }) => id === row)?.checks.find((candidate) => candidate.name === name);
  assert.ok(check !== undefined, `${row} has no check "${name}"`);
  return (await checkSite(startSite(...faults), check)).state;
}

suite("What is right but in one branch", () => {
  for (const [fault, row, check] of mistakes)
    test(`a site that ${fault} is found out by "${check}"`, async () => {
      assert.equal(await stateOf(row, check, fault), "failed");
    });

  test("a site that does everything right is not", async () => {
    for (const [, row, check] of mistakes)
      // Nothing is told by HEAD where there is none.
      assert.equal(
        await stateOf(row, check),
        check.endsWith("its HEAD") ? "not applicable" : "passed",
        check,
      );
  });
});
