import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fragment, cloneElement, h } from "preact";
import type { VNode } from "preact";
import { jsxTemplate } from "preact/jsx-runtime";
import { asset } from "../template/asset.ts";
import { inspectTree } from "../checks/inspect-tree.ts";
import { renderPage } from "./render.ts";
import { vouchForHtml } from "../template/safe-html.ts";
import { Content, JsonIsland } from "../template.ts";

const context = {
  inlineCode: { script: new Set(["go(1 < 2)"]), style: new Set(["a > b {}"]) },
  template: "templates/pages.tsx",
  url: "https://www.site.example/here/",
  integrityOf: (path: string) => (path === "/assets/a.js" ? "sha256-abc" : undefined),
  assetAddress: (name: string) => `/assets/${name}`,
};

const render = (make: () => unknown): string => renderPage(() => make() as VNode, {}, context);
const body = { body: vouchForHtml("<p>Hello <b>you</b></p>", "content") };

test("what is honest is rendered, escaped where it is text", () => {
  const html = render(() =>
    h("p", { title: 'a"b', class: "x" }, "1 < 2 & 3 ", h("a", { href: "mailto:a@b.example" }, "write")),
  );
  assert.equal(
    html,
    '<!doctype html><p title="a&quot;b" class="x">1 &lt; 2 &amp; 3 <a href="mailto:a@b.example">write</a></p>\n',
  );
});

test("a literal of the sources keeps its letters inside script and style", () => {
  assert.match(
    render(() => h("script", null, "go(1 < 2)")),
    /<script>go\(1 < 2\)<\/script>/,
  );
  assert.match(
    render(() => h("style", null, "a > b {}")),
    /<style>a > b \{\}<\/style>/,
  );
});

test("sanitised content stands in the page as markup", () => {
  assert.match(
    render(() => h(Content, { of: body, class: "prose" })),
    /<div class="prose"><p>Hello <b>you<\/b><\/p><\/div>/,
  );
});

test("data stands in the page as JSON that can't end its element", () => {
  const data = { text: "</script><script>alert(1)</script><!--\u2028" };
  const html = render(() => h(JsonIsland, { id: "d", data }));
  const json = /<script type="application\/json" id="d">(.*)<\/script>/.exec(html)?.[1] ?? "";
  assert.ok(!json.includes("<"));
  assert.deepEqual(JSON.parse(json), data);
});

test("scripts and stylesheets of ours get their integrity, even against what the template says", () => {
  assert.match(
    render(() => h("script", { src: asset("a.js"), integrity: "sha256-other" })),
    /integrity="sha256-abc"/,
  );
});

test("asset() outside of a component says so", () => {
  assert.throws(() => asset("a.js"), { code: "SITE_TEMPLATE_FAILED" });
});

const raw = { __html: "<img src=x onerror=alert(1)>" };
const lookalike = { type: "script", props: { children: "alert(1)" }, constructor: undefined };
const hoisted = h("script", null, "alert(2)");

for (const [what, make] of [
  ["a script that the sources don't have", () => h("script", null, "alert(1)")],
  ["a script in pieces", () => h("script", null, "alert", "(1)")],
  ["a script under a computed name", () => h("SCRIPT".toLowerCase(), null, "alert(1)")],
  ["a script in capitals", () => h("SCRIPT", null, "alert(1)")],
  ["a script made before the page", () => hoisted],
  ["a script cloned with another text", () => cloneElement(h("script", null, "go(1 < 2)"), {}, "alert(1)")],
  ["a script with a text and an empty src", () => h("script", { src: true } as object, "go(1 < 2)")],
  ["a script with a text and a src in capitals", () => h("script", { SRC: "/a.js" } as object, "go(1 < 2)")],
  ["a script with an empty src", () => h("script", { src: "" })],
  ["a script with an element inside", () => h("script", null, h("b", null, "x"))],
  ["a style that the sources don't have", () => h("style", null, "a{}")],
  ["a style in the place of a script", () => h("script", null, "a > b {}")],
  ["an import map", () => h("script", { type: "importmap" }, "go(1 < 2)")],
  ["speculation rules", () => h("script", { type: "speculationrules" }, "{}")],
  ["JSON that was not escaped here", () => h("script", { type: "application/json" }, '{"a":1}')],
  ["raw HTML", () => h("div", { dangerouslySetInnerHTML: raw })],
  ["raw HTML that looks like ours", () => h("div", { dangerouslySetInnerHTML: { ...body.body } })],
  ["content inside a script", () => h("script", { dangerouslySetInnerHTML: body.body })],
  ["content inside a textarea", () => h("textarea", { dangerouslySetInnerHTML: body.body })],
  ["content inside a title", () => h("title", { dangerouslySetInnerHTML: body.body })],
  ["raw HTML in a fragment", () => jsxTemplate(["<img src=x onerror=alert(1)>"])],
  ["raw HTML in a hand-made fragment", () => h(Fragment, { tpl: ["<script>alert(1)</script>"] } as object)],
  ["an event handler by spreading", () => h("a", { ...{ onclick: "alert(1)" } })],
  ["an event handler in capitals", () => h("a", { ...{ ONCLICK: "alert(1)" } })],
  ["a style attribute by spreading", () => h("a", { ...{ style: "color: red" } })],
  ["a style object by spreading", () => h("a", { ...{ style: { color: "red" } } })],
  ["a refresh by spreading", () => h("meta", { ...{ "http-equiv": "refresh" } })],
  ["a refresh in Preact's spelling", () => h("meta", { ...{ httpEquiv: "refresh" } })],
  ["a script address", () => h("a", { href: "javascript:alert(1)" })],
  ["a script address with a line break", () => h("a", { href: " java\nscript:alert(1)" })],
  ["a script address in SVG", () => h("svg", null, h("a", { xlinkHref: "javascript:alert(1)" } as object))],
  ["a script address in a form", () => h("form", { action: "javascript:alert(1)" })],
  ["a script address on a button", () => h("button", { formAction: "javascript:alert(1)" } as object)],
  ["a data address", () => h("img", { src: "data:image/svg+xml,<svg onload=alert(1)>" })],
  ["a blob address", () => h("a", { href: "blob:https://www.site.example/1" })],
  ["a set of addresses with a bad one", () => h("img", { srcset: "/a.png 1x, data:x 2x" } as object)],
  ["a frame", () => h("iframe", { src: "/" })],
  ["a base under a computed name", () => h(["ba", "se"].join(""), { href: "/" })],
  ["an object as an attribute", () => h("a", { title: { toString: () => "x" } } as object)],
] as const) {
  test(`${what} is refused while rendering`, () => {
    assert.throws(() => render(make), { code: "SITE_TEMPLATE_UNSAFE" });
  });
}

test("an object that only looks like an element, as JSON could, is no element", () => {
  assert.doesNotMatch(
    render(() => h("p", null, lookalike as never)),
    /script|alert/,
  );
});

test("an element name with an attribute in it is refused", () => {
  assert.throws(() => render(() => h("img src=x onerror=alert(1)", null)));
});

test("after a page that failed, Preact is as it was", () => {
  assert.throws(() => render(() => h("iframe", null)));
  assert.match(
    render(() => h("p", null, "fine")),
    /<p>fine<\/p>/,
  );
});

test("whatever the guard lets through, a browser's reading of the page finds nothing in it", () => {
  const text = fc.oneof(
    fc.constantFrom(
      "</script><script>alert(1)</script>",
      '"><img src=x onerror=alert(1)>',
      "</title><svg onload=alert(1)>",
      "</textarea><script>alert(1)</script>",
      "]]><script>alert(1)</script>",
      "--><script>alert(1)</script>",
      "javascript:alert(1)",
      "java\tscript:alert(1)",
      "data:text/html,<script>alert(1)</script>",
      "//evil.example/x",
      "go(1 < 2)",
      "\u0000",
    ),
    fc.string({ maxLength: 8 }),
  );
  const attribute = fc.tuple(
    fc.constantFrom(
      ..."href src HREF xlinkHref xlink:href onclick ONERROR onLoad on-click style srcdoc srcDoc action formAction title class id name value type rel content http-equiv httpEquiv integrity nonce poster srcset data-a aria-label is shadowrootmode attributeName target innerHTML children".split(
        " ",
      ),
      "a\u000conload",
      "x onload=alert(1) y",
    ),
    fc.oneof(text, fc.boolean(), fc.constant(null)),
  );
  const name = fc.constantFrom(
    ..."p a div img script SCRIPT style svg math title textarea template select option table tr td form button input iframe base meta link object embed noscript xmp plaintext animate set use foreignObject desc annotation-xml mtext video source svg:script".split(
      " ",
    ),
  );
  const { node } = fc.letrec<{ node: VNode }>((tie) => ({
    node: fc
      .tuple(
        name,
        fc.array(attribute, { maxLength: 3 }),
        fc.array(fc.oneof({ depthSize: "small" }, text, text, tie("node")), { maxLength: 3 }),
      )
      .map(([type, attributes, children]) =>
        h(type, Object.fromEntries(attributes) as object, ...(children as string[])),
      ),
  }));
  let rendered = 0;
  const readable = (child: VNode): string | undefined => {
    try {
      return render(() => h("html", null, h("body", null, child)));
    } catch {
      return undefined;
    }
  };
  fc.assert(
    fc.property(node, (child) => {
      const html = readable(child);
      if (html === undefined) return;
      rendered++;
      assert.deepEqual(inspectTree(html, context.url, context.inlineCode).problems, []);
    }),
    { numRuns: 3000 },
  );
  assert.ok(rendered > 100, String(rendered));
});
