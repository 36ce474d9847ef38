import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import fc from "fast-check";
import { readPage, readPageWithParser } from "./index.ts";
import type { PageFacts } from "./index.ts";

/** The scanner is right if it finds what the parser finds, or says that it can't. */

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Compares the two; tells whether the scanner was sure. */
function agree(bytes: Uint8Array): boolean {
  const scanned = readPage(bytes, { ids: true });
  if (scanned.fallback !== undefined) return false;
  const parsed = readPageWithParser(bytes, { ids: true });
  // A nested page may have been left to the parser even if this one wasn't.
  assert.deepEqual(leaveOutFallback(scanned), leaveOutFallback(parsed));
  return true;
}

function leaveOutFallback(page: PageFacts): unknown {
  const nested = page.nested.map((fact) => ({ ...fact, page: leaveOutFallback(fact.page) }));
  return { ...page, nested, fallback: undefined };
}

const names = (
  "a abbr area annotation-xml audio b base body br button caption col colgroup dd desc div dl dt embed font foreignObject form frame head " +
  "html iframe image img input li link math meta mi mtext noembed noframes noscript object ol optgroup option p path plaintext portal pre " +
  "script select source span style svg table tbody td template textarea th title tr track ul use video xmp frameset SCRIPT Title x-y"
).split(" ");
const attributeNames = (
  "action background charset class content data formaction height href http-equiv id integrity language name onclick ONLOAD ping poster rel src srcdoc " +
  "srcset style type xlink:href is/x =y é encoding as values attributeName"
).split(" ");
const values = [
  "",
  "a",
  "x y",
  "javascript:alert(1)",
  " JAVA&Tab;script&colon;b",
  "a, b 2x",
  "<p onclick=a>",
  "'",
  '"',
  ">",
  "&amp;&lt&notit;&copy=1&#x26;&#0;&#13;",
  "\r\n",
  "é€😀",
  "stylesheet",
  "refresh",
  "content-type",
  "text/html; charset=utf-8",
  "utf-8",
  "module",
  "text/html",
  "href",
  "/",
  "<script>1</script>",
];

const attribute = fc
  .tuple(
    fc.constantFrom(" ", "", "\n", "/", "\t "),
    fc.constantFrom(...attributeNames),
    fc.constantFrom("=", "", " = ", "=\n"),
    fc.constantFrom('"', "'", "", "", '"'),
    fc.constantFrom(...values),
  )
  .map(
    ([space, name, equals, quote, value]) =>
      `${space}${name}${equals}${equals === "" ? "" : quote + value + quote}`,
  );
const attributes = fc.array(attribute, { maxLength: 3 }).map((list) => list.join(""));
const startTag = fc
  .tuple(fc.constantFrom(...names), attributes, fc.constantFrom(">", ">", ">", ">", "/>", " / >", ""))
  .map(([name, list, end]) => `<${name}${list}${end}`);
const endTag = fc
  .tuple(fc.constantFrom(...names), fc.constantFrom(">", ">", ">", " x='>'>", "/>", "\n>"))
  .map(([name, end]) => `</${name}${end}`);
const odd = fc.constantFrom(
  "<!doctype html>",
  "<!DOCTYPE html PUBLIC '>' 'x'>",
  "<!---->",
  "<!-->",
  "<!--->",
  "<!--!>",
  "<!-- a --!>",
  "<!--<!-->",
  "<!-- > -- > --->",
  "<!",
  "<!x>",
  "<?php a > b ?>",
  "</>",
  "</ x>",
  "<>",
  "< p>",
  "<![CDATA[<p onclick=a>]]>",
  "]]>",
  "<!--",
  "--><script>",
  "<script><!--<script></script>--></script>",
  "<script><!-- </script>",
  "<style>a{}</style>",
  "<title>x</title>",
  "text",
  " ",
  "\n",
  "\r\n",
  "&lt;",
  "é",
  "\u00A0",
  "\u0085",
  "<svg><style>a&lt;b</style></svg>",
  "<svg viewBox='0 0 1 1'><title>t</title><path d=x /></svg>",
  "<math><mi>x</mi></math>",
);
const soup = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: startTag },
    { weight: 3, arbitrary: endTag },
    { weight: 3, arbitrary: odd },
  ),
  {
    maxLength: 25,
  },
);

/** Elements that nest, as most pages are. */
const { page: neat } = fc.letrec<{ page: string; element: string }>((tie) => ({
  element: fc
    .tuple(
      fc.constantFrom(...names.filter((name) => name !== "plaintext" && name !== "frameset")),
      attributes,
      tie("page"),
    )
    .map(([name, list, inner]) => `<${name}${list}>${inner}</${name}>`),
  page: fc
    .array(fc.oneof({ depthSize: "small" }, odd, fc.constantFrom("text", " ", "<br>"), tie("element")), {
      maxLength: 4,
    })
    .map((parts) => parts.join("")),
}));

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
    const pages = readdirSync(folder ?? "", { recursive: true, encoding: "utf8" }).filter((path) =>
      /\.html?$/.test(path),
    );
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
