import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { cpuMs } from "../../../test/support/cpu-time.ts";
import { decodeEscapes } from "./escapes.ts";
import { createMatcher } from "./matcher.ts";
import { matchesPath } from "./pattern.ts";
import { decodeBase64Runs, decodeHexRuns } from "./runs.ts";

const encoder = new TextEncoder();
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Few letters, so that needles overlap, repeat and contain one another. */
const letters = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom("a", "b", "-", "0"), minLength, maxLength });

suite("the matcher", () => {
  test("finds what a plain search finds, everywhere (property)", () => {
    fc.assert(
      fc.property(fc.array(letters(4, 9), { maxLength: 12 }), letters(0, 200), (words, content) => {
        const needles = [...new Set(words)];
        const found: string[] = [];
        createMatcher(needles.map((word) => ({ bytes: encoder.encode(word), meaning: word }))).scan(
          encoder.encode(content),
          ({ meaning }, start) => found.push(`${meaning}@${start}`),
        );
        const expected = needles.flatMap((word) =>
          Array.from(content, (_, at) => at)
            .filter((at) => content.startsWith(word, at))
            .map((at) => `${word}@${at}`),
        );
        assert.deepEqual(found.sort(), expected.sort());
      }),
    );
  });

  test("refuses needles that are too short to be anchored", () => {
    assert.throws(() => createMatcher([{ bytes: encoder.encode("abc"), meaning: 0 }]), RangeError);
  });

  test("takes time in proportion to a text that is made of beginnings of needles", () => {
    const needles = Array.from({ length: 500 }, (_, index) => ({
      bytes: encoder.encode(`${"ab".repeat(20)}${index}`),
      meaning: index,
    }));
    const spentMs = cpuMs(() =>
      createMatcher(needles).scan(encoder.encode("ab".repeat(500_000)), () => assert.fail()),
    );
    assert.ok(spentMs < 10_000, `${spentMs} ms`);
  });
});

const everything = { relevant: new Uint8Array(256).fill(1), reach: 64, css: false };

suite("decoded escapes", () => {
  const decode = (source: string): string => {
    const derived = decodeEscapes(encoder.encode(source), everything);
    return derived === undefined ? source : text(derived.bytes).replaceAll("\0", "");
  };

  test("are what JSON, URLs and HTML mean by them (property)", () => {
    const plain = fc.string({
      unit: fc.constantFrom(...Array.from('aZ09/+=_-.é€𝄞"')),
      minLength: 1,
      maxLength: 40,
    });
    const hex = (unit: number): string => `\\u${unit.toString(16).padStart(4, "0")}`;
    fc.assert(
      fc.property(plain, (value) => {
        assert.equal(decode(encodeURIComponent(value)), value);
        assert.equal(decode(JSON.stringify(value).slice(1, -1)), value);
        assert.equal(
          decode(
            value
              .split("")
              .map((unit) => hex(unit.charCodeAt(0)))
              .join(""),
          ),
          value,
        );
        assert.equal(decode(Array.from(value, (one) => `&#${one.codePointAt(0)};`).join("")), value);
        assert.equal(
          decode(Array.from(value, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`).join("")),
          value,
        );
      }),
    );
  });

  test("lead back to where they stand", () => {
    const source = encoder.encode(`${"x".repeat(100)} \\u0041\\u0042%43 &#68;E`);
    const derived = decodeEscapes(source, everything) ?? assert.fail();
    const at = text(derived.bytes).indexOf("ABC DE");
    assert.deepEqual(
      [0, 1, 2, 4, 5].map((index) =>
        text(source).slice(derived.toSource(at + index), derived.toSource(at + index) + 2),
      ),
      ["\\u", "\\u", "%4", "&#", "E"],
    );
    assert.deepEqual(derived.encodings(at, at + 2), ["json"]);
    assert.deepEqual(derived.encodings(at, at + 6), ["json", "url", "html"]);
  });

  test("that change nothing are left alone", () => {
    const relevant = new Uint8Array(256);
    relevant[0x41] = 1;
    const options = { relevant, reach: 64, css: false };
    assert.equal(decodeEscapes(encoder.encode("a &lt; b %20 \\n \\d &amp; 100% \\"), options), undefined);
    assert.notEqual(decodeEscapes(encoder.encode("a %41"), options), undefined);
  });
});

suite("decoded runs", () => {
  test("hold the bytes, at the place that they came from (property)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 30, maxLength: 90 }), fc.nat(40), (bytes, shift) => {
        const before = `${" .".repeat(shift)}"`;
        for (const [decode, write] of [
          [decodeBase64Runs, "base64"],
          [decodeBase64Runs, "base64url"],
          [decodeHexRuns, "hex"],
        ] as const) {
          const source = `${before}${Buffer.from(bytes).toString(write)}"`;
          const derived = decode(encoder.encode(source)) ?? assert.fail(source);
          assert.deepEqual([...derived.bytes.subarray(0, bytes.length)], [...bytes]);
          assert.equal(derived.toSource(0), before.length);
          assert.deepEqual(derived.starts, [0]);
        }
      }),
    );
  });
});

test("patterns of paths: * stays within a folder, ** does not", () => {
  for (const [pattern, path, matches] of [
    ["a/*.js", "a/b.js", true],
    ["a/*.js", "a/b/c.js", false],
    ["a/**.js", "a/b/c.js", true],
    ["**", "a/b", true],
    ["/a.pem", "a.pem", true],
    ["*", "", true],
    ["a.c", "abc", false],
    ["a*b*c", "aXbYc", true],
    ["a*b*c", "aXcYb", false],
  ] as const)
    assert.equal(matchesPath(pattern, path), matches, `${pattern} ${path}`);
  const spentMs = cpuMs(() => assert.equal(matchesPath("*a".repeat(200), "a".repeat(1000) + "b"), false));
  assert.ok(spentMs < 5000, `${spentMs} ms`);
});
