import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseJsonBody } from "./json-body.ts";

const parse = (text: string): ReturnType<typeof parseJsonBody> =>
  parseJsonBody(new TextEncoder().encode(text));
const fault = (text: string): string | undefined => parse(text).fault;

test("whatever JSON.stringify writes is read back, spaced or not", () => {
  const hasProto = (text: string): boolean => text.includes('"__proto__":');
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(0, 2), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      fc.pre(!hasProto(text.replaceAll(" ", "")));
      const result = parse(text);
      assert.equal(result.fault, undefined);
      assert.deepEqual(result.value, JSON.parse(text));
    }),
  );
});

test("what JSON.parse refuses is malformed, and nothing throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((text) => text.slice(1)),
        fc.string({ unit: fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "\\", " ", "1", "a") }),
      ),
      (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        if (!isJson) assert.ok(["malformed", "too-deep"].includes(fault(text) ?? ""), text);
        else assert.notEqual(fault(text), "malformed");
      },
    ),
  );
  for (const bytes of [
    [0xff],
    [0x22, 0xc0, 0x80, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0xef, 0xbb, 0xbf, 0x31],
    [0x31, 0],
  ])
    assert.equal(parseJsonBody(Uint8Array.from(bytes)).fault, "malformed");
});

test("a key that stands twice in one object is found wherever it is and however it is written", () => {
  const value = fc.jsonValue({ maxDepth: 2 }).map((inner) => JSON.stringify(inner));
  const key = fc.string().filter((name) => name !== "__proto__");
  const escaped = (name: string): string =>
    `"${[...Array(name.length).keys()].map((index) => `\\u${name.charCodeAt(index).toString(16).padStart(4, "0")}`).join("")}"`;
  const wrap = fc.constantFrom(
    (inner: string) => inner,
    (inner: string) => `[1,${inner}]`,
    (inner: string) => `{"a:b{}":${inner}}`,
  );
  fc.assert(
    fc.property(key, value, value, wrap, (name, first, second, around) => {
      fc.pre(!`${first}${second}`.includes("__proto__"));
      const twice = around(`{${JSON.stringify(name)}:${first},${escaped(name)}:${second}}`);
      assert.equal(fault(twice), "duplicate-key");
      assert.equal(fault(around(`{${escaped(name)}:${first}}`)), undefined);
    }),
  );
  assert.equal(fault('[{"a":1},{"a":2}]'), undefined);
  assert.equal(fault('{"a":"b:c","b:c":"\\":"}'), undefined);
});

test("__proto__ is refused, escaped and deep inside too", () => {
  for (const text of ['{"__proto__":1}', '{"a":[{"__proto__":{}}]}', '{"\\u005f_proto__":1}'])
    assert.equal(fault(text), "forbidden-key");
  assert.equal(fault('{"constructor":1,"prototype":2,"proto":"__proto__"}'), undefined);
});

test("32 levels are read, 33 are not, and a million cost nothing", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  assert.equal(fault(nested(32)), undefined);
  assert.equal(fault(nested(33)), "too-deep");
  assert.equal(fault("[".repeat(1_000_000)), "too-deep");
  assert.equal(fault('{"a":'.repeat(33)), "too-deep");
  assert.equal(fault(JSON.stringify("[".repeat(100))), undefined);
});
