import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { suite, test } from "node:test";
import { allowedWords } from "./script-allowed.ts";

suite("allowed scripts as options of a command that is to be copied", () => {
  for (const address of [
    "https://tags.example/tags.js",
    "https://tags.example/a;id",
    "https://tags.example/$(id).js",
    "https://tags.example/it's&`id`.js",
    "https://tags.example/a b.js",
  ])
    test(`a shell reads ${address} as one word`, () => {
      const words = allowedWords([{ address, reason: "the shop's $HOME" }]);
      const { stdout } = spawnSync("/bin/sh", ["-c", `printf '%s\\n'${words}`], { encoding: "utf8" });
      assert.deepEqual(stdout.trimEnd().split("\n"), ["--allow-script", address, "the shop's $HOME"]);
    });

  test("a plain address stays plain", () => {
    assert.equal(
      allowedWords([{ address: "https://tags.example/tags.js", reason: "why" }]),
      " --allow-script https://tags.example/tags.js 'why'",
    );
  });
});
