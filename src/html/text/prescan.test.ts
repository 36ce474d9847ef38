import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { knownPrescan, prescan } from "./prescan.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

suite("what a page's beginning declares", () => {
  test("is remembered by all that had to be looked at", () => {
    const part = fc.constantFrom(
      "<meta charset=iso-8859-1",
      "5>",
      ">",
      "<meta charset=utf-8>",
      '<meta charset="koi8-r">',
      "<meta http-equiv=content-type content='text/html; charset=gbk'>",
      "<!doctype html><html><head>",
      "<!-- <meta charset=big5> -->",
      "<title>x</title>",
      "x".repeat(30),
      "y".repeat(1000),
      "-->",
      " ",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        // All beginnings of a page, the shorter first: what one declares must not be taken for what a longer one does.
        for (let count = 1; count <= parts.length; count++) {
          const page = utf8(parts.slice(0, count).join(""));
          assert.equal(knownPrescan(page), prescan(page));
          assert.equal(knownPrescan(page), prescan(page));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
