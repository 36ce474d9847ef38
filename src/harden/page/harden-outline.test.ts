import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import { outlinePage, readPage } from "../../html/index.ts";
import { createFileView } from "../site/file-view.ts";
import { hardenOutline } from "./harden-outline.ts";
import { hardenPage } from "./harden-page.ts";
import type { HardenedPage, PageContext } from "./harden-page.ts";
import type { SiteFileView, SiteView } from "../site/site-view.ts";

const hash = (text: string): string => createHash("sha256").update(text).digest("base64");
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const files: Readonly<Record<string, string>> = {
  "/a/x.js": 'import "./y.js"; fetch("?q=1"); new Worker("w.js")',
  "/a/y.js": "export const y = 1;",
  "/a/w.js": "postMessage(1)",
  "/b/x.js": "document.body.innerHTML = location.hash;",
  "/a/x.css": "@import 'y.css'; p { background: url(#p) }",
  "/b/x.css": "p { background: url(data:,) }",
  "/a/y.css": "[style] { color: red }",
  "/a/one.html": "<p>",
  "/b/index.html": "<p>",
};

function siteOf(origin?: string): SiteView {
  const find = (path: string): SiteFileView | undefined => {
    const text = files[path] ?? files[`${path}index.html`];
    if (text === undefined) return undefined;
    return createFileView({ path, hash: () => hash(text), text: () => text }, () => []);
  };
  return { origin, hash, find, scriptsNamedIn: () => [] };
}

/** What decides about a page's kind, and what has it depend on the page alone. */
const tags = [
  "<html><head>",
  "</head><body>",
  "<meta charset=utf-8>",
  "<meta http-equiv=refresh content='1;url=javascript:a'>",
  '<base href="">',
  '<base href="?x">',
  "<base href='/b/'>",
  "<base href='//cdn.example/c/'>",
  '<script src="x.js"></script>',
  "<script type=module src=x.js></script>",
  "<script src='https://cdn.example/1.2.3/z.js' async></script>",
  "<script>go()</script>",
  "<script>fetch('?x'); fetch('/api')</script>",
  '<script type=importmap>{"scopes":{"?a":{"b":"./y.js"}}}</script>',
  "<link rel=stylesheet href=x.css>",
  '<link rel="stylesheet" href="">',
  '<link rel="stylesheet" href="?s">',
  "<link rel=icon href=https:?i>",
  "<link rel=manifest href=#m>",
  "<style>p { background: url(?p) }</style>",
  "<style>@font-face { src: url(https://fonts.example/f) }</style>",
  '<form action="#">',
  "<form action=?a>",
  "<form>",
  "<iframe src=one.html></iframe>",
  "<iframe src=#></iframe>",
  "<iframe src='https:?f' allow=camera></iframe>",
  "<iframe srcdoc='<p style=color:blue><script>1</script>'></iframe>",
  "<object data=?o></object>",
  '<p style="color: red">',
  "<p onclick=go()>",
  "<a href=javascript:go()>",
  "<img src=i.png srcset='j.png 2x'>",
  "<img src='da\tta:,'>",
  "<video src=v.mp4></video>",
  "<template>",
  "<template shadowrootmode=open>",
  "</template>",
  "<svg><use href='#u'/></svg>",
  "<svg><use href='?u'/></svg>",
  "<noscript><img src=n.png></noscript>",
  "<title>t</title>",
];
const page = fc.array(fc.constantFrom(...tags), { maxLength: 7 });
/** What stands between them and is different on each page. */
const gap = fc.constantFrom(
  "",
  " ",
  "<p class=x>",
  "text",
  "<!-- c -->",
  "</p>\n",
  "é",
  "<a href=/z>shadowrootmode</a>",
);

const contexts: readonly Omit<PageContext, "path">[] = [
  { view: siteOf() },
  { view: siteOf("https://www.example.com"), budget: { maxBytes: 200 }, settings: { reportTo: "/_r" } },
  { view: siteOf(), budget: { maxBytes: 4096, shared: true }, learned: new Map([["img-src", ["data:"]]]) },
];
const paths = ["/a/one.html", "/a/two.html", "/b/", "/b/three.html"];

const told = ({ bytes, ...rest }: HardenedPage): unknown => ({
  text: new TextDecoder().decode(bytes),
  ...rest,
});

suite("a page that is like another one", () => {
  test("is hardened as if it were the only one", () => {
    let shared = 0;
    const into = new Uint8Array(4096);
    fc.assert(
      fc.property(page, fc.array(gap, { minLength: 28, maxLength: 28 }), (parts, gaps) => {
        for (const context of contexts)
          for (const [number, path] of paths.entries()) {
            const bytes = utf8(parts.map((part, index) => (gaps[number * 7 + index] ?? "") + part).join(""));
            const outline = outlinePage(bytes, { links: false });
            let asked = false;
            const facts = (): ReturnType<typeof readPage> => {
              asked = true;
              return outline.facts();
            };
            const hardened = hardenOutline({ ...outline, facts }, { ...context, path }, into);
            if (!asked) shared++;
            const alone = hardenPage(readPage(bytes, { links: false }), { ...context, path });
            assert.deepEqual(told(hardened), told(alone));
          }
      }),
      { numRuns: 500 },
    );
    assert.ok(
      shared > 1000,
      `only ${shared} of 6,000 were taken for like another: the test would show little`,
    );
  });

  test("is told from it where an import map speaks of one of them by its address", () => {
    const context = { view: siteOf() };
    const markup =
      '<script type=importmap>{"scopes":{"one.html":{"b":"./y.js"}}}</script><script type=module>import "b"</script>';
    const modules = ["/a/one.html", "/a/two.html"].map(
      (path) =>
        hardenOutline(outlinePage(utf8(markup), { links: false }), { ...context, path }).report.modules,
    );
    assert.deepEqual(modules, [1, 0]);
  });

  test("costs no second look at its tags", () => {
    const context = { view: siteOf(), path: "/a/one.html" };
    const outline = (text: string): ReturnType<typeof outlinePage> =>
      outlinePage(utf8(`<title>${text}</title><script src=x.js></script><p>${text}</p>`), { links: false });
    const [first, second] = [outline("one"), outline("another")];
    assert.equal(first.kind, second.kind);
    hardenOutline(first, context);
    const facts = (): never => assert.fail("its facts were read");
    const { bytes } = hardenOutline({ ...second, facts }, { ...context, path: "/a/two.html" });
    assert.match(
      new TextDecoder().decode(bytes),
      /<title>another<\/title><script src=x.js integrity="sha256-/,
    );
    assert.throws(
      () => hardenOutline({ ...second, facts }, { ...context, path: "/b/two.html" }),
      /were read/,
    );
    assert.throws(() => hardenOutline({ ...second, facts }, { ...context, view: siteOf() }), /were read/);
    assert.throws(() => hardenOutline({ ...second, facts }, { ...context, settings: {} }), /were read/);
  });
});
