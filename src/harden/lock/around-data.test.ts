import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { aroundData } from "./around-data.ts";
import { skeletonOf } from "./skeleton.ts";

const frames: readonly (readonly [before: string, after: string])[] = [
  ["self.__next_f.push(", ")"],
  ["(self.__next_f=self.__next_f||[]).push(", ");\n"],
  ["window.__STATE__ = ", ";"],
  ["window.__STATE__.deep=", ""],
  ["self.push(", ")"],
  ["window.location = ", ""],
  ["a.push(", ").push([0])"],
  ["a.push(b||", ")"],
  ["f().push(", ")"],
  ["x.innerHTML=", ""],
];
const data = fc.oneof(
  fc.array(fc.oneof(fc.string(), fc.integer(), fc.boolean())).map((rest) => JSON.stringify([1, ...rest])),
  fc.jsonValue().map((value) => JSON.stringify({ value })),
  fc.string().map((text) => `[1,"${text}"]`),
  fc.string().map((text) => `[1,"a"]);${text}([1]`),
  fc.constantFrom(
    `{"__proto__":1}`,
    `{"\\u005f_proto__":1}`,
    `[1,{"a":1}]`,
    `[1,...x]`,
    `{}`,
    `{"a":1}.b={"c":1}`,
  ),
);

test("what is recognised without a parser has the skeleton of its template", () => {
  let recognised = 0;
  fc.assert(
    fc.property(fc.constantFrom(...frames), data, ([before, after], text) => {
      const source = before + text + after;
      const around = aroundData(source);
      if (around === undefined) return;
      const template = skeletonOf(around.template, "inline");
      if (template.holes.length !== 1 || template.holes[0]?.from !== around.from) return;
      recognised++;
      assert.equal(skeletonOf(source, "inline").text, template.text);
    }),
    { numRuns: 1_000 },
  );
  assert.ok(recognised > 100, `${recognised}`);
});
