import assert from "node:assert/strict";
import { test } from "node:test";
import { buildIslandSite } from "./support/island-site.ts";

const shelf = (body: string, head = ""): Record<string, string> => ({
  "templates/Shelf.island.tsx": `import { island } from "curtainwall/island";\nimport { z } from "zod";\n${head}\n${body}`,
});
const props = "{ title: z.string().max(40), most: z.int() }";
const plain = `export const Shelf = island("Shelf", ${props}, ({ title }) => <p>{title}</p>);`;

test("an island that is called by another name, or made elsewhere, fails the build and says how to write it", async (context) => {
  await assert.rejects(buildIslandSite(context, shelf(plain.replace('"Shelf"', '"Other"'))), {
    code: "SITE_ISLAND_INVALID",
    message: /^templates\/Shelf\.island\.tsx:4: /,
    hint: /island\("Shelf"/,
  });
  const elsewhere = {
    "templates/pages.tsx":
      'import { island } from "curtainwall/island";\nconst Loose = island("Loose", {}, () => <p>x</p>);\nexport const page = () => <html lang="en"><head><title>x</title></head><body><Loose /></body></html>;',
  };
  await assert.rejects(buildIslandSite(context, elsewhere), {
    code: "SITE_ISLAND_INVALID",
    hint: /Loose\.island\.tsx/,
  });
});

test("what an island's template hands over must fit the island's props, and survive JSON", async (context) => {
  const tooLong = shelf(plain.replace("max(40)", "max(3)"));
  await assert.rejects(buildIslandSite(context, tooLong), {
    code: "SITE_ISLAND_INVALID",
    message: /<Shelf title>/,
  });
  const withAnything = shelf(plain.replace("most: z.int()", "most: z.any()"));
  await assert.rejects(buildIslandSite(context, withAnything), {
    message: /^templates\/Shelf\.island\.tsx:4: .*props that JSON can't say/,
  });
});

test("code for servers does not get into a browser: the build names the file that imports it", async (context) => {
  const page = {
    "templates/server.ts": 'import { readFileSync } from "node:fs";\nexport const read = readFileSync;\n',
  };
  const used = plain.replace("{title}", "{title}{String(read)}");
  await assert.rejects(
    buildIslandSite(context, { ...page, ...shelf(used, 'import { read } from "./server.ts";') }),
    {
      code: "SITE_ISLAND_INVALID",
      message: /^templates\/server\.ts: node:fs is for servers/,
    },
  );
  const config = plain.replace("{title}", "{title}{String(defineStack)}");
  await assert.rejects(
    buildIslandSite(context, shelf(config, 'import { defineStack } from "curtainwall";')),
    {
      code: "SITE_ISLAND_INVALID",
      message: /^templates\/Shelf\.island\.tsx: curtainwall is for servers/,
    },
  );
});

test("handlers stand in islands' files only, and never as text", async (context) => {
  const handler = plain.replace("<p>", "<p onClick={() => undefined}>");
  const built = await buildIslandSite(context, shelf(handler));
  assert.ok(!new TextDecoder().decode(built.unpacked.body).includes(" onclick"));
  for (const files of [
    shelf(plain.replace("<p>", '<p onClick={"alert(1)"}>')),
    shelf(plain.replace("<p>", '<p onclick="alert(1)">')),
    { "templates/notes.tsx": "export const page = () => <p onClick={() => undefined}>x</p>;" },
  ])
    await assert.rejects(buildIslandSite(context, files), { code: "SITE_TEMPLATE_UNSAFE" });
});

test("an island that calls nothing opens no connection", async (context) => {
  const { pages } = await buildIslandSite(context, shelf(plain));
  const policy = pages.find(({ path }) => path === "/")?.policy ?? "";
  assert.match(policy, /script-src 'sha256-/);
  assert.ok(!policy.includes("connect-src"));
});
