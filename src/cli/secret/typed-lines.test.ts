import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTypedLines } from "./typed-lines.ts";

/** What a line is when keys come in one by one, and when they come at once. */
function lineOf(keys: string): unknown {
  const slowly = createTypedLines();
  const given = Array.from(`${keys}\r`).flatMap((key) => slowly.take(key));
  assert.deepEqual(createTypedLines().take(`${keys}\r`), given, JSON.stringify(keys));
  return given.length === 1 ? given[0] : given;
}

test("Letters of any script are taken as they are; arrows, function keys and the marks of a paste are none", () => {
  for (const [keys, line] of [
    ["plain", "plain"],
    ["ключ-日本語-👩‍👩‍👧", "ключ-日本語-👩‍👩‍👧"],
    ["a\tb", "a\tb"],
    ["\u001b[200~pasted\u001b[201~", "pasted"],
    ["\u001b[Da\u001b[1;5Cb\u001bOPc", "abc"],
    ["a\u001bxb", "ab"],
    ["a\u0001\u0007\u001ab", "ab"],
  ])
    assert.equal(lineOf(keys ?? ""), line);
});

test("Backspace takes away one sign, however many characters it has, and Ctrl-U all of them", () => {
  for (const [keys, line] of [
    ["ab\u007f", "a"],
    ["ab\b\b\bc", "c"],
    ["a👩‍👩‍👧\u007f", "a"],
    ["ae\u0301\u007f", "a"],
    ["junk\u0015right", "right"],
  ])
    assert.equal(lineOf(keys ?? ""), line);
});

test("Enter and Ctrl-D end a line, Ctrl-C all of them, and what has begun is told", () => {
  const typed = createTypedLines();
  assert.deepEqual(typed.take("one\rtwo\nthree"), ["one", "two"]);
  assert.equal(typed.isPending, true);
  assert.deepEqual(typed.take("\u0004"), ["three"]);
  assert.equal(typed.isPending, false);
  assert.equal(typed.take("four\u0003five"), "interrupted");
  assert.equal(createTypedLines().take("\u001b[\u0003"), "interrupted", "in the middle of a key's text, too");
});

test("Whatever is printable comes out as it went in, wherever it is cut", () => {
  const printable = fc.string({ unit: "grapheme" }).filter((text) => !/\p{C}/u.test(text));
  fc.assert(fc.property(printable, (text) => assert.equal(lineOf(text), text)));
});
