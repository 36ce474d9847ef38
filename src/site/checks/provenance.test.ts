import assert from "node:assert/strict";
import { test } from "node:test";
import { collectInlineCode, createInlineCode } from "./provenance.ts";
import type { InlineCode } from "./provenance.ts";

function scan(source: string, file = "templates/page.tsx"): InlineCode {
  const code = createInlineCode();
  collectInlineCode(file, source, code);
  return code;
}

test("literals inside script and style are collected, as the browser will read them", () => {
  const { script, style } = scan(
    'const a = <script>{`go(1 < 2 && "x")`}</script>;\nconst b = <script>{"stop()"}</script>;\nconst c = <style>{`a { color: red }`}</style>;\nconst d = <script>\n  plain()\n</script>;',
  );
  assert.deepEqual([...script].sort(), ['go(1 < 2 && "x")', "plain()", "stop()"]);
  assert.deepEqual([...style], ["a { color: red }"]);
});

test("a script with an address has no text to collect", () => {
  assert.equal(
    scan('const a = <script src={asset("a.js")} defer />; const b = <script src="x">{/* none */}</script>;')
      .script.size,
    0,
  );
});

test("components, comparisons and generics are left alone", () => {
  scan(
    'const a = <Page onChange={f} style={s}><Shop.Door srcdoc="" /></Page>;\nconst b = <T,>(x: T) => x;\nconst c = <a href={url}>x</a>;',
  );
});

for (const [what, line] of [
  ["a template with a value in a script", "<script>{`var name = '${name}'`}</script>"],
  ["a variable in a script", "<script>{code}</script>"],
  ["a call in a script", "<script>{JSON.stringify(data)}</script>"],
  [
    "data in a script that is typed as JSON",
    '<script type="application/json">{JSON.stringify(data)}</script>',
  ],
  ["text and a value in a script", "<script>go({name})</script>"],
  ["a joined text in a script", '<script>{"a" + b}</script>'],
  ["a variable in a style", "<style>{css}</style>"],
  ["a value in a style", "<style>{`a { color: ${color} }`}</style>"],
  ["a style inside SVG", "<svg><style>{css}</style></svg>"],
  ["an event handler", "<a onClick={go}>x</a>"],
  ["an event handler in lower case", '<a onclick="go()">x</a>'],
  ["an event handler in odd case", '<a oNcLiCk="go()">x</a>'],
  ["a style attribute", '<a style="color: red">x</a>'],
  ["a style object", "<a style={{ color }}>x</a>"],
  ["a page in an attribute", "<div srcdoc={html} />"],
  ["raw HTML", "<div dangerouslySetInnerHTML={{ __html: html }} />"],
  ["raw HTML as a property", "<div innerHTML={html} />"],
  ["a base", '<base href="/" />'],
  ["a refresh", '<meta http-equiv="refresh" content="0" />'],
  ["a refresh in Preact's spelling", '<meta httpEquiv="refresh" content="0" />'],
  ["a frame", '<iframe src="/" />'],
  ["an object", '<object data="/" />'],
  ["an embed", '<embed src="/" />'],
  ["a noscript", "<noscript>x</noscript>"],
  ["an element with a namespace", "<svg:script>x</svg:script>"],
  ["an animated address", '<svg><a><animate attributeName="href" values="x" /></a></svg>'],
  ["a nonce", '<script nonce="x" src="/a.js" />'],
  ["a report of clicks", '<a ping="https://evil.example">x</a>'],
  ["a script that ends itself", "<script>{`'</script>'`}</script>"],
  ["a script that hides what follows", "<script>{`'<!--'`}</script>"],
] as const) {
  test(`${what} fails the build with file and line`, () => {
    assert.throws(
      () => scan(`// a line\nexport const a = (\n  ${line}\n);`),
      (error: { code: string; message: string }) => {
        assert.equal(error.code, "SITE_TEMPLATE_UNSAFE");
        assert.match(error.message, /^templates\/page\.tsx:3: /);
        return true;
      },
    );
  });
}

test("a syntax error has file and line", () => {
  assert.throws(() => scan("const a = 1;\nconst b = <p>;"), /^CurtainwallError: templates\/page\.tsx:\d: /);
});
