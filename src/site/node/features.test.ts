import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import { decodeRelease, defineStack, parseContract } from "../../contract/index.ts";
import type { Contract, Release } from "../../contract/index.ts";
import { withAbsoluteAddresses } from "../pages/feed.ts";
import { buildSite } from "./build-site.ts";
import { plainTemplate, writeSite } from "./fixtures/write-site.ts";

const page = z.object({ title: z.string(), date: z.iso.date().optional() });

function contractWith(site: { redirects?: Record<string, string>; feeds?: string[] } = {}): Contract {
  return parseContract(
    defineStack({
      origin: "https://www.site.example",
      site: {
        content: "content",
        templates: "templates",
        assets: "public",
        collections: { pages: page, news: page },
        ...site,
      },
    }),
  );
}

async function build(
  context: TestContext,
  files: Record<string, string>,
  contract = contractWith(),
  drafts = false,
): Promise<Release> {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\nHello.\n",
    "templates/pages.tsx": plainTemplate,
    "templates/news.tsx": plainTemplate,
    "public/site.css": "a{}",
    ...files,
  });
  return decodeRelease((await buildSite({ root, contract, drafts })).release);
}

function textOf({ manifest, body }: Release, path: string): string {
  const file = manifest.files.find((entry) => entry.path === path) ?? assert.fail(`no ${path}`);
  const [identity] = file.variants;
  return new TextDecoder().decode(
    body.slice(identity?.offset, (identity?.offset ?? 0) + (identity?.length ?? 0)),
  );
}

test("a page's old addresses and the contract's redirects are in the release, each with its last target", async (context) => {
  const { manifest } = await build(
    context,
    { "content/pages/about.md": "---\ntitle: About\naliases: [/about-us/, /old/about.html]\n---\nUs.\n" },
    contractWith({ redirects: { "/shop/": "https://shop.example/", "/a": "/b", "/b": "/about-us/" } }),
  );
  assert.deepEqual(manifest.redirects, [
    { path: "/a", to: "/about/", status: 308 },
    { path: "/about-us/", to: "/about/", status: 308 },
    { path: "/b", to: "/about/", status: 308 },
    { path: "/old/about.html", to: "/about/", status: 308 },
    { path: "/shop/", to: "https://shop.example/", status: 308 },
  ]);
});

for (const [what, redirects, files, code] of [
  ["a circle", { "/a": "/b", "/b": "/a" }, {}, "SITE_REDIRECT_INVALID"],
  ["a way to itself", { "/a": "/a" }, {}, "SITE_REDIRECT_INVALID"],
  ["a way to nothing", { "/a": "/nothing/" }, {}, "SITE_REFERENCE_BROKEN"],
  ["a page's address", { "/": "https://a.example/" }, {}, "SITE_PATH_CONFLICT"],
  [
    "an alias that another page has",
    {},
    { "content/pages/a.md": "---\ntitle: A\naliases: /\n---\n" },
    "SITE_PATH_CONFLICT",
  ],
  [
    "an alias on another host",
    {},
    { "content/pages/a.md": "---\ntitle: A\naliases: //evil.example/\n---\n" },
    "SITE_FRONT_MATTER_INVALID",
  ],
] as const) {
  test(`a redirect is refused: ${what}`, async (context) => {
    await assert.rejects(build(context, files, contractWith({ redirects })), { code });
  });
}

for (const redirects of [
  { old: "/" },
  { "/a b": "/" },
  { "/a": "//evil.example/" },
  { "/a": "/\\evil.example/" },
  { "/a": "javascript:alert(1)" },
  { "/a": "http://plain.example/" },
  { "/a": "/x\r\nset-cookie: a=b" },
]) {
  test(`the contract refuses the redirect ${JSON.stringify(redirects)}`, () => {
    assert.throws(() => contractWith({ redirects }), /site\.redirects/);
  });
}

test("a draft is no page, in no list and in no feed, unless drafts are asked for", async (context) => {
  const files = {
    "content/news/one.md": "---\ntitle: One\ndate: 2026-09-01\n---\nA.\n",
    "content/news/two.md": "---\ntitle: Two\ndate: 2026-09-02\ndraft: true\n---\nSecret.\n",
  };
  const contract = contractWith({ feeds: ["news"] });
  const published = await build(context, files, contract);
  assert.ok(!Buffer.from(published.body).includes("Secret"));
  assert.ok(!published.manifest.files.some(({ path }) => path === "/news/two/"));
  assert.doesNotMatch(textOf(published, "/sitemap.xml"), /two/);
  const tried = await build(context, files, contract, true);
  assert.match(textOf(tried, "/news/two/"), /Secret/);
});

test("drafts are refused where releases are signed for visitors", async (context) => {
  const keys = { program: new Map(), release: new Map() } as unknown as NonNullable<Contract["keys"]>;
  await assert.rejects(build(context, {}, { ...contractWith(), keys }, true), {
    code: "SITE_DRAFTS_REFUSED",
  });
});

test("a feed has the newest first, with absolute addresses, and what the sanitiser let through", async (context) => {
  const release = await build(
    context,
    {
      "content/news/one.md":
        "---\ntitle: One & <only>\ndate: 2026-09-01\n---\n[home](/) <script>x</script>\n",
      "content/news/two.md": '---\ntitle: Two\ndate: 2026-09-02\n---\n`<a href="/code">`\n',
    },
    contractWith({ feeds: ["news"] }),
  );
  const feed = textOf(release, "/news/feed.xml");
  assert.ok(feed.indexOf("/news/two/") < feed.indexOf("/news/one/"));
  assert.match(feed, /<title>One &amp; &lt;only&gt;<\/title>/);
  assert.match(feed, /&lt;a href=&quot;https:\/\/www\.site\.example\/&quot;&gt;home/);
  assert.match(feed, /href="\/code"|href=&quot;\/code&quot;/);
  assert.doesNotMatch(feed, /script/);
  assert.match(feed, /<updated>2026-09-02T00:00:00\.000Z<\/updated>\n<entry>/);
  assert.match(textOf(release, "/sitemap.xml"), /news\/one\/<\/loc><lastmod>2026-09-01<\/lastmod>/);
});

test("an entry of a feed needs a date", async (context) => {
  await assert.rejects(
    build(context, { "content/news/one.md": "---\ntitle: One\n---\n" }, contractWith({ feeds: ["news"] })),
    { code: "SITE_FEED_INVALID", message: /^content\/news\/one\.md/ },
  );
});

test("only tags' addresses are made absolute, whatever stands in text and in other attributes", () => {
  assert.equal(
    withAbsoluteAddresses(
      '<p><a href="b?c=1&#x26;d" title="<a href=x>">t</a> href="/x" <img src="/p.png" alt=""></p>',
      "https://a.example/n/",
    ),
    '<p><a href="https://a.example/n/b?c=1&amp;d" title="<a href=x>">t</a> href="/x" <img src="https://a.example/p.png" alt=""></p>',
  );
});
