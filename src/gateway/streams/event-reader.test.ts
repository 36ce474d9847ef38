import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createEventReader } from "./event-reader.ts";
import type { RawEvent } from "./event-reader.ts";

function read(parts: readonly (string | Uint8Array)[], maxEventBytes = 1000): RawEvent[] | "refused" {
  const events: RawEvent[] = [];
  const reader = createEventReader(maxEventBytes, (event) => events.push(event));
  for (const part of parts)
    if (!reader.push(typeof part === "string" ? new TextEncoder().encode(part) : part)) return "refused";
  return events;
}

test("events are read as browsers read them (WHATWG HTML §9.2.6)", () => {
  assert.deepEqual(read(["\ufeffdata: a\ndata\ndata:  b\n\n"]), [
    { name: "message", data: "a\n\n b", id: undefined },
  ]);
  assert.deepEqual(read(["event: price\r\nid: 7\r\ndata:1\r\n\r\n", "data:2\r\rdata:3\n\n"]), [
    { name: "price", data: "1", id: "7" },
    { name: "message", data: "2", id: undefined },
    { name: "message", data: "3", id: undefined },
  ]);
  // A comment, an event without data, one that was not ended, an unknown field.
  assert.deepEqual(read([":hello\n\nevent: x\n\nretry: 1\nfoo: bar\n\ndata: lost\n"]), []);
});

test("an id that could not come back as a header is left out", () => {
  for (const id of ["a b", "\u00e9", "a\0b", "x".repeat(129)])
    assert.equal((read([`id: ${id}\ndata: 1\n\n`]) as RawEvent[])[0]?.id, undefined);
});

test("however the bytes are cut, the same events are read", () => {
  const line = fc.constantFrom("data: a", "data:\u00e9\ud83d\ude00", "event: e", "id: 1", ":c", "");
  const end = fc.constantFrom("\n", "\r\n", "\r");
  fc.assert(
    fc.property(fc.array(fc.tuple(line, end)), fc.array(fc.nat(20)), (pairs, cuts) => {
      const bytes = new TextEncoder().encode(`${pairs.flat().join("")}\n\n`);
      const parts: Uint8Array[] = [];
      let at = 0;
      for (const cut of cuts) parts.push(bytes.subarray(at, (at += cut)));
      assert.deepEqual(read([...parts, bytes.subarray(at)]), read([bytes]));
    }),
  );
});

test("what one event may hold is bounded, in one line or in many, ended or not", () => {
  assert.equal(read([`data: ${"a".repeat(1000)}`]), "refused");
  assert.equal(read(Array.from({ length: 200 }, () => "data: a\n")), "refused");
  assert.equal(read(Array.from({ length: 200 }, () => "x")).length, 0);
  assert.equal(read(Array.from({ length: 1001 }, () => "x")), "refused");
  assert.equal((read(Array.from({ length: 200 }, () => "data: a\n\n")) as RawEvent[]).length, 200);
  assert.equal(read([Uint8Array.of(0x64, 0xff)]), "refused");
});
