import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Json } from "./json.ts";
import { searchTree } from "./search-tree.ts";
import type { Row } from "./search-tree.ts";

/** A tree as Caddy walks it. */
type Tree = { leaf: readonly Row[] } | { routes: { match?: { expression: string }[]; handle: [Tree] }[] };

const bytes = (text: string): Buffer => Buffer.from(text);

/** What Caddy would end at: expressions compare bytes. */
function walk(tree: Tree, path: string, depth = 0): { rows: readonly Row[]; depth: number } {
  if ("leaf" in tree) return { rows: tree.leaf, depth };
  const route = tree.routes.find(({ match }) => {
    const boundary = /^\{path\} < '([^'\\{}]*)'$/.exec(match?.[0]?.expression ?? "")?.[1];
    if (match !== undefined) assert.ok(boundary !== undefined, JSON.stringify(match));
    return boundary === undefined || Buffer.compare(bytes(path), bytes(boundary)) < 0;
  });
  return walk(route?.handle[0] ?? assert.fail("no route"), path, depth + 1);
}

const treeOf = (paths: readonly string[]): Tree => {
  const rows = paths.map((input): Row => ({ input, outputs: [] }));
  // Its nodes are what Caddy reads; a test's leaf is a list.
  return searchTree(rows, "{path}", (leaf) => ({ leaf }) as unknown as Json) as unknown as Tree;
};

suite("a map as a tree", () => {
  test("finds every row of any set of paths, in few steps", () => {
    const segment = fc.string({ unit: "binary", maxLength: 4 }).filter((text) => text.isWellFormed());
    const path = fc
      .tuple(fc.constantFrom("", "/docs", "/日本", "/{$x}"), segment)
      .map(([folder, name]) => `${folder}/${name}`);
    fc.assert(
      fc.property(fc.uniqueArray(path, { minLength: 520, maxLength: 600 }), (paths) => {
        const tree = treeOf(paths);
        for (const wanted of paths)
          assert.ok(
            walk(tree, wanted).rows.some(({ input }) => input === wanted),
            wanted,
          );
      }),
      { numRuns: 3 },
    );
  });

  test("30,000 paths are seven questions deep", () => {
    const paths = Array.from({ length: 30_000 }, (_, at) => `/section-${at % 97}/page-${at}/`);
    const tree = treeOf(paths);
    for (const at of [0, 1, 12_345, 29_999]) {
      const { rows, depth } = walk(tree, paths[at] ?? "");
      assert.ok(depth <= 8 && rows.length <= 256, `${depth} ${rows.length}`);
    }
  });

  test("paths that no expression can hold stay in one list", () => {
    const paths = Array.from({ length: 400 }, (_, at) => `/'{${String.fromCodePoint(0x4e00 + at)}`);
    const { rows, depth } = walk(treeOf(paths), paths[7] ?? "");
    assert.deepEqual([rows.length, depth], [400, 0]);
  });
});
