import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Secret } from "../shared/index.ts";
import { fingerprintsOf } from "./fingerprints.ts";
import type { ValueFingerprints } from "./fingerprints.ts";
import { createLeakGate } from "./leaks/gate.ts";
import type { LeakHit } from "./leaks/types.ts";
import { formsOf } from "./leaks/value-forms.ts";
import { unpack } from "./node/unpack.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");
const salt = Uint8Array.from({ length: 16 }, (_, index) => index * 37 + 5);
const encoder = new TextEncoder();
/** No real secret: a text that a generator of passwords might have made. */
const value = "Zt7/qLp+02vKx_9dWm4Rb8fQ2n";

const printsOf = (...values: string[]): ValueFingerprints =>
  // As it travels between processes.
  JSON.parse(
    JSON.stringify(
      fingerprintsOf(
        values.map((text, index) => ({ name: `KEY_${index}`, version: "1", value: new Secret(text) })),
        { salt, sha256 },
      ),
    ),
  ) as ValueFingerprints;

const inspect = (of: ValueFingerprints, content: string | Uint8Array, path = "page.html"): LeakHit[] =>
  createLeakGate({ unpack, fingerprints: { of, sha256 } }).inspect({
    path,
    bytes: typeof content === "string" ? encoder.encode(content) : content,
  });

test("a value is found by its fingerprints, raw and encoded, and no part of it is told", () => {
  const of = printsOf(value);
  const disguises = [
    value,
    Buffer.from(`ab${value} and more`).toString("base64"),
    Buffer.from(value).toString("hex").toUpperCase(),
    encodeURIComponent(value),
    Array.from(value).toReversed().join(""),
    `x = "${value.replace("q", "\\u0071")}"`,
    gzipSync(`<p>${value}</p>`),
    Buffer.from(value, "utf16le"),
  ];
  for (const disguise of disguises) {
    const [hit, ...others] = inspect(of, disguise).filter(({ rule }) => rule === "vault-value");
    assert.ok(hit !== undefined, String(disguise));
    assert.match(hit.message, /^the value of the secret KEY_0$/);
    assert.equal(hit.excerpt, "");
    assert.ok(others.every(({ message }) => message === hit.message));
  }
  assert.match(
    inspect(of, "", `${value.replace("/", "-")}x/${value}.js`)[0]?.message ?? "",
    /its name holds/,
  );
});

test("its place is told", () => {
  const [hit] = inspect(printsOf("another-5Xq_82kd-Value+of-9w", value), `<p>\n  ${value}</p>`);
  assert.deepEqual([hit?.message, hit?.line, hit?.column], ["the value of the secret KEY_1", 2, 3]);
});

test("what only resembles it passes", () => {
  const of = printsOf(value);
  for (const other of [
    value.slice(1),
    value.slice(0, -1),
    `${value.slice(0, -1)}x`,
    `x${value.slice(1)}`,
    "",
  ])
    assert.deepEqual(inspect(of, `<p>${other}</p>`), []);
});

test("fingerprints find what the values themselves would have found", () => {
  const character = fc.constantFrom(...Array.from('abcXYZ0189-_+/=.%"\\&é'));
  const secret = fc.string({ unit: character, minLength: 18, maxLength: 150 });
  const wrap = fc.constantFrom<(text: string) => string>(
    (text) => text,
    (text) => Buffer.from(text).toString("base64"),
    (text) => Buffer.from(`a${text}`).toString("base64url"),
    (text) => Buffer.from(text).toString("hex"),
    (text) => Array.from(text).toReversed().join(""),
    (text) => JSON.stringify(text),
    (text) => encodeURIComponent(text),
    (text) => text.slice(1),
  );
  const around = fc.string({ unit: character, maxLength: 60 });
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 3 }),
      wrap,
      around,
      around,
      (values, write, a, b) => {
        const of = printsOf(...values);
        const searched = values.filter(
          (_, index) => !of.notSearched.some(({ name }) => name === `KEY_${index}`),
        );
        const text = [a, ...values.map(write), b].join(" ");
        const plain = createLeakGate({
          unpack,
          values: searched.map((text_) => ({ name: "KEY", value: new Secret(text_) })),
        });
        const own = (hits: readonly LeakHit[], rule: string): LeakHit[] =>
          hits
            .filter((hit) => hit.rule === rule)
            .sort((left, right) => (left.encodings.join() < right.encodings.join() ? -1 : 1));
        const expected = own(plain.inspect({ path: "a.txt", bytes: encoder.encode(text) }), "private-value");
        const same = { ...of, prints: of.prints.map((print) => ({ ...print, name: "KEY_0" })) };
        const told = own(inspect(same, text, "a.txt"), "vault-value");
        const ways = (hits: readonly LeakHit[]): unknown[] => hits.map(({ encodings }) => encodings);
        assert.deepEqual(ways(told), ways(expected));
        found += expected.length;
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(found > 50, `${found} found in all: too few to say anything`);
});

suite("Nobody learns a value from its fingerprints", () => {
  test("neither the value nor any of its forms stands in them", () => {
    const text = JSON.stringify(printsOf(value));
    for (const { bytes } of formsOf(value))
      for (let at = 0; at + 8 <= bytes.length; at++)
        assert.ok(!text.includes(Buffer.from(bytes.subarray(at, at + 8)).toString("latin1")));
  });

  test("a hash that rolls is of so much of the value that it can't be guessed in parts", () => {
    for (const { encodings, window, length } of printsOf(value, `sk_test_${value}${value}`).prints) {
      const width = encodings.some((encoding) => encoding === "hex" || encoding === "utf-16") ? 2 : 1;
      assert.ok(window >= Math.min(length, 24 * width), `${encodings.join()}: ${window} of ${length}`);
    }
  });

  test("of which characters it consists only the kinds are told", () => {
    const one = printsOf("abcdefghijklmnopqrstuvwx0");
    const other = printsOf("zyxwvutsrqponmlkjihgfedc9");
    assert.deepEqual([one.classes, one.windows], [other.classes, other.windows]);
  });

  test("one that can be guessed is left out, and named", () => {
    for (const weak of [
      "hunter2-hunter2",
      "postgres://shop:hunter2-hunter2@db.internal/shop",
      "shop-user-of-the-database:summer-2026",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    ]) {
      const { prints, notSearched } = printsOf(weak);
      assert.deepEqual([prints.length, notSearched.length], [0, 1], weak);
    }
    assert.deepEqual(printsOf(`shop:${value}`).notSearched, []);
  });

  test("two runs have nothing in common", () => {
    const values = [{ name: "KEY", version: "1", value: new Secret(value) }];
    const again = fingerprintsOf(values, { salt: salt.map((byte) => byte + 77), sha256 });
    const first = printsOf(value);
    const known = new Set(first.prints.flatMap(({ tail, digest }) => [tail, digest]));
    assert.ok(again.prints.every(({ tail, digest }) => !known.has(tail) && !known.has(digest)));
  });
});

test("the part after the colon is found alone: whoever publishes it has published the credential", () => {
  const of = printsOf(`client-7:${value}`);
  assert.deepEqual(
    inspect(of, `secret=${value}`).map(({ rule }) => rule),
    ["vault-value"],
  );
});
