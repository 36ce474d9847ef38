import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { doUsesMeet, isPathWithin, textOfUse } from "./use-pattern.ts";

const paths = fc
  .tuple(
    fc.array(fc.constantFrom("a", "b", "*"), { maxLength: 4 }),
    fc.constantFrom<string[]>([], ["**"], [""]),
  )
  .map(([segments, end]) => [...segments, ...end]);
/** Every path of few segments, which is what patterns this short can tell apart. */
const concrete: string[][] = [[]];
for (let length = 1; length <= 5; length++)
  for (let index = 0; index < 3 ** length; index++)
    concrete.push(Array.from({ length }, (_, at) => "abc"[Math.floor(index / 3 ** at) % 3] ?? ""));
concrete.push(...concrete.map((path) => [...path, ""]));

/** What the pattern's words say, segment by segment. */
function fits(path: readonly string[], [head, ...rest]: readonly string[]): boolean {
  if (head === "**") return true;
  if (head === undefined) return path.length === 0;
  const [first, ...others] = path;
  return first !== undefined && (head === first || (head === "*" && first !== "")) && fits(others, rest);
}

test("a path is within another pattern exactly if each path that fits it fits the other", () => {
  fc.assert(
    fc.property(paths, paths, (one, other) => {
      const all = concrete.every((path) => !fits(path, one) || fits(path, other));
      assert.equal(isPathWithin(one, other), all);
    }),
    { numRuns: 400 },
  );
});

test("two uses meet exactly if some path fits both", () => {
  const use = (path: string[], method: "GET" | "POST" = "GET") => ({
    method,
    origin: "https://api.delivery.example",
    path,
  });
  fc.assert(
    fc.property(paths, paths, (one, other) => {
      const some = concrete.some((path) => fits(path, one) && fits(path, other));
      assert.equal(doUsesMeet(use(one), use(other)), some);
      assert.equal(doUsesMeet(use(one), use(other, "POST")), false);
    }),
    { numRuns: 400 },
  );
  assert.equal(textOfUse(use([])), "GET https://api.delivery.example/");
});
