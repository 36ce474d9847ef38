import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { readPage, readPageWithParser } from "./index.ts";
import type { PageFacts, ReadPageOptions, ResourceFact, Span } from "./index.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (text: string, options?: ReadPageOptions): PageFacts => readPageWithParser(utf8(text), options);
const cut = (page: PageFacts, { from, to }: Span): string =>
  new TextDecoder().decode(page.bytes.subarray(from, to));
const addresses = (resources: readonly ResourceFact[]): string[] =>
  resources.map(({ kind, address }) => `${kind} ${address}`);

suite("what runs", () => {
  test("an inline script has its text as a browser hashes it, and its place", () => {
    const page = read("é<script>\r\n1 < 2 // é\r\n</script>");
    const [script] = page.scripts;
    assert.equal(script?.text, "\n1 < 2 // é\n");
    assert.equal(cut(page, script.element), "<script>\r\n1 < 2 // é\r\n</script>");
    assert.equal(cut(page, script.content), "\r\n1 < 2 // é\r\n");
    assert.equal(script.src, undefined);
  });

  test("an empty src counts as an address", () => {
    assert.equal(read("<script src>1</script>").scripts[0]?.src, "");
  });

  test("a script's type decides what a browser does with it", () => {
    const types = read(
      `<script></script><script type=""></script><script type=" "></script><script type=module></script>
       <script type=importmap></script><script type=application/ld+json></script><script type=" TEXT/JavaScript "></script>
       <script language=vbscript></script><script language=JavaScript1.2></script><script type=speculationrules></script>`,
    ).scripts.map(({ type }) => type);
    assert.deepEqual(types, [
      "classic",
      "classic",
      "data",
      "module",
      "importmap",
      "data",
      "classic",
      "data",
      "classic",
      "speculationrules",
    ]);
  });

  test("a script in SVG has its references and CDATA resolved", () => {
    const page = read("<svg><script>a&lt;b<![CDATA[<&amp;]]></script><script xlink:href=x.js /></svg>");
    assert.deepEqual(
      page.scripts.map(({ text, src }) => [text, src]),
      [
        ["a<b<&amp;", undefined],
        ["", "x.js"],
      ],
    );
    assert.deepEqual(addresses(page.resources), ["script x.js"]);
  });

  test("a script whose comment opens another one ends where the browser ends it", () => {
    const page = read("<script><!-- <script> </script> --></script><p onclick=a>");
    assert.deepEqual(
      page.scripts.map(({ text }) => text),
      ["<!-- <script> </script> -->"],
    );
    assert.equal(page.handlers.length, 1);
  });

  test("what a title, a textarea, a comment or an iframe holds does not run", () => {
    const inert = `<script>1</script><img onerror=1>`;
    const page = read(
      `<title>${inert}</title><textarea>${inert}</textarea><!--${inert}--><iframe>${inert}</iframe><xmp>${inert}</xmp><plaintext>${inert}`,
    );
    assert.deepEqual([page.scripts, page.handlers], [[], []]);
  });

  test("a handler is found in SVG, in a select, on a tag that a browser ignores", () => {
    const page = read(
      `<svg onload=a><path onclick=b /></svg><select><img onerror=c></select><body onload=d><td onclick=e><div oNcLiCk=f>`,
    );
    assert.deepEqual(
      page.handlers.map(({ value }) => value),
      ["a", "b", "c", "d", "e", "f"],
    );
  });

  test("a formatting element that the browser opens again counts once", () => {
    assert.equal(read("<p><b onclick=a>1<p>2<p>3").handlers.length, 1);
  });

  test("the first of several attributes counts, and the others are to be cut with it", () => {
    const page = read("<p onclick=a/ OnClick='b' onclick=c>");
    const [handler] = page.handlers;
    assert.equal(handler?.value, "a/");
    assert.deepEqual(
      [handler.span, ...(handler.duplicates ?? [])].map((span) => cut(page, span)),
      [" onclick=a/", " OnClick='b'", " onclick=c"],
    );
  });

  test("javascript: is recognised through white space, controls and references", () => {
    const page = read(
      `<a href="&#1; java&Tab;script&colon;a">x</a><form action=JAVASCRIPT:b><button formaction="javascript:c">
       <iframe src="java\nscript:d"></iframe><object data=javascript:e></object><math href=javascript:f></math>
       <svg><a xlink:href=javascript:g></a><animate attributeName=href values="x;javascript:h" /><set attributeName=xlink:href to=javascript:i /></svg>
       <a href="/javascript:no">x</a><a title=javascript:no href="https://javascript:1/">x</a>`,
    );
    assert.deepEqual(
      page.scriptUrls.map(({ value }) => value.at(-1)),
      ["a", "b", "c", "d", "e", "f", "g", "h", "i"],
    );
    assert.deepEqual(addresses(page.resources), [
      "image x",
      "link /javascript:no",
      "link https://javascript:1/",
    ]);
  });

  test("pages in each other's srcdoc are refused by their size together, before each level is read in full", () => {
    const inner = `<p title='${"x".repeat(3 * 2 ** 20)}'>`;
    const page = (levels: number): string =>
      Array.from({ length: levels }).reduce<string>(
        (held) => `<iframe srcdoc="${held.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"></iframe>`,
        inner,
      );
    assert.equal(readPage(utf8(page(5))).nested.length, 1);
    assert.throws(() => readPage(utf8(page(6))), {
      code: "HTML_PAGE_TOO_COMPLEX",
      message: /more than 16 MB together/,
    });
  });

  test("the page in a srcdoc is read as well", () => {
    const page = read(`<iframe srcdoc="<p style='x'>é</p><script>1 &amp;lt; 2</script>"></iframe>`);
    const [nested] = page.nested;
    assert.equal(nested?.page.scripts[0]?.text, "1 &lt; 2");
    assert.equal(nested.page.styleAttributes.length, 1);
    assert.equal(nested.attribute.name, "srcdoc");
  });

  test("frames inside frames are bounded", () => {
    let page = "<p>";
    for (let depth = 0; depth < 9; depth++)
      page = `<iframe srcdoc="${page.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}"></iframe>`;
    assert.throws(() => read(page), { code: "HTML_PAGE_TOO_COMPLEX" });
  });

  test("a noscript's and a template's elements are found, but neither base nor pragma of theirs is obeyed", () => {
    const page = read(
      `<head><noscript><base href=/a><meta http-equiv=refresh content="0;url=/b"><img src=c></noscript>
       <template><base href=/d><script>e</script><p id=f></template></head>`,
      { ids: true },
    );
    assert.equal(page.base, undefined);
    assert.deepEqual(
      page.pragmas.map(({ name, inert }) => [name, inert]),
      [["refresh", true]],
    );
    assert.deepEqual(addresses(page.resources), ["image c"]);
    assert.equal(page.scripts[0]?.text, "e");
    assert.deepEqual(page.ids, []);
  });
});

suite("what is loaded", () => {
  test("every element's addresses have their kind", () => {
    const page =
      read(`<link rel="stylesheet preload" as=style href=a><link rel=preload as=image imagesrcset="b 1x, c 2x">
      <link rel=modulepreload href=d><link rel="shortcut icon" href=e><link rel=canonical href=f><link rel=preconnect href=g>
      <link rel=manifest href=h><link rel=prefetch href=i><link rel=preload as=font href=j>
      <body background=k><img src=" l " srcset="m,n 2x,data:,o 3x"><image src=p><video src=q poster=r><source src=s><track src=t></video>
      <picture><source srcset=u></picture><embed src=v><object data=w></object><input type=IMAGE src=x><input src=no>
      <a href=y ping="z aa">y</a><svg><image href=bb /><use xlink:href=cc /><feImage href=dd /><rect fill="url(ee#x)" /></svg>
      <form action=ff><button formaction=gg></form><iframe src=hh></iframe><script src=ii></script><script type=x src=no></script>`);
    assert.deepEqual(addresses(page.resources), [
      "style a",
      "image b",
      "image c",
      "script d",
      "link e",
      "image e",
      "link f",
      "connect-hint g",
      "manifest h",
      "prefetch i",
      "font j",
      "image k",
      "image l",
      "image m,n",
      "image data:,o",
      "image p",
      "media q",
      "image r",
      "media s",
      "track t",
      "image u",
      "object v",
      "object w",
      "image x",
      "link y",
      "ping z",
      "ping aa",
      "image bb",
      "svg-use cc",
      "image dd",
      "svg-use ee#x",
      "form ff",
      "form gg",
      "frame hh",
      "script ii",
    ]);
    assert.equal(page.submitsToItself, false);
  });

  test("links are left out when they are not wanted", () => {
    const page = read("<a href=a>a</a><a href=javascript:b>b</a><img src=c>", { links: false });
    assert.deepEqual(addresses(page.resources), ["image c"]);
    assert.equal(page.scriptUrls.length, 1);
  });

  test("a form without an address sends to the page itself", () => {
    assert.equal(read("<form>").submitsToItself, true);
    assert.equal(read("<form action=' '>").submitsToItself, true);
  });

  test("integrity and crossorigin belong to the address", () => {
    const [script] = read("<script src=a integrity=sha384-b crossorigin></script>").resources;
    assert.deepEqual([script?.integrity, script?.crossOrigin], ["sha384-b", ""]);
  });

  test("the first base with an address counts", () => {
    assert.equal(read("<base target=x><base href=/a/><base href=/b/>").base, "/a/");
  });
});

suite("where the head is", () => {
  const heads: [string, string][] = [
    ["<!doctype html><html><head><title>x</title></head>", "<!doctype html><html><head>"],
    ["<!doctype html><title>x</title>", "<!doctype html>"],
    ["<!--c--><html lang=en><!--d--><head a=1>", "<!--c--><html lang=en><!--d--><head a=1>"],
    ["text<head>", ""],
    ["<p><!doctype html><html><head>", ""],
    ["<html><meta><head>", "<html>"],
    ["\uFEFF<p>", "\uFEFF"],
  ];
  for (const [text, before] of heads)
    test(`markup can go behind ${JSON.stringify(before)} in ${JSON.stringify(text)}`, () => {
      const page = read(text);
      assert.equal(cut(page, { from: 0, to: page.headStart }), before.replace("\uFEFF", ""));
    });

  test("its end is where </head> closes it, and its start where nothing does", () => {
    const page = read("<head><title></head></title></head>");
    assert.equal(cut(page, { from: page.headEnd, to: page.bytes.length }), "</head>");
    const late = read("<head><p></p></head>");
    assert.equal(late.headEnd, late.headStart);
  });
});

suite("encodings", () => {
  const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const cases: [string, Uint8Array, ReadPageOptions, string, string][] = [
    ["UTF-8 that nobody declares is UTF-8", utf8("<script>é</script>"), {}, "utf-8", "é"],
    ["what is not UTF-8 is windows-1252", latin1("<script>\x80</script>"), {}, "windows-1252", "€"],
    ["a meta declares", latin1("<meta charset=koi8-r><script>\xe1</script>"), {}, "koi8-r", "А"],
    [
      "the header wins over the meta",
      latin1("<meta charset=utf-8><script>\xe1</script>"),
      { charset: "koi8-r" },
      "koi8-r",
      "А",
    ],
    [
      "a byte order mark wins over the header",
      utf8("\uFEFF<script>é</script>"),
      { charset: "koi8-r" },
      "utf-8",
      "é",
    ],
    [
      "a late meta counts",
      latin1(`${" ".repeat(1100)}<meta charset=koi8-r><script>\xe1</script>`),
      {},
      "koi8-r",
      "А",
    ],
    ["a meta cannot say UTF-16", utf8("<meta charset=utf-16><script>é</script>"), {}, "utf-8", "é"],
    [
      "UTF-16 has a mark",
      latin1("\xff\xfe<\0s\0c\0r\0i\0p\0t\0>\0\xe9\0<\0/\0s\0c\0r\0i\0p\0t\0>\0"),
      {},
      "utf-16le",
      "é",
    ],
    [
      "broken UTF-8 is repaired as a browser does",
      latin1("<meta charset=utf-8><script>\xe1</script>"),
      {},
      "utf-8",
      "\uFFFD",
    ],
    [
      "the pragma declares",
      latin1(`<meta http-equiv=content-type content="text/html; charset='koi8-r'"><script>\xe1</script>`),
      {},
      "koi8-r",
      "А",
    ],
    [
      "a meta in a comment does not",
      utf8("<!-- <meta charset=koi8-r> --><script>é</script>"),
      {},
      "utf-8",
      "é",
    ],
  ];
  for (const [name, bytes, options, encoding, text] of cases)
    test(name, () => {
      const page = readPageWithParser(bytes, options);
      assert.equal(page.encoding, encoding);
      assert.equal(page.scripts[0]?.text, text);
      assert.equal(cut(page, page.scripts[0].content), text);
    });

  test("a page in an encoding that browsers refuse is refused", () => {
    assert.throws(() => read("<meta charset=iso-2022-kr>"), { code: "HTML_ENCODING_UNSUPPORTED" });
  });
});
