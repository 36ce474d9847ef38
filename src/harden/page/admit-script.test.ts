import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import { readPage } from "../../html/index.ts";
import { createFileView } from "../site/file-view.ts";
import { hardenPage } from "./harden-page.ts";
import type { HardenedPage } from "./harden-page.ts";
import { scriptNames } from "../inspect/script-names.ts";
import type { SiteFileView, SiteView } from "../site/site-view.ts";

const hash = (text: string): string => createHash("sha256").update(text).digest("base64");
const evil = "globalThis.hit=1";

const files: Readonly<Record<string, string>> = {
  "/site.js": "site()",
  "/app.js": 'import "./dep.js"; import("./late.js"); import("https://cdn.example/c.js")',
  "/dep.js": "1",
  "/late.js": "2",
  "/load.js": 's=document.createElement("script");s.src="/plugin.js"',
  "/bundle.js": 'webpackChunk;s=document.createElement("script");s.src=x',
  "/plugin.js": "3",
  "/start.js": 'new Worker("/worker.js")',
  "/worker.js": "4",
  "/notes.txt": evil,
};

function viewOf(origin: string | undefined): SiteView {
  const names = scriptNames(Object.keys(files));
  const find = (path: string): SiteFileView | undefined => {
    const text = files[path];
    return text === undefined
      ? undefined
      : createFileView({ path, hash: () => hash(text), text: () => text }, (other) => named(other));
  };
  const named = (text: string): readonly SiteFileView[] => names.in(text).flatMap((path) => find(path) ?? []);
  return { origin, hash, find, scriptsNamedIn: named };
}

const address = fc.constantFrom(
  ...Object.keys(files),
  "/missing.js",
  `data:text/javascript,${evil}`,
  "blob:https://site.invalid/1",
  "https://cdn.example/c.js",
  "https://cdn.example/folder/",
  "https://*/",
  "https://a;b/x.js",
  "//[::1]/x.js",
  "",
);
const claimed = fc
  .array(
    fc.oneof(
      fc.constantFrom(evil, "site()", "1").map((text) => `sha256-${hash(text)}`),
      fc.constantFrom("sha384-AAAA", "unsafe-eval", "strict-dynamic", "'unsafe-inline'", "none"),
    ),
    { maxLength: 3 },
  )
  .map((tokens) => tokens.join(" "));
const withIntegrity = fc
  .option(claimed)
  .map((text) => (text === null ? "" : ` integrity="${text}" crossorigin`));
const type = fc.constantFrom("", ' type="module"');
const importMap = fc
  .record({
    imports: fc.dictionary(fc.constantFrom("a", "./dep.js", "b/"), address),
    integrity: fc.dictionary(fc.oneof(address, fc.constant("bare")), claimed),
  })
  .map((map) => `<script type="importmap">${JSON.stringify(map).replaceAll("<", "\\u003c")}</script>`);
const piece = fc.oneof(
  fc
    .tuple(address, type, withIntegrity)
    .map(([src, kind, more]) => `<script src="${src}"${kind}${more}></script>`),
  fc.tuple(address, withIntegrity).map(([href, more]) => `<link rel="modulepreload" href="${href}"${more}>`),
  fc
    .tuple(address, withIntegrity)
    .map(([href, more]) => `<link rel="preload" as="script" href="${href}"${more}>`),
  importMap,
  fc.constantFrom(
    '<script type="module">import "a"; import "b/c.js"</script>',
    '<p onclick="f()">',
    '<a href="javascript:g()">x</a>',
    '<iframe srcdoc="&lt;script src=/site.js integrity=none>&lt;/script>"></iframe>',
    "<script>import('/late.js')</script>",
    "<script>s.src = '//tags.example/tags.js'</script>",
    "<base href=/>",
  ),
);

const allowed = [
  "https://tags.example/tags.js",
  "https://tags.example/",
  "https://cdn.example/folder/",
  "https://cdn.example/;,.js",
].map((address) => ({ address, reason: "a test" }));

/** What the lock is asked about, as sources. */
function toldSources({ report }: HardenedPage): Set<string> {
  const told = new Set<string>();
  for (const { kind, hash: of, text, integrity } of report.scripts) {
    if (of !== undefined) told.add(`'sha256-${of}'`);
    for (const token of integrity?.split(" ") ?? []) told.add(`'${token}'`);
    if (kind === "added") told.add(text.replace(/^(https:\/\/[^/]+)\/$/, "$1"));
    if (kind === "external")
      told.add(URL.parse(text, "https://www.example.com")?.href.replace(/[?#].*$/, "") ?? text);
  }
  for (const folder of report.opened)
    told.add(folder === "/" ? "'self'" : `https://www.example.com${folder}`);
  if (report.opened.includes("/")) told.add("https://www.example.com/");
  return told;
}

/** Texts that hardening itself writes, of what the lock has been asked about. */
function writtenTexts(before: string, after: Uint8Array): string[] {
  const theirs = new Set(readPage(new TextEncoder().encode(before)).scripts.map(({ text }) => text));
  return readPage(after)
    .scripts.map(({ text }) => text)
    .filter((text) => !theirs.has(text));
}

suite("what may run on a page", () => {
  test("is in script-src only with an occurrence that the lock is asked about, whatever the page says", () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(undefined, "https://www.example.com"),
        fc.subarray(allowed),
        (pieces, origin, allowScripts) => {
          const html = `<!doctype html><title>x</title>${pieces.join("")}`;
          const page = hardenPage(readPage(new TextEncoder().encode(html)), {
            path: "/",
            view: viewOf(origin),
            settings: { allowScripts },
          });
          const told = toldSources(page);
          const own = new Set(writtenTexts(html, page.bytes).map((text) => `'sha256-${hash(text)}'`));
          const nothing = new Set(["'none'", "'unsafe-hashes'", `'sha256-${hash("")}'`]);
          for (const directive of ["script-src", "script-src-attr"] as const)
            for (const source of page.policy.get(directive) ?? [])
              assert.ok(
                told.has(source) || own.has(source) || nothing.has(source),
                `${directive} ${source} of ${html}`,
              );
        },
      ),
      { numRuns: 400 },
    );
  });

  test("a script of another site whose address ends in a slash is named, since all below it may run", () => {
    const page = (src: string): readonly string[] =>
      hardenPage(readPage(new TextEncoder().encode(`<script src="${src}"></script>`)), {
        path: "/",
        view: viewOf(undefined),
      }).report.notes;
    assert.match(page("https://cdn.example").join(), /ends in \//);
    assert.deepEqual(page("https://cdn.example/v3/x.js"), []);
  });
});
