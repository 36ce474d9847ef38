import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLineSplitter, maxLineBytes } from "./lines.ts";

function split(chunks: readonly Uint8Array[]): (string | undefined)[] {
  const lines: (string | undefined)[] = [];
  const splitter = createLineSplitter((line) => lines.push(line && Buffer.from(line).toString("latin1")));
  for (const chunk of chunks) splitter.push(chunk);
  return lines;
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

test("lines come out as they went in, however the stream is cut", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "\r", "\0", "\xff", "{"), maxLength: 30 });
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(400)), (lines, cuts) => {
      const stream = bytes(lines.map((text) => `${text}\n`).join(""));
      const at = [0, ...cuts.filter((cut) => cut < stream.length).toSorted((a, b) => a - b), stream.length];
      const chunks = at.slice(1).map((end, index) => stream.subarray(at[index], end));
      assert.deepEqual(
        split(chunks),
        lines.filter((text) => text !== ""),
      );
    }),
  );
});

test("what has no end yet is kept back; an empty line is none", () => {
  assert.deepEqual(split([bytes("a\n\n\nb")]), ["a"]);
  assert.deepEqual(split([bytes("a\n\n\nb"), bytes("c\n")]), ["a", "bc"]);
});

test("a line of the greatest length is kept; a longer one is reported once, and the next is whole again", () => {
  const fits = "x".repeat(maxLineBytes);
  assert.deepEqual(split([bytes(`${fits}\nb\n`)]), [fits, "b"]);
  assert.deepEqual(split([bytes(`${fits}x\nb\n`)]), [undefined, "b"]);
  const flood = Array.from({ length: 1000 }, () => bytes("x".repeat(1000)));
  assert.deepEqual(split([...flood, bytes("\nb\n")]), [undefined, "b"]);
});
