import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { buildSite } from "./build-site.ts";
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
  for (const name of ["pages.memory", "templates.json", "release.memory"]) {
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
