import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import fc from "fast-check";
import { neat, soup } from "../fixtures/soup.ts";
import { readPage, readPageWithParser } from "../index.ts";
import type { PageFacts } from "../index.ts";

/** The scanner is right if it finds what the parser finds, or says that it can't. */

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Compares the two, with all facts and with as few as hardening asks for; tells whether the scanner was sure. */
function agree(bytes: Uint8Array): boolean {
  for (const options of [{ ids: true }, { links: false }]) {
    const scanned = readPage(bytes, options);
    if (scanned.fallback !== undefined) return false;
    const parsed = readPageWithParser(bytes, options);
    // A nested page may have been left to the parser even if this one wasn't.
    assert.deepEqual(leaveOutFallback(scanned), leaveOutFallback(parsed));
  }
  return true;
}

function leaveOutFallback(page: PageFacts): unknown {
  const nested = page.nested.map((fact) => ({ ...fact, page: leaveOutFallback(fact.page) }));
  return { ...page, nested, fallback: undefined };
}

suite("the scanner finds what the parser finds", () => {
  test("in any sequence of tags", () => {
    let sure = 0;
    fc.assert(
      fc.property(soup, (parts) => {
        if (agree(utf8(parts.join("")))) sure++;
      }),
      { numRuns: 4000 },
    );
    assert.ok(sure > 400, `it was sure of ${sure} of 4000 only: the test would show little`);
  });

  test("in elements that nest", () => {
    let sure = 0;
    fc.assert(
      fc.property(neat, (page) => {
        if (agree(utf8(page))) sure++;
      }),
      { numRuns: 2000 },
    );
    assert.ok(sure > 500, `it was sure of ${sure} of 2000 only: the test would show little`);
  });

  test("in an ordinary page with a few bytes changed", () => {
    const page = utf8(ordinary);
    const change = fc.tuple(fc.nat(page.length - 1), fc.constantFrom(...utf8(`<>/="'! \n-&a\0`), 0xc3, 0xa9));
    let sure = 0;
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.nat(page.length),
        (changes, length) => {
          const changed = page.slice(0, length > page.length / 2 ? undefined : length * 2);
          for (const [at, byte] of changes) if (at < changed.length) changed[at] = byte;
          if (agree(changed)) sure++;
        },
      ),
      { numRuns: 3000 },
    );
    assert.ok(sure > 600, `it was sure of ${sure} of 3000 only: the test would show little`);
  });

  test("in random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        agree(bytes);
      }),
    );
  });

  const folder = process.env.CURTAINWALL_DOCS;
  test("in real pages", { skip: folder === undefined && "CURTAINWALL_DOCS names no folder of pages" }, () => {
    // Each generator wrote hundreds of much the same form: every fifth by its name shows them all. `npm run fuzz` reads the rest as well.
    const step = process.env.CURTAINWALL_FUZZ === undefined ? 5 : 1;
    const pages = readdirSync(folder ?? "", { recursive: true, encoding: "utf8" })
      .filter((path) => /\.html?$/.test(path))
      .toSorted()
      .filter((_, index) => index % step === 0);
    assert.ok(pages.length > 0);
    const unsure = pages.filter((path) => !agree(readFileSync(join(folder ?? "", path))));
    assert.ok(
      unsure.length <= pages.length / 50,
      `the scanner left ${unsure.length} of ${pages.length} to the parser`,
    );
  });
});

suite("the scanner leaves to the parser", () => {
  const cases: [string, string][] = [
    ["a frameset, which throws the body away", "<frameset><frame src=a></frameset>"],
    ["what stands in SVG and ends it", "<svg><p onclick=a></svg>"],
    ["SVG that does not nest", "<svg><g></svg><script>1</script>"],
    ["HTML inside SVG", "<svg><foreignObject><div onclick=a></div></foreignObject></svg>"],
    ["an unclosed script", "<script>1"],
    ["an unfinished tag", "<p><img src=a"],
    ["U+0000", "<p>\0<img src=a>"],
    [
      "a column in a template, behind which scripts are ignored",
      "<template><col><script>1</script></template>",
    ],
    ["a base in the body", "<table><base href=a></table>"],
    ["scripts inside a script's comment", "<script><!-- <script> </script> --></script>"],
  ];
  for (const [name, page] of cases)
    test(name, () => {
      assert.equal(typeof readPage(utf8(page)).fallback, "string");
    });
});

const ordinary = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A &amp; B</title>
<link rel="stylesheet" href="style.css" type="text/css"/><base href="/docs/">
<script type="application/ld+json">{"a": "</p>"}</script><style>p { color: red }</style>
<noscript><link rel="stylesheet" href="fallback.css"></noscript>
</head><body class="x" onload="start()">
<!-- a comment with <script> in it -->
<h1 id="top">Überschrift</h1><p style="margin:0">Text <a href="a.html?x=1&amp;y=2" title='it "is"'>link</a><br/>
<img src="a.png" srcset="a.png 1x, b.png 2x" alt="<b>">
<table><tr><td background=x.png>1<td>2</table>
<svg width="1"><title>t</title><path d="M0 0"/><use xlink:href="#i"></use><style>.a{}</style></svg>
<math><mi>x</mi><mo>=</mo><mn>1</mn></math>
<form action="/go"><input type=text name=q><textarea><img></textarea><select><option>1</select><button formaction=/b>x</button></form>
<template><div onclick="a()"></div></template><iframe src="f.html"><p></iframe>
<script src="a.js" defer></script><script>if (1 < 2) document.write("<b>" + "<\\/b>");</script>
</body></html>
`;
