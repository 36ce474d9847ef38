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
      fc.pre(!hasProto(text.replaceAll(" ", "")) && !/\\u(d[89a-f]|0000)/.test(text));
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
        if (!isJson) assert.notEqual(fault(text), undefined, text);
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
  const key = fc.string().filter((name) => name !== "__proto__" && !name.includes("\0"));
  const escaped = (name: string): string =>
    `"${[...Array(name.length).keys()].map((index) => `\\u${name.charCodeAt(index).toString(16).padStart(4, "0")}`).join("")}"`;
  const wrap = fc.constantFrom(
    (inner: string) => inner,
    (inner: string) => `[1,${inner}]`,
    (inner: string) => `{"a:b{}":${inner}}`,
  );
  fc.assert(
    fc.property(key, value, value, wrap, (name, first, second, around) => {
      fc.pre(!/__proto__|\\u(d[89a-f]|0000)/.test(`${first}${second}`));
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

test("a constructor's prototype is not reached for; a member of that name is fine", () => {
  assert.equal(fault('{"a":{"constructor":{"prototype":{"admin":true}}}}'), "forbidden-key");
  assert.equal(fault('{"c\\u006fnstructor":{"prototype":null}}'), "forbidden-key");
  assert.equal(fault('{"constructor":"Ferrari","prototype":{"a":1}}'), undefined);
  assert.equal(fault('{"constructor":{"name":"Ferrari"}}'), undefined);
});

test("a number that JavaScript would round is refused, and every other is read as written", () => {
  const rounded = [
    "9007199254740993",
    "12345678901234567890",
    "1e400",
    "-1e400",
    "1e-400",
    "3.141592653589793238462",
  ];
  for (const text of rounded) assert.equal(fault(`{"n":[${text}]}`), "inexact-number", text);
  const kept = [
    "0",
    "-0",
    "1.10",
    "9007199254740991",
    "9007199254740992",
    "1e21",
    "1E+2",
    "0.1",
    "5e-324",
    "0.30000000000000004",
  ];
  for (const text of [
    ...kept,
    "1.7976931348623157e308",
    "100000000000000000000000",
    "0.000000000000000000000",
  ])
    assert.equal(fault(`{"n":${text}}`), undefined, text);
  // As text it may have any number of digits, also after a backslash.
  assert.equal(fault('{"n":"12345678901234567890","m":"\\"12345678901234567890"}'), undefined);
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (value) => fault(JSON.stringify(value)) === undefined,
    ),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (value) => {
      assert.equal(fault(String(value)) === undefined, writtenAnew(value) === value);
    }),
  );
});

/** What an upstream reads once the number has been through a double: the shortest digits that name it, which need not be all that it has. */
function writtenAnew(value: bigint): bigint {
  const [mantissa = "", power = "0"] = String(Number(value)).split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return BigInt(whole + fraction) * 10n ** BigInt(Number(power) - fraction.length);
}

test("half a character and U+0000 are refused; a whole pair is not", () => {
  for (const text of ['"\\ud800"', '{"\\uDC00":1}', '["a\\u0000b"]', '"\\ud83d\\u0041"'])
    assert.equal(fault(text), "broken-text", text);
  for (const text of ['"\\ud83d\\ude00"', '"\\\\ud800"', '"\\\\u0000"'])
    assert.equal(fault(text), undefined, text);
});

test("members, elements and texts are counted before anything is built", () => {
  const limits = { depth: 3, members: 3, elements: 4, textLength: 5 };
  const faultWithin = (text: string): string | undefined =>
    parseJsonBody(new TextEncoder().encode(text), limits).fault;
  assert.equal(faultWithin('{"a":1,"b":{"c":1}}'), undefined);
  assert.equal(faultWithin('{"a":1,"b":{"c":1,"d":2}}'), "too-many-members");
  assert.equal(faultWithin("[1,[2], {},[ ]]"), "too-many-elements");
  assert.equal(faultWithin("[1,[2], {}]"), undefined);
  assert.equal(faultWithin("[[],[],[],[],[]]"), "too-many-elements");
  assert.equal(faultWithin('{"a":[1,2],"b":[3,4]}'), undefined);
  assert.equal(faultWithin('"12345"'), undefined);
  assert.equal(faultWithin('"123456"'), "text-too-long");
  assert.equal(faultWithin('{"123456":1}'), "text-too-long");
});
