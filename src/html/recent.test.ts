import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createKnownTexts } from "./scan/known-texts.ts";
import { createRecent } from "./recent.ts";

suite("what is remembered", () => {
  test("is made once, and stays as long as it is asked for", () => {
    const recent = createRecent<string>(2);
    const made: string[] = [];
    const get = (key: string): string =>
      recent.get(key, () => {
        made.push(key);
        return key.toUpperCase();
      });
    for (const other of ["b", "c", "d", "e", "f"]) {
      assert.equal(get("a"), "A");
      assert.equal(get(other), other.toUpperCase());
    }
    assert.deepEqual(made, ["a", "b", "c", "d", "e", "f"]);
  });

  test("is forgotten when others have come, so that memory does not grow", () => {
    const recent = createRecent<string>(2);
    let made = 0;
    const get = (key: string): string => recent.get(key, () => String(++made));
    for (const key of ["a", "b", "c", "d", "e"]) get(key);
    assert.equal(get("a"), "6");
  });
});

suite("a text's bytes", () => {
  const known = createKnownTexts();
  const encoder = new TextEncoder();
  const page = (text: string): Uint8Array => encoder.encode(`<p>${text}`);
  const read = (text: string): string => {
    const bytes = page(text);
    return known.of(bytes, 3, bytes.length, () => new TextDecoder().decode(bytes.subarray(3)));
  };

  test("are told from others of their length that differ in one place only", () => {
    const base = "a".repeat(200);
    for (let at = 0; at < base.length; at++) {
      const other = `${base.slice(0, at)}b${base.slice(at + 1)}`;
      assert.equal(read(base), base);
      assert.equal(read(other), other);
    }
  });

  test("are not remembered by the buffer that they were read from, which is used again", () => {
    const bytes = page("x".repeat(100));
    const decode = (): string => new TextDecoder().decode(bytes.subarray(3));
    assert.equal(known.of(bytes, 3, bytes.length, decode), "x".repeat(100));
    // Where its place among the others doesn't depend on it.
    bytes[4] = 0x79;
    assert.equal(known.of(bytes, 3, bytes.length, decode), `xy${"x".repeat(98)}`);
    assert.equal(read("x".repeat(100)), "x".repeat(100));
  });
});
