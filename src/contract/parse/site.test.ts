import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { ContractSite } from "../contract/site.ts";
import { defineStack } from "../define.ts";
import type { ContentSiteOptions } from "../define/site.ts";
import { parseContract } from "../parse.ts";
import { source } from "../source.ts";

const item = z.object({ slug: z.string() });
const privateEnv = z.object({ CMS_TOKEN: z.string() });

function parse(site: Partial<ContentSiteOptions>): ContractSite {
  const contract = parseContract(
    defineStack({
      origin: "https://www.site.example",
      site: { content: "content", templates: "templates", collections: { news: item }, ...site },
      privateEnv,
    }),
  );
  assert.ok(contract.site !== undefined && !("dist" in contract.site));
  return contract.site;
}

test("lists, tags, languages and sources have their defaults", () => {
  const site = parse({
    collections: { news: item, products: source("https://pim.example/all?per_page=100", item) },
    lists: { news: {} },
    tags: { news: { by: "date", order: "descending", slugs: { 面包: "bread" } } },
    locales: { default: "en", others: ["pt-BR", "zh-Hant-TW"] },
  });
  assert.deepEqual(site.lists.get("news"), { size: 20, by: undefined, order: "ascending" });
  assert.equal(site.tags.get("news")?.slugs.get("面包"), "bread");
  assert.deepEqual(site.locales, { default: "en", others: ["pt-BR", "zh-Hant-TW"], untranslated: "nothing" });
  const { url, declaredAt, ...rest } = site.sources.get("products") ?? assert.fail();
  assert.equal(url.href, "https://pim.example/all?per_page=100");
  assert.match(declaredAt ?? "", /\/site\.test\.ts:\d+$/);
  assert.deepEqual(rest, {
    at: [],
    slug: "slug",
    body: undefined,
    locale: undefined,
    post: undefined,
    isGraphql: false,
    next: undefined,
    maxPages: 200,
    headers: [],
    timeoutMs: 10_000,
    retries: 2,
    maxBytes: 8_388_608,
    pictures: undefined,
    caFile: undefined,
    allowPrivate: false,
  });
});

const products = (url: string, options?: object): Partial<ContentSiteOptions> => ({
  collections: { products: source(url, item, options) },
});

const refusedSources = [
  ["a query beside what is posted", { post: {}, graphql: { query: "{ a }" } }, /post or graphql/],
  ["a GraphQL source without a query", { graphql: {} }, /graphql\.query/],
  ["something to post that JSON can't write", { post: { a: undefined, b: () => 1 } }, /JSON/],
  ["a secret among what is posted", { post: { auth: { api_key: "1234" } } }, /looks like a secret/],
  ["two ways to what comes next", { next: { page: "page", link: ["next"] } }, /one of link, page/],
  ["a way to what comes next that is none", { next: {} }, /one of link, page/],
  ["a cursor that is repeated nowhere", { next: { cursor: ["a"] } }, /next\.parameter/],
  ["a size of no pages", { next: { link: ["a"], size: 3 } }, /size means nothing beside link/],
  ["a secret among its headers", { headers: { "X-Api-Key": "1234" } }, /looks like a secret/],
  ["authorization in the contract", { headers: { Authorization: "Bearer x" } }, /looks like a secret/],
  ["a variable that is not declared", { headers: { "x-key": { variable: "OTHER" } } }, /privateEnv/],
  [
    "a header that is the connection's",
    { headers: { Host: "other.example" } },
    /can't? be sent|is no header/,
  ],
  ["a header that breaks its line", { headers: { "x-a": "b\r\nc: d" } }, /visible ASCII/],
  ["two ways to say who asks", { token: "CMS_TOKEN", basic: { user: "a", password: "CMS_TOKEN" } }, /twice/],
  ["a user with a colon", { basic: { user: "a:b", password: "CMS_TOKEN" } }, /colon/],
  ["pictures from anywhere", { pictures: { from: ["*"] } }, /origins/],
  ["pictures over http", { pictures: { from: ["http://images.example"] } }, /origins/],
  ["pictures from a path", { pictures: { from: ["https://images.example/a"] } }, /origins/],
  ["more answers than a thousand", { maxPages: 1001 }, /maxPages/],
] as const;

for (const [what, site, problem] of [
  ["a list of no collection", { lists: { nothing: {} } }, /no collection "nothing"/],
  ["a page of no entries", { lists: { news: { size: 0 } } }, /lists\.news\.size/],
  ["an order that is none", { lists: { news: { order: "newest" as "ascending" } } }, /lists\.news\.order/],
  ["a list at the first page", { collections: { pages: item }, lists: { pages: {} } }, /first page/],
  ["a tag's address with a slash", { tags: { news: { slugs: { a: "../a" } } } }, /slugs/],
  ["a language with an underscore", { locales: { default: "en_GB", others: [] } }, /BCP 47/],
  ["a language twice", { locales: { default: "en", others: ["en"] } }, /twice/],
  ["a language without others", { locales: { default: "en" } as never }, /BCP 47/],
  [
    "a language named as a collection",
    { locales: { default: "en", others: ["news"] } as never },
    /BCP 47|begin as/,
  ],
  ["a source over http", products("http://pim.example/"), /https/],
  ["a source of another scheme", products("file:///etc/passwd"), /https/],
  ["a password in its address", products("https://a:b@pim.example/"), /password/],
  ["a token in its address", products("https://pim.example/?access-token=1"), /looks like a secret/],
  ["a token that is not declared", products("https://pim.example/", { token: "OTHER" }), /privateEnv/],
  ["a text of no format", products("https://pim.example/", { body: { field: "text" } }), /format/],
  ...refusedSources.map(
    ([what, options, problem]) => [what, products("https://cms.example/", options), problem] as const,
  ),
  [
    "private addresses without a reason",
    products("https://pim.example/", { insecurePrivateAddresses: "" }),
    /why/,
  ],
  [
    "pages from a source",
    { collections: { pages: source("https://a.example/", item) } },
    /can't be a source/,
  ],
] as const) {
  test(`the contract refuses ${what}`, () => {
    assert.throws(() => parse(site), { message: problem });
  });
}

test("a source may be plain at this machine's own address, and send a declared token", () => {
  const site = parse(products("http://127.0.0.1:8080/", { token: "CMS_TOKEN" }));
  assert.equal(site.sources.get("products")?.headers[0]?.variable, "CMS_TOKEN");
});
