import assert from "node:assert/strict";
import { test } from "node:test";
import { inspectPage } from "./inspect-page.ts";

const code = { script: new Set(["go()"]), style: new Set(["a{background:url(/a.png)}"]) };
const page = (body: string, head = "") =>
  inspectPage(
    `<!doctype html><html lang="en"><head>${head}</head><body>${body}</body></html>`,
    "https://www.site.example/x/",
    code,
  );

test("an honest page has no problems, and says what it loads", () => {
  const facts = page(
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
  test(`${what} is found in a finished page`, () => {
    assert.notDeepEqual(page(body).problems, []);
  });
}

test("a component that returns no <html> is told so", () => {
  assert.match(
    inspectPage("<!doctype html><p>x</p>", "https://a.example/", code).problems[0] ?? "",
    /must return <html>/,
  );
});
