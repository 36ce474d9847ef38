import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import { renderContent, renderHtml } from "../../content/content.ts";
import { contentAttacks } from "../../content/fixtures/content-attacks.ts";
import { buildSite } from "../build-site.ts";
import { fullTemplate, readBuild } from "../fixtures/build-release.ts";
import type { SourcePicture } from "../../images/source-pictures.ts";
import type { BuiltPages } from "../fixtures/build-release.ts";
import { writeSite } from "../fixtures/write-site.ts";
import { pictureWithPlace } from "./fixtures/pictures.ts";
import { contractFor, item } from "./fixtures/source-site.ts";

const template = fullTemplate.replaceAll("collections.news", "collections.products");

async function build(
  context: TestContext,
  items: readonly unknown[],
  format: "markdown" | "html",
  files: Readonly<Record<string, string>> = {},
  pictures: readonly SourcePicture[] = [],
): Promise<BuiltPages> {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\n",
    "templates/pages.tsx": template,
    "templates/products.tsx": template,
    ...files,
  });
  const contract = contractFor("https://pim.example/all", { body: { field: "text", format } });
  const answers = [{ collection: "products", text: JSON.stringify(items), pictures }];
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

test("WordPress's posts: their texts stand one level down, and a schema may turn entries into others", async (context) => {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\n",
    "templates/pages.tsx": template,
    "templates/products.tsx": template,
  });
  const rendered = z.object({ rendered: z.string() });
  const schema = z
    .object({ slug: z.string(), title: rendered, content: rendered })
    .transform(({ title, ...rest }) => ({ ...rest, title: title.rendered }));
  const body = { field: ["content", "rendered"], format: "html" } as const;
  const contract = contractFor("https://pim.example/wp-json/wp/v2/posts?per_page=100", { body }, schema);
  const post = {
    id: 7,
    slug: "rye",
    link: "https://pim.example/rye",
    title: { rendered: "Rye" },
    content: { rendered: "<p>Dark<script>x()</script></p>", protected: false },
  };
  const answers = [{ collection: "products", text: JSON.stringify([post]) }];
  const { textOf } = await readBuild(await buildSite({ root, contract, answers }));
  assert.match(textOf("/products/rye/"), /<title>Rye<\/title>.*<p>Dark<\/p>/s);
});

const cdn = "https://cdn.example/rye.jpg?w=2&h=3";
const picture: SourcePicture = {
  url: cdn,
  written: [cdn, "//cdn.example/rye.jpg?w=2&h=3"],
  path: "pictures/products/rye-01234567.jpg",
  base64: pictureWithPlace.jpeg.toString("base64"),
};

test("a source's pictures are published as local ones are: in texts, templates and feeds, with their size, in other formats", async (context) => {
  const show = `import { asset, Content, Image } from "curtainwall/template";
export function page({ entry }) {
  return <html><head><title>{entry.data.title}</title><meta property="og:image" content={asset("${cdn}")} /></head><body>
    <Image src="//cdn.example/rye.jpg?w=2&h=3" alt="" width={320} /><img src="${cdn}" alt="b" /><Content of={entry} />
  </body></html>;
}
export const list = page;`;
  const items = [{ slug: "rye", title: "Rye", text: `<p><img src="${cdn}" alt="c"></p>` }];
  const {
    textOf,
    paths,
    build: built,
  } = await build(
    context,
    items,
    "html",
    {
      "templates/products.tsx": show.replace(
        "export const list = page;",
        "export function list() { return <html><body></body></html>; }",
      ),
    },
    [picture],
  );
  const html = textOf("/products/rye/");
  assert.doesNotMatch(html, /cdn\.example/);
  assert.equal(
    html.match(/<img [^>]*src="\/assets\/pictures\/products\/rye-01234567\.[0-9a-f]{16}\.jpg"/g)?.length,
    3,
  );
  assert.match(html, /<source type="image\/avif" srcset="[^"]*320w[^"]*640w"/);
  assert.match(html, /alt="c" [^>]*width="640" height="480"|width="640" height="480"[^>]*alt="c"/);
  assert.match(html, /og:image" content="\/assets\/pictures\/products\/rye-01234567\.[0-9a-f]{16}\.jpg"/);
  assert.ok(paths.includes("/pictures/products/rye-01234567.jpg"));
  assert.ok(!Buffer.from(built.release).includes(pictureWithPlace.secretPlace));
});

test("a page of an earlier build is not taken when its picture lies elsewhere now, or is another", async (context) => {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\n",
    "templates/pages.tsx": template,
    "templates/products.tsx": template,
    "public/local.jpg": pictureWithPlace.jpeg,
  });
  const contract = contractFor("https://pim.example/all", { body: { field: "text", format: "html" } }, item, {
    assets: "public",
  });
  const text = JSON.stringify([{ slug: "rye", title: "Rye", text: '<p><img src="/local.jpg" alt=""></p>' }]);
  const page = async (pictures: readonly SourcePicture[]): Promise<string> => {
    const answers = [{ collection: "products", text, pictures }];
    return (await readBuild(await buildSite({ root, contract, answers }))).textOf("/products/rye/");
  };
  const moved = { ...picture, written: [cdn, "/local.jpg"] };
  assert.match(await page([]), /src="\/assets\/local\./);
  const first = await page([moved]);
  assert.match(first, /src="\/assets\/pictures\/products\/rye-01234567\./);
  const other = Buffer.from(moved.base64, "base64");
  other.set([0xff, 0xd9], other.length - 2);
  other[other.length - 10] = (other[other.length - 10] ?? 0) ^ 1;
  const second = await page([{ ...moved, base64: other.toString("base64") }]);
  assert.match(second, /src="\/assets\/pictures\/products\/rye-01234567\./);
  assert.notEqual(second, first);
});

test("what was removed from every entry of a source is told once", async (context) => {
  const items = ["a", "b", "c"].map((slug) => ({
    slug,
    title: slug,
    text: "<p>Text<script>x()</script></p>",
  }));
  const { build: built } = await build(context, items, "html");
  assert.deepEqual(
    built.warnings.map(({ file, message }) => [file, /2 times more in its other entries/.test(message)]),
    [["https://pim.example/all[0]", true]],
  );
});

test("a picture that its source has not is told with what to write", async (context) => {
  const template = `import { Image } from "curtainwall/template";
export function page() { return <html><body><Image src="https://cdn.example/other.jpg" alt="" /></body></html>; }`;
  await assert.rejects(build(context, [], "html", { "templates/pages.tsx": template }, [picture]), {
    code: "SITE_ASSET_UNKNOWN",
    message: /no source has the picture https:\/\/cdn\.example\/other\.jpg/,
  });
});

test("entries are in the language that their field says, at its addresses; another one is refused", async (context) => {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\n",
    "templates/pages.tsx": template,
    "templates/products.tsx": template,
  });
  const options = { locale: "lang" } as const;
  const schema = item.extend({ lang: z.string() });
  const locales = { default: "en", others: ["de"] };
  const contract = contractFor("https://pim.example/all", options, schema, { locales });
  const answer = (lang: string) => [
    {
      collection: "products",
      text: JSON.stringify([
        { slug: "rye", title: "Rye", lang: "en" },
        { slug: "rye", title: "Roggen", lang },
      ]),
    },
  ];
  const { textOf } = await readBuild(await buildSite({ root, contract, answers: answer("de") }));
  assert.match(
    textOf("/de/products/rye/"),
    /lang="de".*Roggen.*hreflang="en" href="[^"]*\/products\/rye\/"/s,
  );
  assert.match(textOf("/de/products/"), /1 of 1, 1 in all/);
  await assert.rejects(buildSite({ root, contract, answers: answer("fr") }), {
    code: "SITE_LOCALE_INVALID",
    message: /all\[1\]/,
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
