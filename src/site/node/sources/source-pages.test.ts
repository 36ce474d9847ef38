import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { renderContent, renderHtml } from "../../content/content.ts";
import { contentAttacks } from "../../content/fixtures/content-attacks.ts";
import { buildSite } from "../build-site.ts";
import { fullTemplate, readBuild } from "../fixtures/build-release.ts";
import type { BuiltPages } from "../fixtures/build-release.ts";
import { writeSite } from "../fixtures/write-site.ts";
import { contractFor } from "./fixtures/source-site.ts";

const template = fullTemplate.replaceAll("collections.news", "collections.products");

async function build(
  context: TestContext,
  items: readonly unknown[],
  format: "markdown" | "html",
  files: Readonly<Record<string, string>> = {},
): Promise<BuiltPages> {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\n",
    "templates/pages.tsx": template,
    "templates/products.tsx": template,
    ...files,
  });
  const contract = contractFor("https://pim.example/all", { body: { field: "text", format } });
  const answers = [{ collection: "products", text: JSON.stringify(items) }];
  return readBuild(await buildSite({ root, contract, answers }));
}

test("what a source answers is a collection like any other: pages, lists, the sitemap", async (context) => {
  const { textOf, build: built } = await build(
    context,
    [
      {
        slug: "rye",
        title: "Rye & <b>more</b>",
        text: "*Dark*, and [home](/).",
        internal: "never published",
      },
      { slug: "bun", title: "Bun" },
      { slug: "loaf", title: "Loaf" },
    ],
    "markdown",
  );
  assert.match(textOf("/products/rye/"), /Rye &amp; &lt;b>more&lt;\/b>.*<em>Dark<\/em>/s);
  assert.match(textOf("/products/"), /1 of 2, 3 in all/);
  assert.match(textOf("/"), /\/products\/bun\/ \/products\/loaf\/ \/products\/rye\//);
  assert.match(textOf("/sitemap.xml"), /products\/rye\//);
  assert.ok(!Buffer.from(built.release).includes("never published"));
});

for (const [format, render] of [
  ["markdown", renderContent],
  ["html", renderHtml],
] as const) {
  test(`hostile ${format} from a source becomes no element that runs or loads`, async (context) => {
    // Those that keep an address fail the build, since nothing is there.
    const attacks: string[] = [];
    for (const text of contentAttacks)
      if (!/\s(?:src|href|cite)=/.test((await render(text)).html)) attacks.push(text);
    assert.ok(attacks.length > 40, `${attacks.length} attacks`);
    const items = attacks.map((text, index) => ({ slug: `a${index}`, title: "A", text }));
    const { textOf, paths } = await build(context, items, format);
    for (const path of paths.filter((name) => /^\/products\/a\d+\/$/.test(name)))
      assert.doesNotMatch(
        textOf(path).replace(/^.*<body>/s, ""),
        /<(?:script|iframe|object|embed|svg|math|form|style|base|meta|link)\b|<[^>]*\son\w+=|<[^>]*=["']?\s*javascript:/i,
        path,
      );
  });
}

test("a source's picture from another site fails the build, with its place", async (context) => {
  const items = [{ slug: "rye", title: "Rye", text: '<p><img src="https://cdn.example/a.png" alt=""></p>' }];
  await assert.rejects(build(context, items, "html"), {
    code: "SITE_REFERENCE_FOREIGN",
    message: /^https:\/\/pim\.example\/all\[0\]:1: .*cdn\.example/,
  });
});

test("two entries of one name are refused with both places, and so is a file beside a source", async (context) => {
  const twice = [
    { slug: "rye", title: "A" },
    { slug: "rye", title: "B" },
  ];
  await assert.rejects(build(context, twice, "html"), {
    code: "SITE_PATH_CONFLICT",
    message: /all\[1\].*all\[0\]/,
  });
  await assert.rejects(build(context, [], "html", { "content/products/a.md": "---\ntitle: A\n---\n" }), {
    code: "SITE_FILE_REFUSED",
    message: /content\/products\/a\.md.*pim\.example/,
  });
});
