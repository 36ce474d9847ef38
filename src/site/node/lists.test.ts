import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { buildFiles, contractOf, fullTemplate } from "./fixtures/build-release.ts";

const collections = {
  pages: z.object({ title: z.string() }),
  news: z.object({
    title: z.string(),
    rank: z.union([z.int(), z.string()]).optional(),
    date: z.iso.date().optional(),
  }),
};
const contract = contractOf({ collections, lists: { news: { size: 2, by: "rank", order: "descending" } } });
const templates = { "templates/pages.tsx": fullTemplate, "templates/news.tsx": fullTemplate };
const home = { "content/pages/index.md": "---\ntitle: Home\n---\n" };

function news(...ranks: (number | string)[]): Record<string, string> {
  return Object.fromEntries(
    ranks.map((rank, index) => [`content/news/n${index}.md`, `---\ntitle: N${rank}\nrank: ${rank}\n---\n`]),
  );
}

test("a list has its entries in order, in pages that lead to each other", async (context) => {
  const { textOf, paths } = await buildFiles(context, contract, {
    ...home,
    ...templates,
    ...news(1, 5, 3, 4, 10),
  });
  const titles = (path: string): string[] =>
    [...textOf(path).matchAll(/<li><a[^>]*>(N\d+)/g)].map(([, name]) => name ?? "");
  assert.deepEqual(titles("/news/"), ["N10", "N5"]);
  assert.deepEqual(titles("/news/2/"), ["N4", "N3"]);
  assert.deepEqual(titles("/news/3/"), ["N1"]);
  assert.ok(!paths.includes("/news/1/") && !paths.includes("/news/4/"));
  assert.match(textOf("/news/2/"), /<p>2 of 3, 5 in all<\/p>/);
  assert.match(textOf("/news/2/"), /rel="canonical" href="https:\/\/www\.site\.example\/news\/2\/"/);
  assert.match(textOf("/news/2/"), /rel="prev" href="\/news\/".*rel="next" href="\/news\/3\/"/);
  assert.doesNotMatch(textOf("/news/"), /rel="prev"/);
  assert.doesNotMatch(textOf("/news/3/"), /rel="next"/);
  assert.match(textOf("/sitemap.xml"), /<loc>https:\/\/www\.site\.example\/news\/3\/<\/loc>/);
});

test("the page at a list's address gives it its title and text, and its first page the date of its change", async (context) => {
  const { textOf } = await buildFiles(
    context,
    contractOf({ collections: { ...collections, pages: collections.news }, lists: { news: { size: 2 } } }),
    {
      ...home,
      ...templates,
      ...news(1, 2, 3),
      "content/pages/news.md": "---\ntitle: From the bench\ndate: 2026-09-01\n---\nWhat *happens*.\n",
    },
  );
  assert.match(textOf("/news/"), /<title>From the bench<\/title>.*<em>happens<\/em>.*1 of 2/s);
  assert.match(textOf("/news/2/"), /<title>From the bench<\/title>/);
  assert.match(textOf("/sitemap.xml"), /news\/<\/loc><lastmod>2026-09-01<\/lastmod>/);
});

test("a list without entries is one page, and links to it hold", async (context) => {
  const { textOf } = await buildFiles(context, contract, {
    ...templates,
    "content/pages/index.md": "---\ntitle: Home\n---\n[news](/news/)\n",
  });
  assert.match(textOf("/news/"), /1 of 1, 0 in all/);
});

for (const [what, files, code, message] of [
  [
    "an entry at the address of a page",
    { "content/news/2.md": "---\ntitle: N\nrank: 1\n---\n" },
    "SITE_PATH_CONFLICT",
    /content\/news\/2\.md/,
  ],
  [
    "the collection's own index",
    { "content/news/index.md": "---\ntitle: N\nrank: 1\n---\n" },
    "SITE_PATH_CONFLICT",
    /content\/news\/index\.md/,
  ],
  [
    "an entry without the field that sorts",
    { "content/news/x.md": "---\ntitle: N\n---\n" },
    "SITE_LIST_INVALID",
    /content\/news\/x\.md.*rank/,
  ],
  [
    "a field of two kinds",
    { "content/news/x.md": '---\ntitle: N\nrank: "b"\n---\n' },
    "SITE_LIST_INVALID",
    /another kind/,
  ],
  [
    "a template without a list",
    { "templates/news.tsx": "export function page() { return <html lang='en'></html>; }" },
    "SITE_TEMPLATE_INVALID",
    /templates\/news\.tsx.*list/,
  ],
] as const) {
  test(`a list is refused: ${what}`, async (context) => {
    const build = buildFiles(context, contract, { ...home, ...templates, ...news(1, 2, 3), ...files });
    await assert.rejects(build, { code, message });
  });
}
