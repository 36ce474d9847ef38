import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvents } from "./event-stream.ts";

const names = (text: string): string[] => readEvents(text).map(({ name, data }) => `${name} ${data}`);

test("events are read by their name; without one they are messages", () => {
  assert.deepEqual(names("event: price\ndata: 1\n\ndata: 2\n\n"), ["price 1", "message 2"]);
});

test("data in several lines is one text, and line ends may be of any kind", () => {
  assert.deepEqual(names("data: a\r\ndata: b\r\n\r\ndata:c\r\r"), ["message a\nb", "message c"]);
});

test("comments and what has no data are no events, and the last one must have ended", () => {
  assert.deepEqual(names(":\n\nevent: price\n\nid: 1\n\ndata: a\n"), []);
});

test("a field that is none of an event's is told", () => {
  assert.deepEqual(readEvents("data: 1\nx-debug: shop-3\n\n")[0]?.otherFields, ["x-debug"]);
});
