import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenIds, readOptions } from "../tools/mutate/options.ts";
import { tellEstimate } from "../tools/mutate/tell-progress.ts";

test("an option that there is not is named, with where all of them stand and nothing of how Node reads arguments", () => {
  for (const wrong of [["--bogus"], ["--only"], ["--list=yes"]])
    assert.throws(
      () => readOptions(wrong),
      (error: Error) => {
        assert.match(error.message, /--(?:bogus|only|list).*npm run mutate -- --help$/);
        assert.doesNotMatch(error.message, /positional|use '--/);
        return true;
      },
    );
  assert.deepEqual(readOptions(["--only", "API-1"]).only, ["API-1"]);
  assert.throws(() => readOptions(["--recrd"]), /Did you mean {2}--record\?/);
  assert.throws(() => readOptions(["--onyl", "API-1"]), /Did you mean {2}--only\?/);
});

test("what is asked for twice is asked for in all; a name that no mutant has is told, beside some that there are", () => {
  assert.deepEqual(readOptions(["--only", "API-1, FE-2", "--only", "API-2/x"]).only, [
    "API-1",
    "FE-2",
    "API-2/x",
  ]);
  const ids = ["API-1/alg-none", "API-1/alg-any", "API-2/by-header"];
  const chosen = (...only: string[]): string[] => [...chosenIds(ids, only)];
  assert.deepEqual(chosen(), ids);
  assert.deepEqual(chosen("API-1"), ids.slice(0, 2));
  assert.deepEqual(chosen("API-1/alg", "API-2/by-header"), ids);
  assert.throws(
    () => chosen("API-2", "API-1/alg-nonne"),
    /called API-1\/alg-nonne\. Did you mean {2}API-1\/alg-none\?/,
  );
  for (const none of ["API", "API-10", "API-1/lg"]) assert.throws(() => chosen(none), /No mutant is called/);
  assert.throws(() => chosen("API1"), /Did you mean {2}API-1\?/);
  assert.throws(() => chosen("API-1/none-at-all"), /Did you mean {2}API-1\/alg-none\?/);
  assert.throws(() => chosen("API-1/header"), /Did you mean {2}API-2\/by-header\?/);
  assert.throws(() => chosen("API-1/weather"), /API-1 has alg-none, alg-any\. {2}All of them/);
  assert.throws(() => chosen("weather"), /There are some of API-1, API-2 {2}All of them/);
});

test("the rest is estimated from what was tried in this run, and only now and then", () => {
  let time = 0;
  const said: string[] = [];
  const estimate = tellEstimate(
    (words) => void said.push(words.trim()),
    () => time,
  );
  // The first forty were known from before.
  for (let done = 41; done <= 50; done++) {
    time += 30_000;
    estimate(done, 60);
  }
  assert.deepEqual(said, ["about 10 minutes left", "about 7 minutes left"]);
});
