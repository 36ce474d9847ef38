import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { readNames } from "./import-names.ts";

const base = new URL("https://www.example.com/a/page.html");
const from = new URL("https://www.example.com/lib/deep/x.js");

suite("names in import maps", () => {
  test("are resolved in the narrowest scope, by the longest beginning, from the page's base (HTML §8.1.5.5)", () => {
    const names = readNames(
      [
        {
          imports: {
            row: "./row.js",
            "boats/": "/boats/",
            "boats/sail/": "/sails/",
            "/old.js": "/new.js",
            none: 5,
          },
          scopes: {
            "/lib/": { row: "/lib-row.js" },
            "/lib/deep/": { sail: "/deep.js" },
            "/lib/deep/x.js": { own: "/own.js" },
          },
        },
        { imports: { row: "/second.js", oar: "/oar.js" }, scopes: {} },
      ],
      base,
    );
    const resolve = (specifier: string, place = from): string | undefined =>
      names.resolve(specifier, place)?.pathname;
    assert.equal(resolve("row", base), "/a/row.js", "the first of two maps counts");
    assert.equal(resolve("oar", base), "/oar.js");
    assert.equal(resolve("row"), "/lib-row.js");
    assert.equal(resolve("sail"), "/deep.js");
    assert.equal(resolve("own"), "/own.js");
    assert.equal(resolve("boats/x.js"), "/boats/x.js");
    assert.equal(resolve("boats/sail/x.js"), "/sails/x.js");
    assert.equal(resolve("../../old.js"), "/new.js", "an address is looked up as what it means");
    assert.equal(resolve("./y.js"), "/lib/deep/y.js");
    assert.equal(resolve("none"), undefined);
    assert.equal(resolve("nobody"), undefined);
  });

  test("cost their own length, not the map's: ten thousand scopes and imports in moments", () => {
    const many = (make: (index: number) => [string, unknown]): Record<string, unknown> =>
      Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => make(index)));
    const { user } = process.cpuUsage();
    const names = readNames(
      [
        {
          imports: many((index) => [`n${index}/`, `/n/${index}/`]),
          scopes: many((index) => [`/s${index}/`, { a: "/b.js" }]),
        },
      ],
      base,
    );
    for (let index = 0; index < 10_000; index++)
      assert.equal(names.resolve(`n${index}/x.js`, from)?.pathname, `/n/${index}/x.js`);
    const spentMs = (process.cpuUsage().user - user) / 1_000;
    // 97 s before; a tenth of a second now.
    assert.ok(spentMs < 5_000, `${spentMs} ms`);
  });
});
