import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { TagOptions } from "../../contract/index.ts";
import { slugOf } from "../content/tags.ts";
import { buildFiles, contractOf, fullTemplate } from "./fixtures/build-release.ts";
import type { BuiltPages } from "./fixtures/build-release.ts";
import type { TestContext } from "node:test";

const page = z.object({
  title: z.string(),
  date: z.iso.date().optional(),
  tags: z.array(z.string()).optional(),
});

function build(context: TestContext, tags: readonly string[], options: TagOptions = {}): Promise<BuiltPages> {
  const entries = tags.map((list, index) => [
    `content/news/n${index}.md`,
    `---\ntitle: N${index}\ndate: 2026-09-0${index + 1}\n${list}\n---\nText ${index}.\n`,
  ]);
  return buildFiles(
    context,
    contractOf({ collections: { pages: page, news: page }, tags: { news: options } }),
    {
      "content/pages/index.md": "---\ntitle: Home\n---\n",
      "templates/pages.tsx": fullTemplate,
      "templates/news.tsx": fullTemplate,
      ...Object.fromEntries(entries),
    },
  );
}

test("each tag has a page of its entries, in pages, and one page has all tags", async (context) => {
  const { textOf, paths } = await build(
    context,
    ["tags: [Crème brûlée, rye]", "tags: [rye]", "tags: [rye, rye]", "", "draft: true\ntags: [hidden]"],
    { size: 2, by: "date", order: "descending" },
  );
  assert.match(textOf("/news/tags/rye/"), /3 of rye.*N2.*N1.*1 of 2, 3 in all/s);
  assert.match(textOf("/news/tags/rye/2/"), /N0.*2 of 2/s);
  assert.match(textOf("/news/tags/creme-brulee/"), /1 of Crème brûlée/);
  assert.match(textOf("/news/tags/"), /Crème brûlée: 1.*rye: 3/s);
  assert.match(
    textOf("/news/n0/"),
    /<a href="\/news\/tags\/creme-brulee\/">Crème brûlée<\/a><a href="\/news\/tags\/rye\/">rye/,
  );
  assert.match(textOf("/sitemap.xml"), /news\/tags\/rye\/2\//);
  assert.ok(!paths.some((path) => path.includes("hidden")));
});

test("a tag may have a feed of its own", async (context) => {
  const { textOf } = await build(context, ["tags: [rye & more]", "tags: [other]"], { feeds: true });
  const feed = textOf("/news/tags/rye-and-more/feed.xml");
  assert.match(feed, /<title>www\.site\.example: news: rye &amp; more<\/title>.*Text 0/s);
  assert.doesNotMatch(feed, /Text 1/);
  assert.match(
    textOf("/news/tags/rye-and-more/"),
    /type="application\/atom\+xml" href="\/news\/tags\/rye-and-more\/feed\.xml"/,
  );
});

for (const [left, right] of [
  ["Rye", "rye"],
  ["Café", "cafe"],
  ["sour dough", "sour-dough"],
] as const) {
  test(`two tags of one address are refused with both files: ${left} and ${right}`, async (context) => {
    await assert.rejects(build(context, [`tags: ["${left}"]`, `tags: ["${right}"]`]), {
      code: "SITE_TAG_CLASH",
      message: /content\/news\/n1\.md.*content\/news\/n0\.md/,
    });
  });
}

test("a tag written in composed and in separate marks is one", async (context) => {
  const { textOf } = await build(context, [`tags: ["Caf\u00e9"]`, `tags: ["Cafe\u0301 "]`]);
  assert.match(textOf("/news/tags/cafe/"), /2 of Caf\u00e9/);
});

test("a tag in other letters has the address that the contract says, and none without that", async (context) => {
  const { textOf } = await build(context, ["tags: [面包]"], { slugs: { 面包: "bread" } });
  assert.match(textOf("/news/tags/bread/"), /1 of 面包/);
  await assert.rejects(build(context, ["tags: [面包]"]), {
    code: "SITE_TAG_INVALID",
    message: /n0\.md.*面包/,
  });
});

for (const tags of ["tags: [']", 'tags: ["!?"]', "tags: ['rye面']"]) {
  test(`a tag that gives no address is refused: ${tags}`, async (context) => {
    await assert.rejects(build(context, [tags]), { code: /SITE_TAG_INVALID|SITE_FRONT_MATTER_INVALID/ });
  });
}

test("a tag's address has nothing but small letters, digits and hyphens, whatever the tag", () => {
  for (const [name, slug] of [
    ["C++", "c-plus-plus"],
    ["C#", "c-sharp"],
    ["Straße & Øl", "strasse-and-ol"],
    ["../../etc/passwd", "etc-passwd"],
    ["<script>", "script"],
    ["ﬁne ２", "fine-2"],
    ["%2e%2e", "2e-2e"],
    ["Ελλάδα", ""],
  ] as const)
    assert.equal(slugOf(name), slug);
});
