import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressBook, assetPath, contentPath } from "./paths.ts";

const place = { file: "x" };

test("content files get addresses that end in a slash", () => {
  for (const [file, path] of [
    ["pages/index.md", "/"],
    ["pages/about.md", "/about/"],
    ["pages/help/index.md", "/help/"],
    ["pages/help/faq.md", "/help/faq/"],
    ["pages/404.md", "/404.html"],
    ["breads/rye.md", "/breads/rye/"],
    ["breads/index.md", "/breads/"],
  ] as const)
    assert.equal(contentPath(file, place).path, path);
});

test("names that would be read differently by servers, browsers and shells are refused", () => {
  for (const file of [
    "pages/a b.md",
    "pages/ä.md",
    "pages/a%2fb.md",
    "pages/..md",
    "pages/.hidden.md",
    "pages/a\\b.md",
    "pages/a?b.md",
    "pages/a#b.md",
    "pages/-a.md",
  ])
    assert.throws(() => contentPath(file, place), { code: "SITE_PATH_INVALID" }, file);
  assert.throws(() => contentPath("stray.md", place), { code: "SITE_PATH_INVALID" });
  assert.throws(() => assetPath("a/../b.css", place), { code: "SITE_PATH_INVALID" });
  assert.throws(() => assetPath(".git/config", place), { code: "SITE_PATH_INVALID" });
});

test("the well-known folder is published", () => {
  assert.equal(assetPath(".well-known/security.txt", place), "/.well-known/security.txt");
});

test("an address belongs to one file, and none below the API's roots to any", () => {
  const book = new AddressBook(new Set(["api"]));
  book.claim("/a/", { file: "first.md" });
  assert.throws(() => book.claim("/a/", { file: "second.md" }), /^CurtainwallError: second\.md: .*first\.md/);
  assert.throws(() => book.claim("/api/x/", { file: "api.md" }), { code: "SITE_PATH_CONFLICT" });
  book.claim("/apiary/", { file: "bees.md" });
});
