import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { scriptNames } from "./script-names.ts";

suite("scripts that other scripts name", () => {
  const names = scriptNames([
    "/a/notes.md.rFfQxUlE.js",
    "/a/123.0a1b2c3d.js",
    "/a/menu.js",
    "/a/search_tools.js",
    "/a/style.abcd1234.css",
  ]);

  test("are found by their file names, and by hashes in them", () => {
    assert.deepEqual(names.in('load("/a/menu.js")'), ["/a/menu.js"]);
    assert.deepEqual(names.in('{"notes.md":"rFfQxUlE"}'), ["/a/notes.md.rFfQxUlE.js"]);
    assert.deepEqual(names.in('({123:"0a1b2c3d"})[id] + ".js"'), ["/a/123.0a1b2c3d.js"]);
  });

  test("are not found by words that their names are made of, and stylesheets not at all", () => {
    assert.deepEqual(names.in("menu search_tools notes abcd1234 style.abcd1234.css"), []);
  });

  test("are found in any text as by reading it word by word", () => {
    const words = fc.constantFrom(
      "menu.js",
      "0a1b2c3d",
      "rFfQxUlE",
      ".",
      "é",
      " ",
      "/",
      "x",
      "123.0a1b2c3d.js",
      "-",
    );
    const expected = (text: string): string[] => {
      const all = (text.match(/[\w@~.-]{4,}/g) ?? []).flatMap((word) => [word, ...word.split(".")]);
      const paths: Record<string, string> = {
        "menu.js": "/a/menu.js",
        "123.0a1b2c3d.js": "/a/123.0a1b2c3d.js",
        "0a1b2c3d": "/a/123.0a1b2c3d.js",
        rFfQxUlE: "/a/notes.md.rFfQxUlE.js",
      };
      return [
        ...new Set(all.flatMap((word) => (Object.hasOwn(paths, word) ? [paths[word] ?? ""] : []))),
      ].sort();
    };
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), (list) => {
        assert.deepEqual(names.in(list.join("")), expected(list.join("")));
      }),
      { numRuns: 2_000 },
    );
  });
});
