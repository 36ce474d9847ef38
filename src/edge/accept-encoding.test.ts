import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createEncodingPreference, encodingPreferences, parseAcceptEncoding } from "./accept-encoding.ts";

const orderFor = (value: string | undefined) => encodingPreferences[parseAcceptEncoding(value)];

test("What browsers send prefers brotli, then zstd, then gzip, then identity", () => {
  assert.deepEqual(orderFor("gzip, deflate, br, zstd"), ["br", "zstd", "gzip", "identity"]);
  assert.deepEqual(orderFor("gzip, deflate, br"), ["br", "gzip", "identity"]);
});

test("An absent or empty header wants identity alone (RFC 9110 §12.5.3)", () => {
  assert.deepEqual(orderFor(undefined), ["identity"]);
  assert.deepEqual(orderFor(""), ["identity"]);
});

test("Weights decide, and zero excludes", () => {
  assert.deepEqual(orderFor("br;q=0.5, gzip;q=0.8"), ["gzip", "br", "identity"]);
  assert.deepEqual(orderFor("br;q=0, gzip"), ["gzip", "identity"]);
  assert.deepEqual(orderFor("gzip, identity;q=0"), ["gzip"]);
  assert.deepEqual(orderFor("identity, br;q=0.9"), ["identity", "br"]);
});

test("A star stands for what is not listed", () => {
  assert.deepEqual(orderFor("*"), ["br", "zstd", "gzip", "identity"]);
  assert.deepEqual(orderFor("gzip;q=0.1, *;q=0.9"), ["br", "zstd", "identity", "gzip"]);
  assert.deepEqual(orderFor("gzip, *;q=0"), ["gzip"]);
});

test("Names are case-insensitive, x-gzip is gzip, spaces don't matter", () => {
  assert.deepEqual(orderFor(" BR ; q=1 ,\tX-GZIP"), ["br", "gzip", "identity"]);
});

test("A malformed element counts as absent", () => {
  assert.deepEqual(orderFor("br;q=2, gzip;q=0.1234, identity;q=x, br;level=4"), ["identity"]);
});

test("Any value gives a preference, each encoding at most once, and the memory changes nothing", () => {
  const remembered = createEncodingPreference(8);
  const element = fc.tuple(
    fc.constantFrom("br", "zstd", "gzip", "identity", "*", "deflate", "", "GZIP"),
    fc.constantFrom("", ";q=1", ";q=0", ";q=0.5", ";q=0.999", ";q=", "; q=0.3"),
  );
  const value = fc.oneof(
    fc.string(),
    fc.array(element.map(([coding, weight]) => coding + weight)).map((elements) => elements.join(",")),
  );
  fc.assert(
    fc.property(value, (text) => {
      const index = parseAcceptEncoding(text);
      assert.equal(remembered(text), index);
      assert.equal(remembered(text), index);
      const order = encodingPreferences[index];
      assert.ok(order !== undefined && new Set(order).size === order.length);
    }),
  );
});

test("Every order of every subset is there once", () => {
  assert.equal(encodingPreferences.length, 65);
  assert.equal(new Set(encodingPreferences.map(String)).size, 65);
});
