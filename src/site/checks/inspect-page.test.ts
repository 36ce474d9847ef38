import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inspectPage, inspectSimplePage } from "./inspect-page.ts";
import { inspectTree } from "./inspect-tree.ts";

const code = { script: new Set(["go()"]), style: new Set(["a{background:url(/a.png)}"]) };
const page = (body: string, head = "") =>
  inspectPage(
    `<!doctype html><html lang="en"><head>${head}</head><body>${body}</body></html>`,
    "https://www.site.example/x/",
    code,
  );

test("an honest page has no problems, and says what it loads", async () => {
  const facts = await page(
    '<img src="/a.svg" srcset="/b.png 1x, /c.png 2x"><form action="/api/x"></form><a href="https://other.example/">o</a><svg><use href="#leaf"/></svg><video src="/v.mp4" poster="/p.jpg"></video>',
    '<link rel="stylesheet" href="/s.css" integrity="sha256-x"><link rel="icon" href="/i.svg"><script src="/s.js" integrity="sha256-y"></script><script>go()</script><style>a{background:url(/a.png)}</style><script type="application/json">{"a":1}</script>',
  );
  assert.deepEqual(facts.problems, []);
  assert.ok(facts.hasForm);
  assert.deepEqual([...facts.inlineScripts], ["go()"]);
  const kinds = facts.references.map(({ kind, address }) => `${kind} ${address}`).sort();
  assert.deepEqual(kinds, [
    "form /api/x",
    "image /a.png",
    "image /a.svg",
    "image /b.png",
    "image /c.png",
    "image /i.svg",
    "image /p.jpg",
    "link https://other.example/",
    "media /v.mp4",
    "script /s.js",
    "style /s.css",
  ]);
});

for (const [what, body] of [
  ["an inline script that no source has", "<script>alert(1)</script>"],
  [
    "an inline script hidden by another parser's reading",
    "<svg><title><script>alert(1)</script></title></svg>",
  ],
  ["a script inside a template", "<template><script>alert(1)</script></template>"],
  ["a shadow root", "<div><template shadowrootmode=open>x</template></div>"],
  ["a style that no source has", "<style>b{}</style>"],
  ["a handler", "<p onmouseover=x>y</p>"],
  ["a handler on a foreign element", "<svg onload=x></svg>"],
  ["a style attribute", "<p style=x>y</p>"],
  ["a script address", "<a href=javascript:x>y</a>"],
  ["a script address in SVG", "<svg><a xlink:href=javascript:x>y</a></svg>"],
  ["a frame", "<iframe></iframe>"],
  ["a base", "<base href=/>"],
  ["a refresh", "<meta http-equiv=refresh content=0>"],
  ["an import map", '<script type="importmap">{}</script>'],
  ["a script with both an address and a text", '<script src="/a.js">go()</script>'],
  ["an early connection to elsewhere", '<link rel="preconnect" href="https://evil.example">'],
  ["JSON that could end its element", '<script type="application/json">{"a":"<b>"}</script>'],
] as const) {
  test(`${what} is found in a finished page`, async () => {
    assert.notDeepEqual((await page(body)).problems, []);
  });
}

test("a component that returns no <html> is told so", async () => {
  const { problems } = await inspectPage("<!doctype html><p>x</p>", "https://a.example/", code);
  assert.match(problems[0] ?? "", /must return <html>/);
});

test("a page that was only scanned has the facts that the parser finds, and no problem", () => {
  const piece = fc.constantFrom(
    "<p>text</p>",
    "<a href='/a/#b'>x</a>",
    '<a name="n" href=?q>x</a>',
    '<img src="/a.png" srcset="/b.png 1x, /c.png 2x">',
    '<img src="#x">',
    '<h2 id="h-a">a</h2>',
    '<form action="/api/x"></form>',
    "<form></form>",
    '<button formaction="/api/y">x</button>',
    '<input type="image" src="/i.png">',
    '<video src="/v.mp4" poster="/p.jpg"><track src="/t.vtt"></video>',
    '<link rel="icon" href="/i.svg">',
    '<link rel="canonical" href="https://www.site.example/">',
    '<link rel="modulepreload" href="/m.js">',
    '<link rel="preload" as="font" href="/f.woff2">',
    '<link rel="stylesheet" href="/s.css" integrity="sha256-x">',
    '<script src="/s.js" integrity="sha256-y"></script>',
    "<script>go()</script>",
    "<style>a{background:url(/a.png)}</style>",
    '<script type="application/json">{"a":1}</script>',
    "<title>a &lt; b</title>",
    "<!-- <script>x</script> -->",
    "<script>alert(1)</script>",
    "<script>go()",
    "<style>b{}</style>",
    "<p onclick=x>",
    "<p style=x>",
    "<iframe></iframe>",
    "<iframe/srcdoc=x>",
    "<svg><a xlink:href=javascript:x>y</a></svg>",
    "<a href=javascript:x>y</a>",
    "<a href='java\nscript:x'>y</a>",
    "<a href=ftp://x>y</a>",
    "<math><mi xlink:href=x>",
    "<base href=/>",
    "<p nonce>",
    "<p\nnonce=x>",
    '<p title=""nonce>',
    '<link rel="preconnect" href="https://evil.example">',
    "<link rel=pingback href=/x>",
    "<meta http-equiv=refresh content=0>",
    "<noscript><p title='</noscript><script>alert(1)</script>'></noscript>",
    '<p title="',
    '">',
    "</p",
    "<table><tr><td><form>",
    "<textarea>",
    "<div cite=x>",
    "<a ping=x href=y>",
    "<template><p id=t></p></template>",
    "<image src=/x>",
    "</body>",
    "<blockquote cite =ftp://x>",
  );
  let scanned = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const html = `<!doctype html><html lang="en"><head><title>x</title></head><body>${pieces.join("")}</body></html>`;
      const fast = inspectSimplePage(html, "https://www.site.example/x/", code);
      if (fast === undefined) return;
      scanned++;
      const slow = inspectTree(html, "https://www.site.example/x/", code);
      const sorted = ({ references }: typeof slow): string[] =>
        references.map(({ kind, url, integrity }) => `${kind} ${url.href} ${integrity}`).sort();
      assert.deepEqual(slow.problems, []);
      const [found, expected] = [new Set(sorted(fast)), new Set(sorted(slow))];
      assert.deepEqual(found.difference(expected), new Set());
      // The parser's reading also names addresses on elements where they mean nothing to a browser.
      for (const missed of expected.difference(found)) assert.match(missed, /^link /);
      assert.deepEqual(
        [fast.anchors, fast.hasForm, fast.inlineScripts, fast.inlineStyles],
        [slow.anchors, slow.hasForm, slow.inlineScripts, slow.inlineStyles],
      );
    }),
    { numRuns: 2000 },
  );
  assert.ok(scanned > 100, `${scanned} of them were simple`);
});
