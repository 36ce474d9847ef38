import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answerHeaders } from "./answer-headers.ts";
import { echoesOf } from "./redactor.ts";
import type { Echoes, Redactor } from "./redactor.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const open = (values: readonly string[]): Redactor => (echoesOf(values) as Echoes).openRedactor();

/** All that comes out of a stream that is cut as given. */
function stream(parts: readonly string[], values: readonly string[]): string {
  const redactor = open(values);
  const out = [...parts.map((part) => redactor.push(bytes(part))), redactor.end()];
  return Buffer.concat(out).toString();
}

/** A text without its values, as slowly as can be; of those that overlap one mask is left. */
function cleansed(text: string, value: string): string {
  let out = "";
  for (let at = 0; at < text.length;) {
    let end = text.startsWith(value, at) ? at + value.length : at;
    for (let inner = at; inner < end; inner++) if (text.startsWith(value, inner)) end = inner + value.length;
    out += end > at ? "[redacted]" : text.charAt(at);
    at = Math.max(end, at + 1);
  }
  return out;
}

/** Cuts a text at places that may lie anywhere. */
function cut(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((at) => at % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => text.slice(from, places[index]));
}

test("an echo is taken out wherever the parts of a stream begin and end", () => {
  const value = "aabaaab";
  const alphabet = fc.constantFrom("a", "b", "aab", value, "x", "\n", "z".repeat(300));
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 30 }), fc.array(fc.nat(3000)), (letters, cuts) => {
      const text = letters.join("");
      assert.equal(stream(cut(text, cuts), [value]), cleansed(text, value));
    }),
    { numRuns: 3000 },
  );
});

test("when what is passed on comes, and how much of it, is the same whatever part of a value stands where", () => {
  const value = "abcdefghij";
  const guesses = fc.array(fc.nat(value.length - 1), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(guesses, fc.array(fc.nat(3000)), fc.nat(40), (lengths, cuts, lines) => {
      // The right beginnings, and as many letters that stand in no value; lines end in both at the same places.
      const guess = lengths
        .map((length, index) => value.slice(0, length) + (index % (lines + 1) ? "-" : "\n"))
        .join("");
      const nothing = guess.replace(/[a-j]/g, "-");
      const timing = (text: string): number[] => {
        const redactor = open([value]);
        return [...cut(text, cuts).map((part) => redactor.push(bytes(part)).length), redactor.end().length];
      };
      assert.deepEqual(timing(guess), timing(nothing));
    }),
    { numRuns: 1000 },
  );
});

test("how long a value is can't be seen either", () => {
  const lengths = ["secret", "a much longer secret than the other"].map((value) => {
    const redactor = open([value]);
    return [400, 100, 1].map((size) => redactor.push(new Uint8Array(size)).length);
  });
  assert.deepEqual(lengths[0], lengths[1]);
});

test("what a service writes in a URL, a form or JSON is taken out too; base64 is not seen through", () => {
  const value = 'pass "word"/ü+1';
  const form = new URLSearchParams({ a: value }).toString();
  const text = [value, encodeURIComponent(value), form, JSON.stringify({ a: value })].join(" ");
  assert.equal(stream([text], [value]), '[redacted] [redacted] a=[redacted] {"a":"[redacted]"}');
  assert.equal(echoesOf([value])?.cleanse(text), '[redacted] [redacted] a=[redacted] {"a":"[redacted]"}');
  const encoded = Buffer.from(value).toString("base64");
  assert.equal(stream([encoded], [value]), encoded);
});

test("a value inside another is taken out with it, and a short one is left where it stands by chance", () => {
  assert.equal(stream(["user:secret-1 secret-1"], ["user:secret-1", "secret-1"]), "[redacted] [redacted]");
  assert.equal(echoesOf(["12345"]), undefined);
  assert.equal(stream(["a12345b secret-1"], ["12345", "secret-1"]), "a12345b [redacted]");
});

test("a value that begins another is taken out where a body ends with it", () => {
  const values = ["guests:guests", "guests"];
  assert.equal(stream(["hello guests"], values), "hello [redacted]");
  assert.equal(stream(["hello gue", "sts:gu"], values), "hello [redacted]:gu");
  assert.equal(stream(["ends in \\abcdef\\"], ["\\abcdef\\"]), "ends in [redacted]");
});

test("escapes in lower case, and JSON and HTML as PHP, Python, Go and .NET write them, are seen through", () => {
  const value = "Key/aB+c'd<é>!=";
  const written = [
    "Key%2faB%2bc'd%3c%c3%a9%3e!%3d",
    "Key%2FaB%2Bc%27d%3C%C3%A9%3E%21%3D",
    "Key\\/aB+c'd<\\u00e9>!=",
    "Key/aB+c'd<\\u00e9>!=",
    "Key/aB+c'd\\u003cé\\u003e!=",
    "Key/aB\\u002Bc\\u0027d\\u003C\\u00E9\\u003E!=",
    "Key/aB+c&#39;d&lt;é&gt;!=",
  ];
  for (const text of written) assert.equal(stream([text], [value]), "[redacted]", text);
});

test("the end of a line is passed on at once, so that event streams arrive", () => {
  const redactor = open(["secret-1"]);
  assert.equal(Buffer.from(redactor.push(bytes("data: hello\n\n"))).toString(), "data: hello\n\n");
  assert.equal(Buffer.from(redactor.push(bytes("data: sec"))).toString(), "");
  assert.equal(Buffer.from(redactor.push(bytes("ret-1\n\n"))).toString(), "data: [redacted]\n\n");
});

test("a value with an end of line in it is taken out too", () => {
  const value = "first line\nsecond";
  for (let at = 0; at <= value.length; at++)
    assert.equal(stream([`a ${value.slice(0, at)}`, `${value.slice(at)} b\n`], [value]), "a [redacted] b\n");
});

test("a text of all bytes, and one of the same byte, are found", () => {
  const value = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte)).toString("latin1");
  assert.equal(stream([`x${value}y`], [value, "aaaaaaaa"]), "x[redacted]y");
  assert.equal(stream(["aaaaaaa", "aaaaaaaab"], ["aaaaaaaa"]), "[redacted]b");
});

test("a body that is made to be slow to search is searched in one step a byte", () => {
  const value = `${"a".repeat(20_000)}b`;
  const redactor = open([value]);
  const chunk = bytes("a".repeat(65_536));
  const before = process.cpuUsage();
  for (let count = 0; count < 64; count++) redactor.push(chunk);
  redactor.end();
  const { user } = process.cpuUsage(before);
  assert.ok(user < 5_000_000, `${user} µs for 4 MiB`);
});

test("headers that open a session, belong to a connection, or are egress' own don't come back", () => {
  assert.deepEqual(
    answerHeaders(
      {
        "content-type": "text/plain",
        "x-many": ["a", "b secret-1"],
        "set-cookie": ["a=b"],
        connection: "close, X-Hop",
        "x-hop": "1",
        "transfer-encoding": "chunked",
        "X-Curtainwall-Error": "EGRESS_FAILED",
        authorization: "Bearer secret-1",
        "www-authenticate": "Bearer",
      },
      echoesOf(["secret-1"]),
    ),
    ["content-type", "text/plain", "x-many", "a", "x-many", "b [redacted]", "www-authenticate", "Bearer"],
  );
});
