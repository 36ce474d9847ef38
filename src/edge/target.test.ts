import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
// oxlint-disable no-control-regex -- control characters are what must not be there
import { decodePath, encodePath, isCleanQuery } from "./target.ts";

test("An ordinary path is what it reads like", () => {
  for (const path of [
    "/",
    "/about/",
    "/a/b.css",
    "/a-b_c~d!$&'()*+,;=:@",
    "/...",
    "/.well-known/x",
    "/a..b",
  ]) {
    assert.equal(decodePath(path), path);
  }
});

test("Escapes are decoded once", () => {
  assert.equal(decodePath("/a%20b"), "/a b");
  assert.equal(decodePath("/%C3%A9"), "/é");
  assert.equal(decodePath("/%c3%a9"), "/é");
  assert.equal(decodePath("/100%25"), "/100%");
  assert.equal(decodePath("/%252e%252e/x"), "/%2e%2e/x");
});

test("What could name something else is refused", () => {
  const attacks = [
    ...["/../x", "/a/..", "/./a", "/a/.", "/%2e%2e/x", "/.%2E/x", "/%2e", "//a", "/a//b", "/a//"],
    ...["/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/a%00", "/a%0d%0ab", "/a%7f", "/a\u0000", "/a b", "/a#b"],
    ...["/a%", "/a%2", "/a%zz", "/a%2g", "/%ff", "/%c0%af", "/%ed%a0%80", "/é", "/a\u007f", '/a"b', "/<x>"],
    "",
    "a",
    "*",
    "https://site.test/",
  ];
  for (const path of attacks) assert.equal(decodePath(path), undefined, JSON.stringify(path));
});

const plainPath = fc
  .array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 })
  .map((segments) => `/${segments.join("/")}`);

test("A path written as browsers do decodes to itself, unless no request may name it", () => {
  fc.assert(
    fc.property(plainPath, (path) => {
      let encoded: string;
      try {
        encoded = encodePath(path);
      } catch {
        return; // A lone surrogate has no URL form.
      }
      const decoded = decodePath(encoded);
      const odd = /[\u0000-\u001f\u007f\\]|%(?:2f|5c|00)/i.test(path) || /\/(?:\/|\.\.?(?:\/|$))/.test(path);
      assert.ok(decoded === path || (decoded === undefined && odd), path);
    }),
  );
});

test("Whatever is sent, no decoded path climbs, doubles a slash or holds a control character", () => {
  const piece = fc.constantFrom(
    "/",
    ".",
    "..",
    "%2e",
    "%2f",
    "%5c",
    "\\",
    "%00",
    "a",
    "%61",
    "%25",
    "%",
    "é",
    "%c3%a9",
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const decoded = decodePath(`/${pieces.join("")}`);
      if (decoded === undefined) return;
      assert.doesNotMatch(decoded, /[\u0000-\u001f\u007f\\]|\/\//);
      assert.ok(!decoded.split("/").some((segment) => segment === "." || segment === ".."));
    }),
  );
});

test("The URL standard's parser reads a decoded path as we do", () => {
  const piece = fc.constantFrom("/", "..", ".", "%2e", "a", "b%20", "%25", "%c3%a9", "~");
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const path = `/${pieces.join("")}`;
      const decoded = decodePath(path);
      if (decoded !== undefined)
        assert.equal(decodeURIComponent(new URL(path, "https://h").pathname), decoded);
    }),
  );
});

test("A query is visible ASCII without a fragment", () => {
  assert.equal(isCleanQuery("a=%20&b[]={}|^"), true);
  for (const query of ["a b", "a#b", "é", "a\u0000", "a\r\nb"]) assert.equal(isCleanQuery(query), false);
});
