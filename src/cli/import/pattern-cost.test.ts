import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { mayTakeLong } from "./pattern-cost.ts";

suite("A pattern takes long", () => {
  for (const pattern of [
    "(a+)+$",
    "^(a|aa)*$",
    "(\\w+\\s?)*$",
    "(x{1,30}){1,30}",
    "a*a*a*a*b",
    "^(a|a){30}b$",
    "^(a?){60}b$",
    "^(a|aa){40}b$",
    "^(?:a{0,8}){8}b$",
    `^${"a?".repeat(60)}b$`,
    `^${"(a|b|ab)".repeat(40)}c$`,
    "^(a?|b?){30}c$",
    "^((ab)*|(a|b)*)*c$",
    "(?=(a+)+b)a",
    "(?:(?=a*b)a|a)*b",
    "^(.)\\1$",
    "(?<x>.)\\k<x>",
  ])
    test(pattern.slice(0, 40), () => assert.equal(mayTakeLong(pattern, "u"), true));
});

suite("A pattern of an API that is in use does not", () => {
  for (const pattern of [
    "",
    "^[a-z0-9]+(?:-[a-z0-9]+)*$",
    "^(\\d{1,3}\\.){3}\\d{1,3}$",
    "^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$",
    "^\\S+@\\S+\\.\\S+$",
    "^(?=.*[A-Z])(?=.*\\d).{8,}$",
    "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    "^((?!-)[A-Za-z0-9-]{1,63}(?<!-)\\.)+[A-Za-z]{2,6}$",
    "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(?:-((?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\\.(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?$",
    "^[\\p{L} \\u{10000}-\\u{10ffff}]{1,4096}$",
  ])
    test(pattern.slice(0, 40), () => assert.equal(mayTakeLong(pattern, "u"), false));
});

test("what is said to be quick, an engine tries on long texts in no time", () => {
  const one = fc.constantFrom("a", "b", "[ab]", "\\w", ".", "[^b]");
  const times = fc.constantFrom("*", "+", "?", "{0,3}", "{2}", "{20}", "{0,30}", "*?", "{3,}");
  const { part } = fc.letrec<{ part: string }>((tie) => ({
    part: fc.oneof(
      { maxDepth: 4 },
      one,
      fc.tuple(tie("part"), tie("part")).map((parts) => parts.join("")),
      fc.tuple(tie("part"), times).map(([inner, often]) => `(?:${inner})${often}`),
      fc.tuple(tie("part"), tie("part")).map(([left, right]) => `(${left}|${right})`),
    ),
  }));
  const texts = ["a", "b", "ab", "aab"].flatMap((unit) => [`${unit.repeat(10)}!`, `${unit.repeat(150)}!`]);
  fc.assert(
    fc.property(fc.constantFrom("", "^"), part, (start, middle) => {
      const pattern = `${start}${middle}$`;
      fc.pre(!mayTakeLong(pattern, "u"));
      const expression = new RegExp(pattern, "u");
      const before = process.cpuUsage().user;
      for (const text of texts) expression.test(text);
      assert.ok(process.cpuUsage().user - before < 500_000, pattern);
    }),
    { numRuns: 500 },
  );
});
