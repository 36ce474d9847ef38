import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaultTreeAdapter, html as standard, parse, parseFragment } from "parse5";
import type { DefaultTreeAdapterTypes as Tree } from "parse5";
import { contentAttacks } from "./fixtures/content-attacks.ts";
import { renderMarkdown } from "./markdown.ts";
import { safeHtmlKind, vouchForHtml } from "../template/safe-html.ts";
import { sanitizeContent } from "./sanitize.ts";

const content = (markdown: string): string => sanitizeContent(renderMarkdown(markdown)).html;

const allowedElements = new Set(
  "h1 h2 h3 h4 h5 h6 p div blockquote pre ul ol li dl dt dd hr br figure figcaption details summary a abbr b bdi cite code del dfn em i img ins kbd mark q s samp small span strong sub sup time u var wbr table caption thead tbody tfoot tr th td input".split(
    " ",
  ),
);
const allowedAttributes = new Set(
  "href title src alt width height loading decoding align colspan rowspan scope start reversed value open lang dir datetime id class type checked disabled".split(
    " ",
  ),
);

/** What is in some markup that must not be, as an independent parser reads it. */
function trespasses(html: string, context: "body" | "page" = "body"): string[] {
  const found: string[] = [];
  const visit = (node: Tree.ParentNode): void => {
    for (const child of node.childNodes) {
      if (defaultTreeAdapter.isCommentNode(child)) found.push("comment");
      if (!defaultTreeAdapter.isElementNode(child)) continue;
      if (!(context === "page" && /^(?:html|head|body)$/.test(child.tagName))) inspect(child);
      visit("content" in child ? child.content : child);
    }
  };
  const inspect = (element: Tree.Element): void => {
    if (element.namespaceURI !== standard.NS.HTML) found.push(`foreign ${element.tagName}`);
    if (!allowedElements.has(element.tagName)) found.push(`<${element.tagName}>`);
    for (const { name, value } of element.attrs) {
      if (!allowedAttributes.has(name)) found.push(`${element.tagName} ${name}`);
      if (name === "class" && !/^(?:hljs|hljs-[\w-]+)(?: (?:hljs-[\w-]+|[\w-]+_))*$/.test(value))
        found.push(`class ${value}`);
      if (name === "id" && !value.startsWith("h-")) found.push(`id ${value}`);
      if (name === "type" && (element.tagName !== "input" || value !== "checkbox"))
        found.push(`type ${value}`);
      if (
        (name === "href" || name === "src") &&
        !/^(?:https?|mailto|tel):$/.test(URL.parse(value, "https://a.example/")?.protocol ?? "")
      )
        found.push(`${name} ${value}`);
    }
    if (element.tagName === "input" && !element.attrs.some(({ name }) => name === "disabled"))
      found.push("input that takes input");
  };
  visit(context === "page" ? parse(html) : parseFragment(html));
  return found;
}

test("Markdown with GitHub's additions becomes markup", () => {
  const html = content(
    "# Rye\n\n| a | b |\n|:-:|--:|\n| 1 | ~~2~~ |\n\n- [x] done\n- [ ] *not yet*\n\nwww.a.example https://b.example/c\n",
  );
  assert.match(html, /<h1 id="h-rye">Rye<\/h1>/);
  assert.match(html, /<th align="center">a<\/th>\s*<th align="right">b<\/th>/);
  assert.match(html, /<s>2<\/s>/);
  assert.match(html, /<input type="checkbox" checked disabled> done/);
  assert.match(html, /<input type="checkbox" disabled> <em>not yet<\/em>/);
  assert.match(html, /<a href="https:\/\/www\.a\.example">/);
  assert.match(html, /<a href="https:\/\/b\.example\/c">/);
  assert.deepEqual(trespasses(html), []);
});

test("harmless HTML in Markdown stays", () => {
  const html = content(
    'Press <kbd>Ctrl</kbd>, H<sub>2</sub>O, <abbr title="a b">ab</abbr>\n\n<details open><summary>More</summary>text</details>\n',
  );
  assert.match(html, /<kbd>Ctrl<\/kbd>/);
  assert.match(html, /<sub>2<\/sub>/);
  assert.match(html, /<abbr title="a b">/);
  assert.match(html, /<details open><summary>More<\/summary>text<\/details>/);
});

test("a file name is not taken for an address", () => {
  assert.equal(content("See README.md"), "<p>See README.md</p>\n");
});

test("code is highlighted by classes, and only in languages that are known", () => {
  assert.match(
    content("```js\nconst a = 1;\n```\n"),
    /<code class="hljs"><span class="hljs-keyword">const<\/span>/,
  );
  assert.match(content("```klingon\n<b>\n```\n"), /<code class="hljs">&#x3C;b>/);
});

test("content keeps no id, name, class or data attribute, and its headings get ids that clobber nothing", () => {
  const html = content(
    '<p id="a" name="b" class="hljs-keyword c" data-d="e">x</p>\n\n<form id="f"><input name="action"></form>\n\n# location\n',
  );
  assert.doesNotMatch(html, /name=|class=|data-|<form|<input/);
  assert.deepEqual(
    [...html.matchAll(/id="([^"]*)"/g)].map((match) => match[1]),
    ["h-location"],
  );
});

test("headings of the same text get different ids, whatever else is named like them", () => {
  const { headings } = sanitizeContent(renderMarkdown("# Rye\n# Rye\n# Rye 2\n# Rye\n"));
  assert.equal(new Set(headings.map(({ id }) => id)).size, 4);
});

test("a link to a heading of the same text finds it", () => {
  assert.match(content("# Our rye\n\n[down](#our-rye)"), /href="#h-our-rye"/);
});

test("what the sanitiser made is known by identity, not by shape", () => {
  const html = vouchForHtml("<p>a</p>", "content");
  assert.equal(safeHtmlKind(html), "content");
  assert.equal(safeHtmlKind({ ...html }), undefined);
  assert.throws(() => Object.assign(html, { __html: "<script>" }), TypeError);
});

test("no known attack leaves a script, handler, style, name or foreign markup, even when parsed again", () => {
  assert.ok(contentAttacks.length > 50);
  for (const attack of contentAttacks) {
    const html = content(`before\n\n${attack}\n\nafter`);
    assert.deepEqual(trespasses(html), [], attack);
    assert.deepEqual(
      trespasses(`<!doctype html><html><head></head><body>${html}</body></html>`, "page"),
      [],
      attack,
    );
    // A second parse is where mutated markup comes alive.
    assert.deepEqual(trespasses(sanitizeContent(html).html), [], attack);
  }
});

test("no text made of markup's pieces gets anything through", () => {
  const piece = fc.constantFrom(
    ..."< > </ /> <!-- --> <![CDATA[ ]]> \" ' ` = & &lt; &#x3c; \u0000 \n \t [x]( ) ![ ``` | - # * _ svg math style script title textarea noscript template table select option mglyph mtext annotation-xml foreignObject desc p a img form input b <svg> <math> <style> </style> <title> </title> <p> <table> <a <img onerror= onload= href= src= id= name= class= style= xlink:href= javascript: data: alert(1)".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 24 }), (pieces) => {
      const html = content(pieces.join(""));
      assert.deepEqual(trespasses(html), []);
      assert.deepEqual(
        trespasses(`<!doctype html><html><head></head><body><div>${html}</div></body></html>`, "page"),
        [],
      );
    }),
    { numRuns: 400 },
  );
});
