import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { defineStack, parseContract } from "../../contract/index.ts";
import type { SiteOptions, ForeignSiteOptions } from "../../contract/index.ts";
import { sortChanges } from "./sort-changes.ts";
import type { Work } from "./sort-changes.ts";
import { isWatched } from "./watch-project.ts";

const own = {
  content: "content",
  templates: "templates",
  assets: "public",
  collections: { pages: z.object({}) },
};

function sorted(
  site: SiteOptions | ForeignSiteOptions | undefined,
  files: readonly string[],
): (Work | undefined)[] {
  const contract = parseContract(
    defineStack({
      origin: "https://localhost",
      functions: { greet: {} },
      ...(site === undefined ? {} : { site }),
    }),
  );
  const sort = sortChanges({
    contract,
    root: "/site",
    modules: ["/site/curtainwall.config.ts", "/site/collections.ts"],
  });
  return files.map((file) => sort(file, new Set(["functions/greet.ts", "words/de.txt"])));
}

test("a contract, what it imports and what was approved are told apart from what is built", () => {
  const files = ["curtainwall.config.ts", "collections.ts", "curtainwall.lock.json"];
  for (const site of [undefined, own, { dist: "dist", build: "make" }])
    assert.deepEqual(sorted(site, files), ["contract", "contract", "approvals"]);
});

test("of an API alone only code, and what functions were made of, asks for anything", () => {
  assert.deepEqual(
    sorted(undefined, [
      "functions/greet.ts",
      "lib/new.ts",
      "words/de.txt",
      "README.md",
      "package.json",
      "a.test.ts",
    ]),
    ["functions", "functions", "functions", undefined, undefined, undefined],
  );
});

test("of a site its content, templates, assets and whatever they may import are built, and nothing else", () => {
  assert.deepEqual(
    sorted(own, [
      "content/a.md",
      "templates/a.tsx",
      "public/a.woff2",
      "lib/date.ts",
      "functions/greet.ts",
      "notes.md",
    ]),
    ["site", "site", "site", "site", "functions", undefined],
  );
});

test("a generator's own files are built from, and what it writes is not, unless nobody generates it", () => {
  const files = ["dist/index.html", "src/page.astro", "functions/greet.ts"];
  assert.deepEqual(sorted({ dist: "dist", build: "make" }, files), [undefined, "site", "functions"]);
  assert.deepEqual(sorted({ dist: "./dist/" }, files), ["site", undefined, "functions"]);
});

test("what editors keep beside a file is nobody's change; a file of the same folder is", () => {
  const beside = [
    "a.ts~",
    ".#a.ts",
    "#a.ts#",
    ".a.ts.swp",
    "4913",
    "content/a.md.tmp",
    ".git/index",
    ".idea/x.xml",
  ];
  assert.deepEqual(beside.filter(isWatched), []);
  const made = [
    "a.ts",
    "content/4913.md",
    ".vitepress/config.ts",
    "content/swap.md",
    ".well-known/security.txt",
  ];
  assert.deepEqual(made.filter(isWatched), made);
});
