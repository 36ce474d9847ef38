import assert from "node:assert/strict";
import { suite, test } from "node:test";
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
});
