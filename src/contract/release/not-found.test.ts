import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createNearest, notFoundPages } from "./not-found.ts";

test("a folder's 404.html is its page for what is not there, and nothing of another name is", () => {
  const pages = notFoundPages(
    [{ path: "/404.html" }, { path: "/de/404.html" }, { path: "/not-404.html" }, { path: "/a/404.html/" }],
    undefined,
  );
  assert.deepEqual([...pages.keys()], ["/de/"], "the root's is the one that the release names");
});

test("the page that a release names stands for everything, whatever its path", () => {
  const gone = { path: "/gone/" };
  assert.deepEqual([...notFoundPages([gone], "/gone/")], [["/", gone]]);
});

test("the nearest folder's page is found as by looking at every folder, and no other", () => {
  const segment = fc.constantFrom("a", "b", "de", "");
  const path = fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`);
  const folder = path.map((start) => (start.endsWith("/") ? start : `${start}/`));
  fc.assert(
    fc.property(fc.uniqueArray(folder, { maxLength: 4 }), path, (folders, asked) => {
      const expected = folders
        .filter((one) => asked.startsWith(one))
        .sort((left, right) => right.length - left.length)[0];
      assert.equal(createNearest(new Map(folders.map((one) => [one, one])))(asked), expected);
    }),
  );
});

test("a path of ten thousand slashes costs no more than the longest folder", () => {
  let asked = 0;
  const folders = new Map([["/de/", "de"]]);
  const counting = { keys: () => folders.keys(), get: (key: string) => (asked++, folders.get(key)) };
  const nearest = createNearest(counting as unknown as ReadonlyMap<string, string>);
  assert.equal(nearest("/".repeat(10_000)), undefined);
  assert.ok(asked <= 4, `${asked}`);
});
