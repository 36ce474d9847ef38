import assert from "node:assert/strict";
import { test } from "node:test";
import { readOptions } from "../tools/mutate/options.ts";
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
