import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { compile } from "../compile.ts";

const source = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

const accepted = ["accepted.ts", "functions-accepted.ts"];
const refused = ["refused.ts", "functions-refused.ts"].map((file) => ({
  file,
  lines: source(file).split("\n"),
}));
const expectation = /^\s*\/\/ @ts-expect-error(?:: (.*))?$/;
/** A file without its expectations, each on an empty line so that the numbers stay. */
const bare = (lines: readonly string[]): string =>
  lines.map((line) => (expectation.test(line) ? "" : line)).join("\n");
const errors = compile({
  ...Object.fromEntries(accepted.map((file) => [file, source(file)])),
  ...Object.fromEntries(refused.map(({ file, lines }) => [file, bare(lines)])),
});

suite("the types of a contract, and of its functions", () => {
  test("every honest form is accepted", () => {
    assert.deepEqual(
      errors.filter(({ file }) => accepted.includes(file)),
      [],
    );
  });

  for (const { file, lines } of refused) {
    for (const [index, line] of lines.entries()) {
      const [, says] = expectation.exec(line) ?? [];
      if (says === undefined) continue;
      test(`${nameAt(lines, index + 1)} is refused in a few words: ${says}`, () => {
        const [error, ...others] = errors.filter((found) => found.file === file && found.line === index + 2);
        assert.ok(error, "it was accepted");
        assert.deepEqual(others, []);
        assert.ok(error.message.includes(says), error.message);
        assert.ok(error.message.split("\n").length <= 2 && error.message.length <= 600, error.message);
      });
    }

    test(`nothing else in ${file} is wrong`, () => {
      const expected = lines.flatMap((line, index) => (expectation.test(line) ? [index + 2] : []));
      assert.deepEqual(
        errors.filter((error) => error.file === file).map((error) => error.line),
        expected,
      );
    });
  }
});

/** The declaration that a line of a refused file belongs to. */
function nameAt(lines: readonly string[], index: number): string {
  const declarations = lines
    .slice(0, index + 1)
    .join("\n")
    .matchAll(/^export const (\w+)/gm);
  return [...declarations].at(-1)?.[1] ?? "";
}
