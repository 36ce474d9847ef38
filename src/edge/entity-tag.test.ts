import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { entityTag, namesEntityTag } from "./entity-tag.ts";

const tag = entityTag("00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef");

test("A tag is strong, quoted, and made of the hash", () => {
  assert.equal(tag, '"ABEiM0RVZneImaq7zN3u_w"');
});

test("If-None-Match is a star, a tag or a list, compared weakly (RFC 9110 §13.1.2)", () => {
  for (const value of ["*", tag, `W/${tag}`, `"a", ${tag}`, `"a",W/"b" ,\tW/${tag}, "c"`, `"a,b", ${tag}`]) {
    assert.equal(namesEntityTag(value, tag), true, value);
  }
});

test("Other tags, parts of a tag and malformed lists don't match", () => {
  const bare = tag.slice(1, -1);
  for (const value of ["", '"a"', bare, `"${bare}x"`, `x, ${tag}`, `"a" "`, `w/${tag}`, `"${bare}`]) {
    assert.equal(namesEntityTag(value, tag), false, value);
  }
});

test("A list matches exactly when it holds the tag", () => {
  const opaque = fc.stringMatching(/^[A-Za-z0-9,_-]{0,8}$/).map((text) => `"${text}"`);
  const entry = fc.tuple(fc.boolean(), fc.oneof(opaque, fc.constant(tag)));
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const list = entries.map(([weak, one]) => (weak ? `W/${one}` : one)).join(", ");
      assert.equal(
        namesEntityTag(list, tag),
        entries.some(([, one]) => one === tag),
      );
    }),
  );
});
