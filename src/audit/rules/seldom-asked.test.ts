import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Check } from "../check.ts";
import type { Fault } from "../fixtures/faults.ts";
import { checkSite } from "../fixtures/run-check.ts";
import { startExchangeSite, startSite } from "../fixtures/site.ts";
import { rules } from "./index.ts";

/** Mistakes that a site makes in one branch alone: a protocol, a form of a request, a moment; each with its row and the check that must see it. */
const mistakes: readonly (readonly [fault: Fault, row: string, check: string])[] = [
  ["tells about others' by HEAD", "API-1", "whoever is refused an answer is refused its HEAD"],
  ["answers all who wait alike", "API-1", "who asks at the same moment gets an answer of its own"],
  ["keeps answers by roles", "API-1", "what one caller was given is given to nobody after it"],
  [
    "takes tokens that are bound to a certificate",
    "API-1",
    "token that its issuer signed, wrong in type, claims or form",
  ],
  ["knows what was sent before, by whomever", "API-1", "what two callers send alike is done for each"],
  ["takes two tokens over HTTP/2", "API-1", "who brings two tokens over HTTP/2 is let in by neither"],
  ["believes a load balancer's headers", "API-1", "no header and no spelling of the path gets around it"],
  ["takes tokens from cookies of a POST", "API-1", "token in another place than its own, or beside another"],
  ["believes a load balancer's headers", "API-1", "user A asks for what is B's"],
  ["reads a proxy's tokens unsigned", "API-1", "no header and no spelling of the path gets around it"],
  ["counts no questions about what is known", "API-2", "burst of N + 1"],
  ["limits by User-Agent", "API-2", "burst of N + 1"],
  ["limits each address for itself", "API-2", "burst of N + 1"],
  ["limits by token where none is asked for", "API-2", "burst of N + 1"],
  ["limits users by their tokens", "API-2", "a user's burst from many addresses"],
  ["counts each guess for itself", "API-2", "guesses are counted, and end"],
  ["forgives guesses after a good one", "API-2", "guesses are counted, and end"],
  ["counts guesses once they are answered", "API-2", "guesses are counted, and end"],
  ["looks at first elements alone", "API-3", "wrong types"],
  ["looks at no field that may be left out", "API-3", "wrong types"],
  ["takes what nearly fits", "API-3", "bounds"],
  ["takes what is too short", "API-3", "bounds"],
  ["looks for duplicates in the outermost object alone", "API-3", "duplicate keys"],
  ["reads long bodies leniently", "API-3", "duplicate keys"],
  ["takes what was announced, of any size", "API-3", "size"],
  ["shows stacks to browsers", "API-7", "no stack, path, SQL or version in errors"],
  ["shows stacks by HEAD", "API-7", "no stack, path, SQL or version in errors"],
  ["allows by an expression", "API-5", "origin refused: dot"],
  ["allows pages under development", "API-5", "origin refused: development"],
  ["forgets headers on pictures", "FE-4", "200, an asset of each kind (HTTP/2)"],
  ["serves what was backed up", "SEC-2", "none is served"],
];

/** How a check of a row ends on a site with some mistakes. */
async function stateOf(row: string, name: string, ...faults: Fault[]): Promise<string> {
  return (await checkSite(startSite(...faults), checkOf(row, name))).state;
}

function checkOf(row: string, name: string): Check {
  const check = rules.find(({ id }) => id === row)?.checks.find((candidate) => candidate.name === name);
  assert.ok(check !== undefined, `${row} has no check "${name}"`);
  return check;
}

suite("What is right but in one branch", () => {
  for (const [fault, row, check] of mistakes)
    test(`a site that ${fault} is found out by "${check}"`, async () => {
      assert.equal(await stateOf(row, check, fault), "failed");
    });

  test("a site that sends files, and they alone, to one page under development is found out", async () => {
    const check = checkOf("API-5", "origin refused: development");
    const { state, failing } = await checkSite(
      startExchangeSite("sends files to a page under development"),
      check,
    );
    assert.deepEqual([state, failing], ["failed", 1]);
    assert.equal((await checkSite(startExchangeSite(), check)).state, "passed");
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
