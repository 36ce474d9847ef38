import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import type { LocaleOptions } from "../../contract/index.ts";
import { buildFiles, contractOf, fullTemplate } from "./fixtures/build-release.ts";
import type { BuiltPages } from "./fixtures/build-release.ts";

const page = z.object({
  title: z.string(),
  date: z.iso.date().optional(),
  tags: z.array(z.string()).optional(),
});
const text = (title: string, more = ""): string =>
  `---\ntitle: ${title}\ndate: 2026-09-01\n${more}---\nText of ${title}.\n`;

function build(
  context: TestContext,
  files: Readonly<Record<string, string>>,
  locales: Partial<LocaleOptions> = {},
): Promise<BuiltPages> {
  const contract = contractOf({
    collections: { pages: page, news: page },
    locales: { default: "en", others: ["de", "ar"], ...locales },
    lists: { news: { size: 1 } },
    tags: { news: { feeds: true } },
    feeds: ["news"],
  });
  return buildFiles(context, contract, {
    "content/pages/index.md": text("Home"),
    "content/pages/index.de.md": text("Start"),
    "content/pages/about.md": text("About"),
    "content/pages/404.md": text("Not found"),
    "content/pages/404.de.md": text("Nicht gefunden"),
    "content/pages/index.ar.md": text("بداية"),
    "content/news/one.md": text("One", "tags: [rye]\n"),
    "content/news/two.md": text("Two"),
    "content/news/one.de.md": text("Eins", "tags: [Roggen]\n"),
    "templates/pages.tsx": fullTemplate,
    "templates/news.tsx": fullTemplate,
    ...files,
  });
}

test("each language has its addresses, and its pages say which and which way it is written", async (context) => {
  const { textOf, paths, build: built } = await build(context, {});
  assert.match(textOf("/"), /<html lang="en" dir="ltr">/);
  assert.match(textOf("/de/"), /<html lang="de" dir="ltr">.*<div lang="de" dir="ltr"><p>Text of Start/s);
  assert.match(textOf("/ar/"), /<html lang="ar" dir="rtl">/);
  assert.match(textOf("/de/404.html"), /Nicht gefunden/);
  assert.ok(!paths.includes("/de/about/") && !paths.includes("/de/news/two/"));
  assert.deepEqual(
    built.untranslated.map(({ locale, files }) => [locale, files.length]),
    [
      ["de", 2],
      ["ar", 4],
    ],
  );
  assert.deepEqual(built.untranslated[0]?.files, ["content/news/two.md", "content/pages/about.md"]);
});

test("a page names its counterparts, in its head and in the sitemap; one that has none names none", async (context) => {
  const { textOf } = await build(context, {});
  for (const [path, locales] of [
    ["/", ["en", "de", "ar", "x-default"]],
    ["/de/news/one/", ["en", "de", "x-default"]],
    ["/news/two/", []],
    ["/about/", []],
  ] as const) {
    const found = [...textOf(path).matchAll(/hreflang="([^"]+)"/g)].map(([, locale]) => locale);
    assert.deepEqual(found, locales, path);
  }
  assert.match(textOf("/de/"), /hreflang="x-default" href="https:\/\/www\.site\.example\/"/);
  assert.match(
    textOf("/sitemap.xml"),
    /<loc>https:\/\/www\.site\.example\/de\/<\/loc>.*hreflang="ar" href="https:\/\/www\.site\.example\/ar\/"/,
  );
  assert.doesNotMatch(textOf("/sitemap.xml"), /404/);
  assert.doesNotMatch(textOf("/de/404.html"), /canonical/);
});

test("the second page of a list is its own canonical address, and the counterpart of second pages alone", async (context) => {
  const { textOf } = await build(context, {
    "content/news/two.de.md": text("Zwei"),
    "content/news/three.md": text("Three"),
  });
  const linksOf = (path: string): string[] =>
    [
      ...textOf(path).matchAll(
        /<link rel="(\w+)"(?: hreflang="([^"]+)")? href="(?:https:\/\/www\.site\.example)?([^"]+)"/g,
      ),
    ]
      .map(([, rel, locale = "", href]) => `${rel} ${locale} ${href}`)
      .filter((link) => !link.includes(".css"));
  assert.deepEqual(linksOf("/de/news/2/"), [
    "canonical  /de/news/2/",
    "prev  /de/news/",
    "alternate en /news/2/",
    "alternate de /de/news/2/",
    "alternate x-default /news/2/",
  ]);
  assert.deepEqual(linksOf("/news/3/"), ["canonical  /news/3/", "prev  /news/2/"]);
  assert.match(
    textOf("/sitemap.xml"),
    /<loc>[^<]*\/news\/2\/<\/loc>.*hreflang="de" href="[^"]*\/de\/news\/2\/"/,
  );
});

test("lists, tags and feeds are of one language", async (context) => {
  const { textOf, paths } = await build(context, {});
  assert.match(textOf("/news/"), /1 of 2, 2 in all/);
  assert.match(textOf("/de/news/"), /Eins.*1 of 1, 1 in all/s);
  assert.match(textOf("/de/"), /<p>\/de\/news\/one\/<\/p>/);
  assert.match(textOf("/de/news/tags/roggen/"), /1 of Roggen/);
  assert.ok(!paths.includes("/de/news/tags/rye/") && !paths.includes("/ar/news/"));
  const feed = textOf("/de/news/feed.xml");
  assert.match(feed, /xml:lang="de".*Eins/s);
  assert.doesNotMatch(feed, /Two/);
});

test("tags of one address are counterparts, as the contract can make words of two languages", async (context) => {
  const contract = contractOf({
    collections: { pages: page, news: page },
    locales: { default: "en", others: ["de"] },
    tags: { news: { slugs: { Roggen: "rye" } } },
  });
  const { textOf } = await buildFiles(context, contract, {
    "content/news/one.md": text("One", "tags: [rye, gluten]\n"),
    "content/news/eins.de.md": text("Eins", "tags: [Roggen]\n"),
    "templates/news.tsx": fullTemplate,
  });
  assert.match(
    textOf("/news/tags/rye/"),
    /hreflang="de" href="https:\/\/www\.site\.example\/de\/news\/tags\/rye\/"/,
  );
  assert.match(textOf("/de/news/tags/rye/"), /1 of Roggen/);
  assert.doesNotMatch(textOf("/news/tags/gluten/"), /hreflang/);
});

test("what is not translated is shown in the default language, where the contract wants that, and says so", async (context) => {
  const { textOf, build: built } = await build(context, {}, { untranslated: "default" });
  const copy = textOf("/ar/about/");
  assert.match(
    copy,
    /<html lang="ar" dir="rtl">.*rel="canonical" href="https:\/\/www\.site\.example\/about\/".*<div lang="en" dir="ltr">/s,
  );
  assert.doesNotMatch(copy, /hreflang/);
  assert.doesNotMatch(textOf("/sitemap.xml"), /ar\/about/);
  assert.match(textOf("/sitemap.xml"), /<loc>https:\/\/www\.site\.example\/about\//);
  assert.match(textOf("/de/news/"), /1 of 2, 2 in all/);
  assert.doesNotMatch(textOf("/de/news/feed.xml"), /Two/);
  assert.equal(built.untranslated.length, 2);
});

for (const [what, files, code, message] of [
  [
    "a language that the site does not have",
    { "content/pages/about.fr.md": text("A") },
    "SITE_LOCALE_INVALID",
    /about\.fr\.md.*"\.fr"/,
  ],
  [
    "the default language's suffix",
    { "content/pages/about.en.md": text("A") },
    "SITE_LOCALE_INVALID",
    /about\.en\.md/,
  ],
  [
    "a language in other capitals",
    { "content/pages/about.DE.md": text("A") },
    "SITE_LOCALE_INVALID",
    /about\.DE\.md/,
  ],
  ["a page at a language's address", { "content/pages/de.md": text("A") }, "SITE_PATH_CONFLICT", /de\.md/],
  [
    "a template that says another language",
    { "templates/pages.tsx": 'export function page() { return <html lang="en"><body></body></html>; }' },
    "SITE_TEMPLATE_UNSAFE",
    /lang="en".*"(?:ar|de)"/,
  ],
] as const) {
  test(`it is refused: ${what}`, async (context) => {
    await assert.rejects(build(context, files), { code, message });
  });
}

test("where the contract declares no languages, a dot in a name is a dot", async (context) => {
  const contract = contractOf({ collections: { pages: page, news: page } });
  const { paths } = await buildFiles(context, contract, {
    "content/pages/about.de.md": text("About"),
    "templates/pages.tsx": fullTemplate,
  });
  assert.ok(paths.includes("/about.de/"));
});
