import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createReplyReader, writeCommand } from "./reply-reader.ts";
import type { RedisReply } from "./reply-reader.ts";

/** As a server would write it. */
function written(reply: RedisReply): string {
  if (reply === null) return "$-1\r\n";
  if (typeof reply === "number") return `:${reply}\r\n`;
  if (typeof reply === "string") return `$${reply.length}\r\n${reply}\r\n`;
  if (Array.isArray(reply)) return `*${reply.length}\r\n${reply.map(written).join("")}`;
  return `-${reply.fault} and what it says\r\n`;
}

const single = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.string({ unit: "binary-ascii", maxLength: 20 }),
  fc.constantFrom("NOSCRIPT", "READONLY").map((fault) => ({ fault })),
);
const reply = fc.oneof(single, fc.array(single, { maxLength: 5 }));

test("answers are read as they were written, whatever parts they come in", () => {
  fc.assert(
    fc.property(
      fc.array(reply, { maxLength: 10 }),
      fc.array(fc.nat(30), { maxLength: 60 }),
      (replies, cuts) => {
        const bytes = Buffer.from(replies.map(written).join(""), "latin1");
        const reader = createReplyReader();
        const read: RedisReply[] = [];
        let at = 0;
        for (const cut of cuts) {
          read.push(...reader.push(bytes.subarray(at, at + cut)));
          at = Math.min(bytes.length, at + cut);
        }
        read.push(...reader.push(bytes.subarray(at)));
        assert.deepEqual(read, replies);
      },
    ),
  );
});

test("what is no answer is an error, and so is one without end", () => {
  const push = (text: string) => () => createReplyReader().push(Buffer.from(text));
  for (const text of [
    "HTTP/1.1 400 Bad Request\r\n",
    ":1e3\r\n",
    "*-2\r\n",
    "$99999999999999999\r\n",
    "*1\r\n".repeat(9),
  ])
    assert.throws(push(text), /RESP2|too deeply/, text);
  assert.throws(push("+".padEnd(70_000, "a")), /too long/);
  assert.throws(push("$900000\r\n".padEnd(70_000, "a")), /too long/);
});

test("no bytes make it do anything but read or throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        createReplyReader().push(bytes);
      } catch (error) {
        assert.match(
          (error as Error).message,
          /^(?:it does not speak RESP2|its answer is nested too deeply)$/,
        );
      }
    }),
  );
});

test("a command is written with its parts' lengths in bytes", () => {
  assert.equal(writeCommand("AUTH", "über"), "*2\r\n$4\r\nAUTH\r\n$5\r\nüber\r\n");
});
