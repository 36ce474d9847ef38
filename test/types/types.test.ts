import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { compile } from "../compile.ts";

const source = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

const refused = source("refused.ts").split("\n");
const expectation = /^\s*\/\/ @ts-expect-error(?:: (.*))?$/;
/** The file without its expectations, each on an empty line so that the numbers stay. */
const bare = refused.map((line) => (expectation.test(line) ? "" : line)).join("\n");
const errors = compile({ "refused.ts": bare, "accepted.ts": source("accepted.ts") });

suite("the types of a contract", () => {
  test("every honest form is accepted", () => {
    assert.deepEqual(
      errors.filter((error) => error.file === "accepted.ts"),
      [],
    );
  });

  for (const [index, line] of refused.entries()) {
    const [, says] = expectation.exec(line) ?? [];
    if (says === undefined) continue;
    test(`${nameAt(index + 1)} is refused in a few words: ${says}`, () => {
      const [error, ...others] = errors.filter((candidate) => candidate.line === index + 2);
      assert.ok(error, "it was accepted");
      assert.deepEqual(others, []);
      assert.ok(error.message.includes(says), error.message);
      assert.ok(error.message.split("\n").length <= 2 && error.message.length <= 500, error.message);
    });
  }

  test("nothing else in the refused file is wrong", () => {
    const expected = refused.flatMap((line, index) => (expectation.test(line) ? [index + 2] : []));
    assert.deepEqual(
      errors.filter((error) => error.file === "refused.ts").map((error) => error.line),
      expected,
    );
  });
});

/** The declaration that a line of the refused file belongs to. */
function nameAt(index: number): string {
  const declarations = refused
    .slice(0, index + 1)
    .join("\n")
    .matchAll(/^export const (\w+)/gm);
  return [...declarations].at(-1)?.[1] ?? "";
}
