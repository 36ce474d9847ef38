import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planAnswer } from "./answer.ts";
import { answerRange, parseRange } from "./range.ts";

test("A range that is asked for is read as RFC 9110 §14.1.2 writes it", () => {
  assert.deepEqual(parseRange("bytes=0-499", 10_000), { start: 0, end: 500 });
  assert.deepEqual(parseRange("bytes=9500-", 10_000), { start: 9500, end: 10_000 });
  assert.deepEqual(parseRange("bytes=-500", 10_000), { start: 9500, end: 10_000 });
  assert.deepEqual(parseRange("Bytes=5-5", 10), { start: 5, end: 6 });
  assert.deepEqual(parseRange("bytes=5-99999999999999999999999", 10), { start: 5, end: 10 });
  assert.deepEqual(parseRange("bytes=-99999999999999999999999", 10), { start: 0, end: 10 });
});

test("A range behind the end, and the last nought bytes, can't be satisfied (RFC 9110 §15.5.17)", () => {
  for (const field of ["bytes=10-", "bytes=10-20", "bytes=99999999999999999999-", "bytes=-0"])
    assert.equal(parseRange(field, 10), "unsatisfiable", field);
});

test("Several ranges, other units, malformed fields and empty files get the whole file (RFC 9110 §14.2)", () => {
  for (const field of [
    "bytes=0-1,3-4",
    "bytes=0-,0-,0-,0-",
    "lines=0-1",
    "bytes=5-2",
    "bytes=-",
    "bytes=",
    "",
    "0-1",
  ])
    assert.equal(parseRange(field, 10), undefined, field);
  for (const field of ["bytes=a-b", "bytes=0x1-2", "bytes=1.5-2", "bytes=--1", "bytes=+1-2", "bytes 0-1/10"])
    assert.equal(parseRange(field, 10), undefined, field);
  assert.equal(parseRange("bytes=0-", 0), undefined);
});

test("Whatever the field, a range lies within the file and holds at least a byte", () => {
  const digits = fc.stringMatching(/^[0-9]{0,25}$/);
  const written = fc.tuple(digits, digits).map(([first, last]) => `bytes=${first}-${last}`);
  fc.assert(
    fc.property(fc.oneof(written, fc.string()), fc.integer({ min: 0, max: 1_000 }), (field, length) => {
      const range = parseRange(field, length);
      if (typeof range !== "object") return;
      assert.ok(range.start >= 0 && range.start < range.end && range.end <= length, field);
    }),
  );
});

test("A part is sent only of the file that the client has begun, known by its strong tag (RFC 9110 §13.1.5)", () => {
  const tag = '"abc"';
  const body = new TextEncoder().encode("0123456789");
  const file = planAnswer(200, [["etag", tag]], body, { tag, headers: [["etag", tag]] });
  const statusOf = (ifRange: string | undefined): number => answerRange(file, "bytes=2-3", ifRange).status;
  assert.equal(statusOf(tag), 206);
  assert.equal(statusOf(undefined), 206);
  for (const other of ['"abd"', 'W/"abc"', "abc", "Sun, 06 Nov 1994 08:49:37 GMT", "*", `${tag}, ${tag}`])
    assert.equal(statusOf(other), 200, other);
  assert.equal(answerRange(planAnswer(404, [], body), "bytes=2-3", undefined).status, 404);
});
