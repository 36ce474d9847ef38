import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDocument } from "yaml";
import { readSimpleYaml } from "./simple-yaml.ts";

test("simple fields are read without YAML", () => {
  assert.deepEqual(readSimpleYaml('title: "A: b"\norder: 12\ndraft: true\nname: Rye, dark\n'), {
    title: "A: b",
    order: 12,
    draft: true,
    name: "Rye, dark",
  });
});

test("whatever could mean something else is left to YAML", () => {
  for (const source of [
    "a: [1]",
    "a: b: c",
    "a: b # c",
    "a: 'b'",
    'a: "b\\n"',
    "a:\n  b: c",
    "a: &b c",
    "a: b\na: c",
    "a: Null",
    "a: 0x10",
    "a: 1.5",
    "a: 2026-01-01T00:00:00Z",
    "a: ~",
    "a:",
    "- a",
    "__proto__: a",
    "constructor: a",
    "a: b\n  c",
    "? a",
    "---",
    "a: b\r",
  ])
    assert.equal(readSimpleYaml(source), undefined, source);
});

test("what is read without YAML is what YAML reads", () => {
  const part = fc.constantFrom(
    ..."title|a|: |:|\n|\"|'|#| #|-|- |true|No|null|TRUE|12|012|0|1e3|0x1|,|.|é|\u00a0|\t| |x y|/|(|)|?|=|<|~|$|^|;|+|2026-01-01|\u2028|\u0085".split(
      "|",
    ),
    "|",
  );
  let simple = 0;
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const source = `title: ${parts.join("")}\n`;
      const fields = readSimpleYaml(source);
      if (fields === undefined) return;
      simple++;
      const document = parseDocument(source, { schema: "core", version: "1.2", prettyErrors: false });
      assert.deepEqual([...document.errors, ...document.warnings], []);
      assert.deepEqual(fields, document.toJS());
    }),
    { numRuns: 5000 },
  );
  assert.ok(simple > 200, `${simple} of them were simple`);
});
