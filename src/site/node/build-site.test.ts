import assert from "node:assert/strict";
import { mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decodeRelease, defineStack, parseContract } from "../../contract/index.ts";
import type { Release, ReleaseFile } from "../../contract/index.ts";
import { buildSite } from "./build-site.ts";
import type { BuildProgress } from "./build-site.ts";
import { buildWith, honestSite, plainTemplate, siteContract, writeSite } from "./fixtures/write-site.ts";

function file(release: Release, path: string): ReleaseFile {
  return (
    release.manifest.files.find((entry) => entry.path === path) ??
    assert.fail(`${path} is not in the release`)
  );
}

const header = (entry: ReleaseFile, name: string): string | undefined =>
  entry.headers.find(([key]) => key === name)?.[1];

function bytes(release: Release, entry: ReleaseFile, encoding = "identity"): Uint8Array {
  const variant = entry.variants.find((one) => one.encoding === encoding) ?? assert.fail(`no ${encoding}`);
  return release.body.subarray(variant.offset, variant.offset + variant.length);
}

const text = (release: Release, path: string): string =>
  new TextDecoder().decode(bytes(release, file(release, path)));

const fullTemplate = `
import { Content, JsonIsland, asset } from "curtainwall/template";
export function page({ entry, collections, origin }) {
  return (
    <html lang="en">
      <head>
        <title>{entry.data.title}</title>
        <link rel="stylesheet" href={asset("site.css")} />
        <script src={asset("site.js")} defer />
        <script>{\`document.documentElement.dataset.a = "1 < 2";\`}</script>
      </head>
      <body>
        <Content of={entry} />
        <ul>{collections.pages.map((other) => <li><a href={other.path}>{other.data.title}</a></li>)}</ul>
        <JsonIsland id="d" data={{ origin, title: entry.data.title }} />
      </body>
    </html>
  );
}`;

test("a site becomes a release: pages, hashed files, plain files, 404, robots, sitemap", async (context) => {
  const {
    release: pack,
    pages,
    files,
  } = await buildWith(
    context,
    {
      "templates/pages.tsx": fullTemplate,
      "content/pages/about.md": "---\ntitle: A & B </script><script>alert(1)</script>\n---\n# Hi\n",
      "content/pages/404.md": "---\ntitle: Gone\n---\nGone.\n",
      "public/site.js": `console.log("${"long ".repeat(100)}");`,
      "public/.well-known/security.txt": "Contact: mailto:a@b.example\n",
    },
    siteContract(true),
  );
  const release = await decodeRelease(pack);
  const paths = release.manifest.files.map(({ path }) => path);
  assert.equal(paths.length, files);
  assert.deepEqual(
    pages.map(({ path, source }) => [path, source]),
    [
      ["/404.html", "content/pages/404.md"],
      ["/about/", "content/pages/about.md"],
      ["/", "content/pages/index.md"],
    ],
  );
  assert.equal(release.manifest.notFound, "/404.html");
  for (const path of [
    "/",
    "/about/",
    "/404.html",
    "/robots.txt",
    "/sitemap.xml",
    "/site.css",
    "/site.js",
    "/.well-known/security.txt",
  ])
    assert.ok(paths.includes(path), path);

  const about = text(release, "/about/");
  assert.match(about, /<title>A &amp; B &lt;\/script>/);
  assert.doesNotMatch(about, /<script>alert/);
  assert.match(about, /<script>document\.documentElement\.dataset\.a = "1 < 2";<\/script>/);
  assert.match(
    about,
    /<script src="\/assets\/site\.[0-9a-f]{16}\.js" defer integrity="sha256-[^"]+"><\/script>/,
  );
  assert.match(text(release, "/sitemap.xml"), /<loc>https:\/\/www\.site\.example\/about\/<\/loc>/);
  assert.doesNotMatch(text(release, "/sitemap.xml"), /404/);

  const page = file(release, "/about/");
  assert.equal(header(page, "content-type"), "text/html; charset=utf-8");
  assert.equal(header(page, "cache-control"), "no-cache");
  assert.equal(header(page, "vary"), "accept-encoding");
  assert.match(
    header(page, "content-security-policy") ?? "",
    /script-src 'sha256-[^']+' 'sha256-[^']+'; style-src 'self'; connect-src 'self'; object-src/,
  );
  assert.match(header(page, "strict-transport-security") ?? "", /max-age/);

  const script =
    release.manifest.files.find(({ path }) => /^\/assets\/site\..*js$/.test(path)) ?? assert.fail();
  assert.equal(header(script, "cache-control"), "public, max-age=31536000, immutable");
  assert.equal(header(script, "content-type"), "text/javascript; charset=utf-8");
  assert.match(header(script, "content-security-policy") ?? "", /^default-src 'none'.*sandbox/);
  const plain = bytes(release, script);
  assert.deepEqual(new Uint8Array(brotliDecompressSync(bytes(release, script, "br"))), new Uint8Array(plain));
  assert.deepEqual(new Uint8Array(gunzipSync(bytes(release, script, "gzip"))), new Uint8Array(plain));
});

test("a page without script may not call the API, and a site without API neither", async (context) => {
  const quiet = await buildWith(context, {}, siteContract(true));
  assert.doesNotMatch(quiet.pages[0]?.policy ?? "", /connect-src/);
});

test("the same sources give the same release, with or without the cache, and whatever the folder's order", async (context) => {
  const root = await writeSite(context, {
    ...honestSite,
    "templates/pages.tsx": fullTemplate,
    "public/site.js": "go()".repeat(200),
  });
  const first = await buildSite({ root, contract: siteContract() });
  const again = await buildSite({ root, contract: siteContract() });
  const fresh = await buildSite({ root, contract: siteContract(), cacheFolder: join(root, "elsewhere") });
  assert.deepEqual(again.release, first.release);
  assert.deepEqual(fresh.release, first.release);
});

test("a damaged cache is noticed", async (context) => {
  const root = await writeSite(context, {
    ...honestSite,
    "public/site.css": "a { color: red }\n".repeat(40),
  });
  const cacheFolder = join(root, "cache");
  await mkdir(cacheFolder);
  const first = await buildSite({ root, contract: siteContract(), cacheFolder });
  const entries = await readdir(cacheFolder, { recursive: true, withFileTypes: true });
  const places = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  assert.ok(places.length > 3);
  for (const place of places) await writeFile(place, (await readFile(place)).subarray(3));
  const second = await buildSite({ root, contract: siteContract(), cacheFolder });
  assert.deepEqual(second.release, first.release);
});

test("the build says how far it is", async (context) => {
  const root = await writeSite(context, honestSite);
  const seen: BuildProgress[] = [];
  await buildSite({ root, contract: siteContract(), onProgress: (event) => seen.push(event) });
  assert.deepEqual([...new Set(seen.map(({ step }) => step))], ["read", "templates", "pages", "compress"]);
  assert.ok(seen.filter(({ step }) => step === "pages").every(({ done, total }) => done <= total));
});

test("a template may import packages, types and other files, and gets what the schema made", async (context) => {
  const { release } = await buildWith(context, {
    "data.json": '{"word":"from JSON"}',
    "shared.ts":
      "export interface Shape { word: string }\nexport const shout = (text: string): string => text.toUpperCase();\n",
    "templates/Box.tsx": "export const Box = ({ children }) => <section>{children}</section>;\n",
    "templates/pages.tsx": `
import { useMemo } from "preact/hooks";
import { basename } from "node:path";
import { Content, type PageProps } from "curtainwall/template";
import { Box } from "./Box.tsx";
import { shout, type Shape } from "../shared.ts";
import data from "../data.json";
export function page({ entry }: PageProps<any, "pages">) {
  const shape: Shape = data;
  const word = useMemo(() => shout(shape.word), []);
  return <html lang="en"><body><Box>{word} {basename("/a/b.c")} {entry.data.tags?.join("+")}<Content of={entry} /></Box></body></html>;
}`,
    "content/pages/index.md": "---\ntitle: Home\ntags: [a, b]\n---\nHello.\n",
  });
  assert.match(text(await decodeRelease(release), "/"), /<section>FROM JSON b\.c a\+b<div><p>Hello\.<\/p>/);
});

const inTemplate = (markup: string): string => `
import { Content, asset } from "curtainwall/template";
import { h } from "preact";
export function page({ entry }) {
  const title = entry.data.title;
  return <html lang="en"><body>
    ${markup}
  </body></html>;
}`;

interface BadInput {
  readonly files: Record<string, string | Uint8Array>;
  readonly code: string;
  readonly message: RegExp;
  readonly withApi?: boolean;
}

const badInputs: Record<string, BadInput> = {
  "front matter that fails its schema": {
    files: { "content/pages/a.md": "---\ntitle: a\ntags: no\n---\n" },
    code: "SITE_FRONT_MATTER_INVALID",
    message: /^content\/pages\/a\.md:3: tags: /,
  },
  "a content folder that the contract doesn't know": {
    files: { "content/blog/a.md": "---\ntitle: a\n---\n" },
    code: "SITE_COLLECTION_UNKNOWN",
    message: /^content\/blog\/a\.md: .*"blog"/,
  },
  "a collection without a template": {
    files: { "content/notes/a.md": "---\ntitle: a\n---\n" },
    code: "SITE_TEMPLATE_MISSING",
    message: /^content\/notes\/a\.md: .*"notes"/,
  },
  "a template without a page": {
    files: { "templates/pages.tsx": "export const Page = 1;" },
    code: "SITE_TEMPLATE_INVALID",
    message: /^templates\/pages\.tsx: .*named page/,
  },
  "two files for one address": {
    files: {
      "content/pages/a.md": "---\ntitle: a\n---\n",
      "content/pages/a/index.md": "---\ntitle: a\n---\n",
    },
    code: "SITE_PATH_CONFLICT",
    message:
      /content\/pages\/a\.md.*\/a\/ .*content\/pages\/a\/index\.md|content\/pages\/a\/index\.md.*content\/pages\/a\.md/,
  },
  "a page below the API's root": {
    files: { "content/pages/api/a.md": "---\ntitle: a\n---\n" },
    code: "SITE_PATH_CONFLICT",
    message: /^content\/pages\/api\/a\.md: .*API/,
    withApi: true,
  },
  "a file below the API's root": {
    files: { "public/api/a.txt": "x" },
    code: "SITE_PATH_CONFLICT",
    message: /^public\/api\/a\.txt: /,
    withApi: true,
  },
  "a picture in the content folder": {
    files: { "content/pages/a.png": "x" },
    code: "SITE_FILE_REFUSED",
    message: /^content\/pages\/a\.png: /,
  },
  "content that is not UTF-8": {
    files: { "content/pages/a.md": new Uint8Array([0xff, 0xfe, 0x41]) },
    code: "SITE_CONTENT_INVALID",
    message: /^content\/pages\/a\.md: .*UTF-8/,
  },
  "a bomb of nested elements": {
    files: { "content/pages/a.md": `---\ntitle: a\n---\n${"<div>".repeat(60_000)}` },
    code: "SITE_CONTENT_INVALID",
    message: /^content\/pages\/a\.md:4: /,
  },
  "an .env file among the assets": {
    files: { "public/.env": "KEY=1" },
    code: "SITE_FILE_REFUSED",
    message: /^public\/\.env: /,
  },
  "an .env file under another name": {
    files: { "public/prod.env": "KEY=1" },
    code: "SITE_FILE_REFUSED",
    message: /^public\/prod\.env: /,
  },
  "a folder that begins with a dot among the assets": {
    files: { "public/.git/config": "x" },
    code: "SITE_FILE_REFUSED",
    message: /^public\/\.git: /,
  },
  "a source map among the assets": {
    files: { "public/site.js.map": "{}" },
    code: "SITE_FILE_REFUSED",
    message: /^public\/site\.js\.map: /,
  },
  "a file of an unknown kind among the assets": {
    files: { "public/dump.sql": "x" },
    code: "SITE_FILE_REFUSED",
    message: /^public\/dump\.sql: .*"\.sql"/,
  },
  "a stylesheet that loads from elsewhere": {
    files: { "public/site.css": "a {}\nb { background: url(https://evil.example/) }" },
    code: "SITE_STYLESHEET_REFUSED",
    message: /^public\/site\.css:2: /,
  },
  "a stylesheet that loads what is not there": {
    files: { "public/site.css": "b { background: url(/nothing.png) }" },
    code: "SITE_REFERENCE_BROKEN",
    message: /^public\/site\.css: .*\/nothing\.png/,
  },
  "a template with a syntax error": {
    files: { "templates/pages.tsx": "export function page() {\n  return <p>;\n}" },
    code: "SITE_TEMPLATE_INVALID",
    message: /^templates\/pages\.tsx:\d: /,
  },
  "a template that imports what is not there": {
    files: { "templates/pages.tsx": 'import { x } from "./missing.tsx";\nexport const page = x;' },
    code: "SITE_TEMPLATE_INVALID",
    message: /^templates\/pages\.tsx:1: .*missing/,
  },
  "a template that imports a package that is not installed": {
    files: { "templates/pages.tsx": '\nimport { x } from "no-such-package-here";\nexport const page = x;' },
    code: "SITE_TEMPLATE_INVALID",
    message: /^templates\/pages\.tsx:2: .*no-such-package-here/,
  },
  "a template that throws": {
    files: { "templates/pages.tsx": inTemplate("{entry.data.missing.length}") },
    code: "SITE_TEMPLATE_FAILED",
    message: /^templates\/pages\.tsx:7: the template threw: .*in the page \/\)/,
  },
  "a shared component that throws": {
    files: {
      "templates/Bad.tsx": "\n\nexport function Bad() {\n  throw new Error('no flour');\n}",
      "templates/pages.tsx": `import { Bad } from "./Bad.tsx";\n${inTemplate("<Bad />")}`,
    },
    code: "SITE_TEMPLATE_FAILED",
    message: /^templates\/Bad\.tsx:4: the template threw: no flour/,
  },
  "a template that throws while it is loaded": {
    files: { "templates/pages.tsx": "\nthrow new Error('early');\nexport const page = 1;" },
    code: "SITE_TEMPLATE_FAILED",
    message: /^templates\/pages\.tsx:2: .*early/,
  },
  "asset() called while the templates are loaded": {
    files: {
      "templates/pages.tsx":
        'import { asset } from "curtainwall/template";\nconst css = asset("site.css");\nexport const page = () => css;',
    },
    code: "SITE_TEMPLATE_FAILED",
    message: /^templates\/pages\.tsx:2: asset\("site\.css"\) was called outside/,
  },
  "a page that comes later": {
    files: { "templates/pages.tsx": inTemplate("x").replace("export function", "export async function") },
    code: "SITE_PAGE_UNSAFE",
    message: /must return <html>/,
  },
  "an asset that is not there": {
    files: { "templates/pages.tsx": inTemplate('<img src={asset("pictures/site.css")} alt="" />') },
    code: "SITE_ASSET_UNKNOWN",
    message: /^templates\/pages\.tsx:7: .*pictures\/site\.css/,
  },
  "front matter in a script, through a variable": {
    files: { "templates/pages.tsx": inTemplate('{h("script", null, title)}') },
    code: "SITE_TEMPLATE_UNSAFE",
    message: /^templates\/pages\.tsx: .*this <script> stands in no template's source/,
  },
  "front matter in a script": {
    files: { "templates/pages.tsx": inTemplate("<script>{`var title = ${title}`}</script>") },
    code: "SITE_TEMPLATE_UNSAFE",
    message: /^templates\/pages\.tsx:7: /,
  },
  "an unsafe shared component": {
    files: {
      "templates/Bad.tsx":
        "export const Bad = ({ html }) => (\n  <div\n    dangerouslySetInnerHTML={{ __html: html }} />\n);",
      "templates/pages.tsx": `import { Bad } from "./Bad.tsx";\n${inTemplate("<Bad html={title} />")}`,
    },
    code: "SITE_TEMPLATE_UNSAFE",
    message: /^templates\/Bad\.tsx:3: /,
  },
  "attributes spread from front matter": {
    files: {
      "templates/pages.tsx": inTemplate("<p {...JSON.parse(title)}>x</p>"),
      "content/pages/index.md": '---\ntitle: \'{"onclick":"alert(1)"}\'\n---\n',
    },
    code: "SITE_TEMPLATE_UNSAFE",
    message: /^templates\/pages\.tsx:7: onclick: .*in the page \//,
  },
  "a script address from front matter": {
    files: {
      "templates/pages.tsx": inTemplate("<a href={title}>x</a>"),
      "content/pages/index.md": "---\ntitle: 'javascript:alert(1)'\n---\n",
    },
    code: "SITE_TEMPLATE_UNSAFE",
    message: /^templates\/pages\.tsx:7: href=/,
  },
  "a link to a page that is not there": {
    files: { "content/pages/index.md": "---\ntitle: a\n---\n[x](/nowhere/)\n" },
    code: "SITE_REFERENCE_BROKEN",
    message: /^content\/pages\/index\.md:4: .*\/nowhere\//,
  },
  "a link to a page that is not there, written in a template": {
    files: {
      "templates/pages.tsx": inTemplate('<a href="/nowhere/">x</a>'),
      "content/pages/index.md": "---\ntitle: a\n---\n[a longer one](/nowhere/else/)\n",
      "content/pages/nowhere/else.md": "---\ntitle: a\n---\n",
    },
    code: "SITE_REFERENCE_BROKEN",
    message: /^templates\/pages\.tsx:\d+: .*\/nowhere\/, where/,
  },
  "a link that a template puts together from a field": {
    files: {
      "templates/pages.tsx": inTemplate("<a href={`/notes/${entry.data.title}/`}>x</a>"),
      "content/pages/index.md": "---\ntitle: a\n---\n",
    },
    code: "SITE_REFERENCE_BROKEN",
    message: /^templates\/pages\.tsx: .*\/notes\/a\//,
  },
  "a link to a part of another page that it does not have": {
    files: {
      "content/pages/index.md": "---\ntitle: a\n---\n\n[x](/about/#closed)\n",
      "content/pages/about.md": "---\ntitle: a\n---\n## Opening hours\n",
    },
    code: "SITE_REFERENCE_BROKEN",
    message: /^content\/pages\/index\.md:5: .*\/about\/#closed, and that page has no such part/,
  },
  "a link to a part of the same page that it does not have": {
    files: { "content/pages/index.md": "---\ntitle: a\n---\n[x](#top) [y](#h-nothing)\n" },
    code: "SITE_REFERENCE_BROKEN",
    message: /^content\/pages\/index\.md:4: .*#h-nothing/,
  },
  "a picture from elsewhere": {
    files: { "content/pages/index.md": "---\ntitle: a\n---\n![x](https://evil.example/a.png)\n" },
    code: "SITE_REFERENCE_FOREIGN",
    message: /^content\/pages\/index\.md:4: .*evil\.example/,
  },
  "a script without integrity": {
    files: { "public/site.js": "go()", "templates/pages.tsx": inTemplate('<script src="/site.js" />') },
    code: "SITE_PAGE_UNSAFE",
    message: /\/site\.js without the integrity/,
  },
  "a script from the API": {
    files: { "templates/pages.tsx": inTemplate('<script src="/api/products" />') },
    code: "SITE_PAGE_UNSAFE",
    message: /\/api\/products without the integrity/,
    withApi: true,
  },
  "a page that is not a page": {
    files: { "templates/pages.tsx": "export const page = () => <p>x</p>;" },
    code: "SITE_PAGE_UNSAFE",
    message: /must return <html>/,
  },
  "a file with the name of a hashed one": {
    files: {
      "templates/pages.tsx": inTemplate('<img src={asset("a.svg")} alt="" />'),
      "public/a.svg": "x",
      "public/assets/a.2d711642b726b044.svg": "y",
    },
    code: "SITE_PATH_CONFLICT",
    message: /a\.2d711642b726b044\.svg/,
  },
};

for (const [what, { files, code, message, withApi }] of Object.entries(badInputs)) {
  test(`${what}: ${code}`, async (context) => {
    await assert.rejects(
      buildWith(context, files, siteContract(withApi)),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, code, String(error.stack));
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test("links to parts that are there are honest, and one whose heading has the prefix is told how to write it", async (context) => {
  const about = "---\ntitle: a\n---\n## Opening hours\n[here](#opening-hours) [top](#) [text](#:~:text=a)\n";
  const index = (link: string): string => `---\ntitle: a\n---\n[x](${link})\n`;
  const build = (link: string): Promise<unknown> =>
    buildWith(context, { "content/pages/about.md": about, "content/pages/index.md": index(link) });
  await build("/about/#h-opening-hours");
  await build("https://elsewhere.example/#anything");
  await build("/site.css#anything");
  await assert.rejects(
    build("/about/#opening-hours"),
    (error: { hint?: string }) => error.hint === "Write  /about/#h-opening-hours",
  );
});

test("what is removed from content is told, with its line; what stands in code or is allowed is not", async (context) => {
  const { warnings } = await buildWith(context, {
    "content/pages/index.md": `---
title: a
---
Write \`<iframe>\` or \`onclick=\` in code: <em>fine</em>.

<iframe src="https://evil.example/"></iframe>

A line, and on the next
a word <b onclick="go()">to click</b> and <blink>old</blink> markup.

\`\`\`html
<script>not this one</script>
\`\`\`

<div class="box">

<p>text</p>
<script>this one()</script>
</div>

[x](ftp://files.example/)
`,
  });
  assert.deepEqual(
    warnings.map(({ file: where, line, message }) => `${where}:${line} ${message}`),
    [
      "content/pages/index.md:6 <iframe> was removed with what is in it: content can't have it",
      "content/pages/index.md:9 <blink> was removed, and what is in it kept: content can't have it",
      "content/pages/index.md:18 <script> was removed with what is in it: content can't have it",
      "content/pages/index.md:9 onclick was removed from <b>: content can't run code",
      "content/pages/index.md:15 class was removed from <div>: content can't have it, or not with this value",
      "content/pages/index.md:undefined href was removed from <a>: content can't have it, or not with this value",
    ],
  );
});

for (const folder of ["content", "public"]) {
  test(`a symbolic link in ${folder} is not followed out of it`, async (context) => {
    const root = await writeSite(context, { ...honestSite, "secret.md": "---\ntitle: secret\n---\n" });
    await symlink(
      join(root, "secret.md"),
      join(root, folder, folder === "content" ? "pages/link.md" : "link.txt"),
    );
    await assert.rejects(buildSite({ root, contract: siteContract() }), { code: "SITE_FILE_REFUSED" });
    const other = await writeSite(context, honestSite);
    await symlink("/etc", join(other, folder, "etc"));
    await assert.rejects(buildSite({ root: other, contract: siteContract() }), { code: "SITE_FILE_REFUSED" });
  });
}

for (const [folder, option] of [
  ["content", "site.content"],
  ["templates", "site.templates"],
  ["public", "site.assets"],
] as const) {
  test(`a missing ${folder} folder names the option that names it`, async (context) => {
    const files = Object.fromEntries(Object.entries(honestSite).filter(([path]) => !path.startsWith(folder)));
    const root = await writeSite(context, files);
    await assert.rejects(
      buildSite({ root, contract: siteContract() }),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, "SITE_FOLDER_MISSING");
        assert.match(error.hint ?? "", new RegExp(option.replace(".", "\\.")));
        return true;
      },
    );
  });
}

test("a contract without a site says what to add", async () => {
  const contract = parseContract(defineStack({ origin: "https://www.site.example" }));
  await assert.rejects(buildSite({ root: "/nowhere", contract }), { code: "SITE_NOT_DECLARED" });
});

test("what editors and systems leave behind is not content, and does not fail the build", async (context) => {
  const { pages } = await buildWith(context, {
    "content/pages/.index.md.swp": "x",
    "content/.DS_Store": "x",
    "public/.DS_Store": "x",
  });
  assert.equal(pages.length, 1);
});

test("two builds at once do not mix", async (context) => {
  const one = {
    "public/site.css": "a { color: red }",
    "templates/pages.tsx": fullTemplate,
    "public/site.js": "one()",
  };
  const two = { ...one, "public/site.js": "two()" };
  const [first, second] = await Promise.all([buildWith(context, one), buildWith(context, two)]);
  assert.notDeepEqual(first.release, second.release);
  assert.deepEqual((await buildWith(context, one)).release, first.release);
  assert.deepEqual((await buildWith(context, { "templates/pages.tsx": plainTemplate })).pages.length, 1);
});
