import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { makeProject } from "../../../test/support/function-project.ts";
import { bundleFunction } from "./bundle-function.ts";
import { mapStack } from "./map-stack.ts";

suite("a stack of a function", () => {
  test("leads to its sources, line and column", async (t) => {
    const root = makeProject(t, {
      "functions/contact.ts":
        'export const kept: number = 1;\nexport default (): never => {\n  throw new Error("boom");\n};\n',
    });
    const { code, map } = await bundleFunction({ root, name: "contact", runner: "workerd", secrets: [] });
    const [before = ""] = Buffer.from(code).toString("utf8").split("new Error");
    const line = before.split("\n").length;
    const column = before.length - before.lastIndexOf("\n");
    const stack = `Error: boom\n    at a (function.js:${line}:${column})\n    at node:internal/x:1:1`;
    assert.equal(
      mapStack(stack, map),
      "Error: boom\n    at a (functions/contact.ts:3:9)\n    at node:internal/x:1:1",
    );
  });

  test("stays as it is without a map, and with one that can't be read", () => {
    for (const map of ["", "{", "{}", '{"version":3,"sources":[],"mappings":"A"}'])
      assert.equal(mapStack("at function.js:1:1", map), "at function.js:1:1");
  });

  test("of a million frames is mapped as far as anybody reads", () => {
    const stack = "at function.js:1:1\n".repeat(100_000);
    assert.equal(
      mapStack(stack, '{"version":3,"sources":["a.ts"],"mappings":"AAAA"}').match(/a\.ts/g)?.length,
      64,
    );
  });
});
