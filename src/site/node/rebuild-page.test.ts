import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { brotliDecompressSync } from "node:zlib";
import fc from "fast-check";
import { decodeRelease } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { buildSite } from "./build-site.ts";
import { rebuildPage } from "./rebuild-page.ts";
import type { RebuiltPage } from "./page-notes.ts";
import { siteContract, writeSite } from "./fixtures/write-site.ts";

const template = `
import { Content, asset, HeadLinks } from "curtainwall/template";
export function page({ entry, here, collections }) {
  const others = entry.data.title === "Lister" ? collections.notes : [];
  return (
    <html lang="en">
      <head><title>{entry.data.title}</title><link rel="stylesheet" href={asset("site.css")} /></head>
      <body><Content of={entry} /><p>{entry.headings.map(({ text }) => text).join()}</p>{others.map((note) => <Content of={note} />)}</body>
    </html>
  );
}
`;

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="1" height="1"/></svg>`;
const start = "---\ntitle: Start\n---\n# One\n\nA ![loaf](/rye.svg) and [two](/two/#h-parts).\n";

const files = {
  "content/pages/index.md": start,
  "content/pages/two.md": "---\ntitle: Two\n---\n# Parts\n\n[Back](/#h-one), [notes](/notes/a/).\n",
  "content/pages/lister.md": "---\ntitle: Lister\n---\nAll notes.\n",
  "content/notes/a.md": "---\ntitle: A\n---\nNote.\n",
  "templates/pages.tsx": template,
  "templates/notes.tsx": template,
  "public/site.css": "body { color: red }",
  "public/rye.svg": svg,
  "public/oat.svg": svg.replace("300", "400"),
};

interface Built {
  readonly root: string;
  readonly contract: Contract;
  readonly cacheFolder: string;
  notes: string;
}

async function buildOnce(context: TestContext): Promise<Built> {
  const root = await writeSite(context, files);
  const cacheFolder = join(root, "cache");
  const contract = siteContract();
  const { notes } = await buildSite({ root, contract, cacheFolder });
  assert.ok(notes !== undefined);
  return { root, contract, cacheFolder, notes };
}

const rebuild = ({ root, cacheFolder, notes }: Built, file: string): Promise<RebuiltPage | undefined> =>
  rebuildPage({ root, cacheFolder, notes, file }).catch(() => undefined);

/** All addresses with the digests of their forms. */
async function contentsOf(release: Uint8Array): Promise<Map<string, string>> {
  const { manifest } = await decodeRelease(release);
  return new Map(
    manifest.files.map(({ path, headers, variants }) => [
      path,
      JSON.stringify([headers, variants.map(({ encoding, sha256 }) => [encoding, sha256])]),
    ]),
  );
}

suite("a page that is made by itself", () => {
  test("is the one that a whole build makes, and nothing else of the site changes (property)", async (context) => {
    const built = await buildOnce(context);
    const { root, contract, cacheFolder } = built;
    const parts = fc.constantFrom(
      "# One",
      "## Parts",
      "Words of *many* kinds.",
      "<b>dark</b> <script>x</script>",
      "![loaf](/rye.svg)",
      "![other](/oat.svg)",
      "![foreign](https://www.other.example/a.png)",
      "[two](/two/#h-parts)",
      "[gone](/two/#h-gone)",
      "[nowhere](/nowhere/)",
      "[self](#h-one)",
      "- [ ] task",
      "```js\nlet a = 1;\n```",
      `word `.repeat(100),
    );
    let alone = 0;
    const edits = fc.record({
      file: fc.constantFrom("content/pages/index.md", "content/pages/two.md", "content/notes/a.md"),
      title: fc.constantFrom("Start", "Start", "Start", "Other"),
      body: fc.array(parts, { maxLength: 6 }).map((list) => list.join("\n\n")),
    });
    let before = await contentsOf((await buildSite({ root, contract, cacheFolder })).release);
    await fc.assert(
      fc.asyncProperty(edits, async ({ file, title, body }) => {
        const place = join(root, file);
        const was = await readFile(place, "utf8");
        const head =
          title === "Start" ? was.slice(0, was.indexOf("---\n", 4) + 4) : `---\ntitle: ${title}\n---\n`;
        await writeFile(place, `${head}# One\n\n${body}\n`);
        const made = await rebuild(built, file);
        const whole = await buildSite({ root, contract, cacheFolder: join(root, "other") }).catch(
          () => undefined,
        );
        if (made !== undefined) {
          alone++;
          assert.ok(whole !== undefined, "what a whole build refuses, nobody makes");
          const after = await contentsOf(whole.release);
          const { files: list } = await decodeRelease(whole.release).then(({ manifest }) => manifest);
          const page = list.find(({ path }) => path === made.path);
          assert.deepEqual([...before.keys()], [...after.keys()]);
          for (const [path, content] of after)
            if (path !== made.path) assert.equal(content, before.get(path), path);
          const { body: bytes } = await decodeRelease(whole.release);
          for (const { encoding, offset, length } of page?.variants ?? []) {
            const form: Uint8Array | undefined = encoding === "identity" ? made.html : made.forms[encoding];
            assert.deepEqual(Buffer.from(form ?? []), Buffer.from(bytes.subarray(offset, offset + length)));
          }
          assert.deepEqual(
            made.warnings,
            whole.warnings.filter((warning) => warning.file === file),
          );
        }
        if (whole === undefined) await writeFile(place, was);
        const again = await buildSite({ root, contract, cacheFolder });
        assert.ok(again.notes !== undefined);
        built.notes = again.notes;
        before = await contentsOf(again.release);
      }),
      { numRuns: 40 },
    );
    assert.ok(alone > 3, `only ${alone} pages were made by themselves`);
  });

  test("comes with its compressed forms, and the notes go on from it", async (context) => {
    const built = await buildOnce(context);
    for (const word of ["first", "second"]) {
      await writeFile(
        join(built.root, "content/pages/index.md"),
        `${start}${`${word} `.repeat(100)}\n## ${word}\n`,
      );
      const page = await rebuild(built, "content/pages/index.md");
      assert.match(brotliDecompressSync(page?.forms.br ?? "").toString(), new RegExp(`${word} ${word}`));
      assert.notEqual(page?.notes, built.notes);
      built.notes = page?.notes ?? "";
    }
  });

  const refused: Record<string, [file: string, text: string]> = {
    "its front matter changed": ["content/pages/index.md", start.replace("Start", "Begin")],
    "it lost a part that another page leads to": ["content/pages/index.md", start.replace("# One", "# Two")],
    "it shows another picture": ["content/pages/index.md", start.replace("rye", "oat")],
    "it shows one picture more": ["content/pages/index.md", `${start}![oat](/oat.svg)\n`],
    "it leads to another part of a page": ["content/pages/index.md", start.replace("#h-parts", "#h-gone")],
    "it leads nowhere": ["content/pages/index.md", start.replace("/two/", "/nowhere/")],
    "it would load from another site": [
      "content/pages/index.md",
      `${start}![](https://www.other.example/a.png)`,
    ],
    "another page shows it": ["content/notes/a.md", "---\ntitle: A\n---\nOther note.\n"],
    "it looks at others": ["content/pages/lister.md", "---\ntitle: Lister\n---\nAll the notes.\n"],
    "it is not UTF-8": ["content/pages/index.md", `${start}\u0000`],
  };
  for (const [why, [file, text]] of Object.entries(refused))
    test(`is left to a whole build when ${why}`, async (context) => {
      const built = await buildOnce(context);
      const bytes = Buffer.from(text);
      await writeFile(
        join(built.root, file),
        text.endsWith("\u0000") ? Buffer.concat([bytes, Buffer.of(0xff)]) : bytes,
      );
      assert.equal(await rebuild(built, file), undefined);
    });

  test("is left to a whole build when a template changed", async (context) => {
    const built = await buildOnce(context);
    await writeFile(join(built.root, "content/pages/index.md"), `${start}More.\n`);
    await writeFile(join(built.root, "templates/pages.tsx"), template.replace("<p>", "<p>: "));
    assert.equal(await rebuild(built, "content/pages/index.md"), undefined);
  });

  test("is not made of notes that are damaged, of another build, or gone", async (context) => {
    const built = await buildOnce(context);
    const place = join(built.cacheFolder, "pages.notes");
    const notes = await readFile(place);
    await writeFile(join(built.root, "content/pages/index.md"), `${start}More.\n`);
    for (const damaged of [
      notes.subarray(0, -1),
      notes.with(notes.indexOf("/two/"), 0x41),
      Buffer.alloc(0),
      Buffer.from("null\n"),
    ]) {
      await writeFile(place, damaged);
      assert.equal(await rebuild(built, "content/pages/index.md"), undefined);
    }
    await writeFile(place, notes);
    assert.equal(await rebuild({ ...built, notes: "0".repeat(64) }, "content/pages/index.md"), undefined);
    assert.ok(await rebuild(built, "content/pages/index.md"));
  });

  test("is not made for a site whose templates read a clock", async (context) => {
    const root = await writeSite(context, {
      ...files,
      "templates/pages.tsx": template.replace("<p>", "<p>{Date.now()}"),
    });
    const { notes } = await buildSite({ root, contract: siteContract(), cacheFolder: join(root, "cache") });
    assert.equal(notes, undefined);
  });
});
