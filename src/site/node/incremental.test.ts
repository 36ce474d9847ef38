import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { source } from "../../contract/index.ts";
import { buildSite } from "./build-site.ts";
import { contractOf, fullTemplate } from "./fixtures/build-release.ts";
import { plainTemplate, siteContract, writeSite } from "./fixtures/write-site.ts";

const listing = `
import { Content, asset } from "curtainwall/template";
import { Frame } from "./Frame.tsx";
export function page({ entry, collections }) {
  return (
    <Frame title={entry.data.title}>
      <Content of={entry} />
      <ul>{collections.notes.map((note) => <li><a href={note.path}>{note.data.title}</a> <Content of={note} /></li>)}</ul>
      <img src={asset("a.svg")} alt="" />
    </Frame>
  );
}
`;

const frame = (foot: string): string => `
export function Frame({ title, children }) {
  return <html lang="en"><head><title>{title}</title></head><body>{children}<p>${foot}</p></body></html>;
}
`;

const svg = (fill: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1" fill="${fill}"/></svg>`;

const words = fc.constantFrom("Rye", "# Rye", "<b>dark</b>", "*mild*", "", "- [x] a", "<script>x</script>");
const title = fc.constantFrom("a", "b", "c & d");

/** One thing that somebody does to a site: a file, and its new text. Undefined: it goes. */
const edit = fc.oneof(
  fc.record({
    file: fc.constantFrom("content/pages/index.md", "content/pages/a.md"),
    text: fc.tuple(title, words).map(([name, body]) => `---\ntitle: ${name}\n---\n${body}\n`),
  }),
  fc.record({
    file: fc.constantFrom("content/notes/one.md", "content/notes/two.md"),
    text: fc.option(
      fc.tuple(title, words).map(([name, body]) => `---\ntitle: ${name}\n---\n${body}\n`),
      { nil: undefined },
    ),
  }),
  fc.record({ file: fc.constant("templates/Frame.tsx"), text: fc.constantFrom("x", "y").map(frame) }),
  fc.record({ file: fc.constant("public/a.svg"), text: fc.constantFrom("red", "blue").map(svg) }),
);

test("after any edits a build that remembers writes what one that remembers nothing writes", async (context) => {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\nHello.\n",
    "content/pages/a.md": "---\ntitle: A\n---\nHello.\n",
    "content/notes/one.md": "---\ntitle: One\n---\nHello.\n",
    "templates/pages.tsx": listing,
    "templates/notes.tsx": plainTemplate,
    "templates/Frame.tsx": frame("x"),
    "public/a.svg": svg("red"),
  });
  const memory = join(root, "memory");
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      for (const { file, text } of edits) {
        if (text === undefined) await rm(join(root, file), { force: true });
        else await writeFile(join(root, file), text);
      }
      const cold = join(root, "cold");
      const [warm, fresh] = [
        await buildSite({ root, contract: siteContract(), cacheFolder: memory }),
        await buildSite({ root, contract: siteContract(), cacheFolder: cold }),
      ];
      await rm(cold, { recursive: true });
      assert.deepEqual(warm.release, fresh.release);
      assert.deepEqual(warm.warnings, fresh.warnings);
    }),
    { numRuns: 12 },
  );
});

const front = fc.record({
  title,
  rank: fc.integer({ min: 1, max: 3 }),
  tags: fc.subarray(["rye", "Crème", "old tag"]),
  draft: fc.boolean(),
});

/** What somebody does to a site of lists, tags and languages, or an API to its answer. */
const richEdit = fc.oneof(
  fc.record({
    file: fc.constantFrom("one", "two", "three", "one.de", "two.de").map((name) => `content/news/${name}.md`),
    text: fc.option(
      fc
        .tuple(front, words)
        .map(
          ([{ title: name, rank, tags, draft }, body]) =>
            `---\ntitle: ${name}\nrank: ${rank}\ntags: ${JSON.stringify(tags)}\ndraft: ${draft}\ndate: 2026-09-0${rank}\n---\n${body}\n`,
        ),
      { nil: undefined },
    ),
  }),
  fc.record({
    file: fc
      .constantFrom("news.md", "news.de.md", "about.md", "about.de.md")
      .map((name) => `content/pages/${name}`),
    text: fc.option(
      title.map((name) => `---\ntitle: ${name}\n---\nText.\n`),
      { nil: undefined },
    ),
  }),
  fc.record({
    file: fc.constant("answer.json"),
    text: fc
      .uniqueArray(fc.tuple(fc.constantFrom("p", "q", "r"), title), { selector: ([slug]) => slug })
      .map((items) =>
        JSON.stringify(items.map(([slug, name]) => ({ slug, title: name, text: `*${name}*` }))),
      ),
  }),
);

const richSchema = z.object({
  title: z.string(),
  rank: z.int().default(1),
  tags: z.array(z.string()).default([]),
  date: z.iso.date().optional(),
});

test("lists, tags, languages and sources, too, are as a build that remembers nothing makes them", async (context) => {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\n",
    "content/pages/index.de.md": "---\ntitle: Start\n---\n",
    "content/news/one.md": "---\ntitle: One\nrank: 2\ntags: [rye]\ndate: 2026-09-01\n---\n",
    "answer.json": "[]",
    "templates/pages.tsx": fullTemplate,
    "templates/news.tsx": fullTemplate,
    "templates/products.tsx": fullTemplate,
  });
  const item = z.object({ slug: z.string(), title: z.string(), text: z.string() });
  const contracts = (["nothing", "default"] as const).map((untranslated) =>
    contractOf({
      collections: {
        pages: richSchema,
        news: richSchema,
        products: source("https://pim.example/", item, { body: { field: "text", format: "markdown" } }),
      },
      lists: { news: { size: 1, by: "rank", order: "descending" }, products: { size: 2 } },
      tags: { news: { size: 1, feeds: true } },
      locales: { default: "en", others: ["de"], untranslated },
      feeds: ["news"],
    }),
  );
  const memory = join(root, "memory");
  await fc.assert(
    fc.asyncProperty(
      fc.array(richEdit, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(...contracts),
      async (edits, contract) => {
        for (const { file, text } of edits) {
          if (text === undefined) await rm(join(root, file), { force: true });
          else await writeFile(join(root, file), text);
        }
        const answers = [{ collection: "products", text: await readFile(join(root, "answer.json"), "utf8") }];
        const cold = join(root, "cold");
        const warm = await buildSite({ root, contract, answers, cacheFolder: memory });
        const fresh = await buildSite({ root, contract, answers, cacheFolder: cold });
        await rm(cold, { recursive: true });
        assert.deepEqual(warm.release, fresh.release);
        assert.deepEqual(warm.untranslated, fresh.untranslated);
      },
    ),
    { numRuns: 18 },
  );
});

test("a page that somebody edited is made anew with the lists that show it, and no other", async (context) => {
  const root = await writeSite(context, {
    ...Object.fromEntries(
      Array.from({ length: 9 }, (_, index) => [`content/news/n${index}.md`, `---\ntitle: N${index}\n---\n`]),
    ),
    "templates/news.tsx": fullTemplate.replace(/<p>\{collections\.news.*<\/p>/, ""),
    "templates/pages.tsx": fullTemplate,
  });
  const contract = contractOf({
    collections: { pages: richSchema, news: richSchema },
    lists: { news: { size: 3 } },
  });
  const cacheFolder = join(root, "memory");
  const pagesKept = async (): Promise<Set<string>> => {
    await buildSite({ root, contract, cacheFolder });
    const text = await readFile(join(cacheFolder, "pages.memory"), "latin1");
    return new Set(text.match(/page [0-9a-f]{64} news (?:page|list) [0-9a-f]{64}/g));
  };
  const before = await pagesKept();
  assert.equal(before.size, 12);
  await writeFile(join(root, "content/news/n4.md"), "---\ntitle: Changed\n---\n");
  const after = await pagesKept();
  assert.deepEqual([before.difference(after).size, after.difference(before).size], [2, 2]);
});

test("a memory that was damaged anywhere is forgotten, and never shows in a page", async (context) => {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\nHello.\n",
    "templates/pages.tsx": plainTemplate,
    "public/a.svg": svg("red"),
  });
  const cacheFolder = join(root, "memory");
  const build = async (): Promise<Uint8Array> =>
    (await buildSite({ root, contract: siteContract(), cacheFolder })).release;
  const honest = await build();
  for (const name of ["pages.memory", "templates.json"]) {
    const file = join(cacheFolder, name);
    const bytes = await readFile(file);
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 12)) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await writeFile(file, damaged);
      assert.deepEqual(await build(), honest, `${name} at ${at}`);
    }
    await writeFile(file, bytes.subarray(0, bytes.length / 2));
    assert.deepEqual(await build(), honest);
  }
});

test("a page whose template reads a clock is made anew each time", async (context) => {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\nHello.\n",
    "public/a.svg": svg("red"),
    "templates/pages.tsx":
      'import { Content } from "curtainwall/template";\nexport function page({ entry }) { return <html lang="en"><head><title>{String(performance.now())}</title></head><body><Content of={entry} /></body></html>; }',
  });
  const cacheFolder = join(root, "memory");
  const build = async (): Promise<Uint8Array> =>
    (await buildSite({ root, contract: siteContract(), cacheFolder })).release;
  assert.notDeepEqual(await build(), await build());
});

test("a file that templates read, but that is no code, is noticed when it changes", async (context) => {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\nHello.\n",
    "data.json": '{"word":"old"}',
    "templates/pages.tsx":
      'import data from "../data.json";\nexport function page() { return <html lang="en"><head><title>{data.word}</title></head><body></body></html>; }',
    "public/a.svg": svg("red"),
  });
  const build = async (): Promise<string> =>
    new TextDecoder().decode((await buildSite({ root, contract: siteContract() })).release);
  assert.match(await build(), /<title>old</);
  await writeFile(join(root, "data.json"), '{"word":"new"}');
  assert.match(await build(), /<title>new</);
});

test("what an import means may change without its file: a new file beside it is noticed", async (context) => {
  const root = await writeSite(context, {
    "content/pages/index.md": "---\ntitle: Home\n---\nHello.\n",
    "templates/pages.tsx": listing.replace("./Frame.tsx", "./Frame"),
    "templates/notes.tsx": plainTemplate,
    "templates/Frame.jsx": frame("old"),
    "public/a.svg": svg("red"),
  });
  const build = async (): Promise<string> =>
    new TextDecoder().decode((await buildSite({ root, contract: siteContract() })).release);
  assert.match(await build(), /<p>old<\/p>/);
  await writeFile(join(root, "templates/Frame.tsx"), frame("new"));
  assert.match(await build(), /<p>new<\/p>/);
});
