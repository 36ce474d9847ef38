import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { readPage, splice } from "../index.ts";
import type { PageFacts, Span } from "../index.ts";

const read = (text: string): PageFacts =>
  readPage(new TextEncoder().encode(text), { syntax: "xml", ids: true });
const cut = (page: PageFacts, { from, to }: Span): string =>
  new TextDecoder().decode(page.bytes.subarray(from, to));
const svg = (inner: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">${inner}</svg>`;
const xhtml = (inner: string): string => `<html xmlns="http://www.w3.org/1999/xhtml">${inner}</html>`;

suite("SVG and XHTML", () => {
  test("a script's text is what a browser runs, and its place that in the file", () => {
    const page = read(svg("<title>é</title><script>a &lt; <![CDATA[b && c]]></script>"));
    const [script] = page.scripts;
    assert.equal(script?.text, "a < b && c");
    assert.equal(cut(page, script.content), "a &lt; <![CDATA[b && c]]>");
    assert.equal(cut(page, script.element), "<script>a &lt; <![CDATA[b && c]]></script>");
  });

  test("a prefix does not hide an element", () => {
    const page = read(
      `<x xmlns:s="http://www.w3.org/2000/svg" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:l="http://www.w3.org/1999/xlink">
       <s:script>1</s:script><h:script src="a.js"/><s:use l:href="b.svg#c"/><h:img onerror="d" src="e"/><script>no</script></x>`,
    );
    assert.deepEqual(
      page.scripts.map(({ text, src }) => src ?? text),
      ["1", "a.js"],
    );
    assert.deepEqual(
      page.resources.map(({ kind, address }) => `${kind} ${address}`),
      ["script a.js", "svg-use b.svg#c", "image e"],
    );
    assert.deepEqual(
      page.handlers.map(({ value }) => value),
      ["d"],
    );
  });

  test("capitals are other names", () => {
    const page = read(xhtml(`<body><SCRIPT>1</SCRIPT><p onClick="a" onclick="b"/></body>`));
    assert.deepEqual([page.scripts.length, page.handlers.map(({ value }) => value)], [0, ["b"]]);
  });

  test("what a noscript holds is there", () => {
    const page = read(xhtml(`<head><noscript><base href="/a"/></noscript></head>`));
    assert.equal(page.base, "/a");
  });

  test("a javascript: address and an animation of one are found", () => {
    const page = read(svg(`<a xlink:href="java&#9;script:a"/><set attributeName="href" to="javascript:b"/>`));
    assert.equal(page.scriptUrls.length, 2);
  });

  test("an attribute can be cut", () => {
    const page = read(svg(`<g onclick="a" id="b"/>`));
    const [handler] = page.handlers;
    assert.ok(handler);
    const bytes = splice(page.bytes, [{ span: handler.span, replacement: "" }]);
    assert.equal(new TextDecoder().decode(bytes), svg(`<g id="b"/>`));
  });

  test("a style sheet's instruction is a resource, and an XSLT program a script", () => {
    const page = read(
      `<?xml version="1.0"?><?xml-stylesheet href="a.css"?><?xml-stylesheet type="text/xsl" href='b?x&amp;y'?>${xhtml("")}`,
    );
    assert.deepEqual(
      page.resources.map(({ kind, address, attribute }) => [kind, address, cut(page, attribute.span)]),
      [
        ["style", "a.css", ` href="a.css"`],
        ["script", "b?x&y", ` href='b?x&amp;y'`],
      ],
    );
  });

  test("the head is where it is written, and nowhere else", () => {
    const page = read(xhtml("<head><title>x</title></head>"));
    assert.equal(cut(page, { from: page.headStart, to: page.headEnd }), "<title>x</title>");
    for (const text of [xhtml("<head/>"), xhtml("<body/>"), svg("")])
      assert.deepEqual([read(text).headStart, read(text).headEnd], [0, 0]);
  });

  test("XHTML's document types bring HTML's names of characters", () => {
    const doctype = `<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">`;
    assert.equal(read(`${doctype}${xhtml("<script>&eacute;&amp;</script>")}`).scripts[0]?.text, "é&");
    assert.throws(() => read(xhtml("<p>&eacute;</p>")), { code: "HTML_XML_MALFORMED" });
  });

  test("simple entities are resolved", () => {
    const page = read(
      `<!DOCTYPE svg [<!ENTITY ns "http://www.w3.org/2000/svg"><!ENTITY x 'javascript:a'>]><svg xmlns="&ns;"><a href="&x;"/></svg>`,
    );
    assert.equal(page.scriptUrls[0]?.value, "javascript:a");
  });

  test("its encoding is what it declares", () => {
    const bytes = Uint8Array.from(
      `<?xml version="1.0" encoding="iso-8859-1"?>${svg("<script>\xe9</script>")}`,
      (c) => c.charCodeAt(0),
    );
    const page = readPage(bytes, { syntax: "xml" });
    assert.deepEqual([page.encoding, page.scripts[0]?.text], ["windows-1252", "é"]);
    assert.throws(
      () =>
        readPage(
          Uint8Array.from(svg("\xe9"), (c) => c.charCodeAt(0)),
          { syntax: "xml" },
        ),
      {
        code: "HTML_XML_MALFORMED",
      },
    );
  });

  for (const [name, text] of [
    ["is not well-formed", svg("<g>")],
    ["is empty", ""],
    ["has a prefix that nothing declares", svg("<x:g/>")],
    ["has two attributes of one name", svg(`<g a="1" a="2"/>`)],
    ["gives attributes a default value", `<!DOCTYPE svg [<!ATTLIST svg onload CDATA "a">]>${svg("")}`],
    ["has an entity that holds markup", `<!DOCTYPE svg [<!ENTITY x "<script>1</script>">]>${svg("&x;")}`],
    ["has an entity from elsewhere", `<!DOCTYPE svg [<!ENTITY x SYSTEM "x.xml">]>${svg("&x;")}`],
    ["has an entity made of others", `<!DOCTYPE svg [<!ENTITY x "a"><!ENTITY y "&x;&x;">]>${svg("&y;")}`],
  ] as const)
    test(`a file that ${name} is refused`, () => {
      assert.throws(() => read(text), { code: "HTML_XML_MALFORMED" });
    });
});
