import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { cpuMs } from "../../test/support/cpu-time.ts";
import { readPage, readPageWithParser } from "./index.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const many = 100_000;
const times = (text: string): string => text.repeat(many);
const numbered = (make: (index: number) => string): string =>
  Array.from({ length: many }, (_, index) => make(index)).join("");

suite("hostile pages take time in proportion to their length", () => {
  const pages: Record<string, string> = {
    "attributes on one tag": `<p onclick=a ${numbered((index) => `a${index}=1 `)}>`,
    "the same attribute": `<p ${times("onclick=1 ")}>`,
    "equals signs": `<p onclick=1 ${times("= ")}>`,
    "open elements": times("<div>") + times("<p>"),
    "open formatting elements": numbered((index) => `<font size=${index}>`),
    "misnested formatting": times("<b><i><p></b></i>"),
    "links in links": times("<a href=x>"),
    "tables in tables": times("<table><tr><td>"),
    "text in tables": `<table>${times("x<tr>")}`,
    "open SVG elements": `<svg>${times("<g>")}${times("</x>")}`,
    "SVG that HTML ends": times("<svg><p>"),
    templates: times("<template>") + times("</div>"),
    noscripts: times("<noscript><img src=a></noscript>"),
    "unclosed comments": times("<!--"),
    "near ends of a title": `<title>${times("</titl")}`,
    "scripts in scripts' comments": times("<script><!--<script></script>"),
    candidates: `<img srcset="${times("a (1x,")}"><img srcset="${times(",")}">`,
    "white space in a pragma": `<meta http-equiv=refresh content="${times(" \n")}x">`,
    "charsets in a pragma": `<meta http-equiv=content-type content="${times("charset='")}">`,
  };
  for (const [name, page] of Object.entries(pages))
    test(name, () => {
      const spentMs = cpuMs(() => {
        readPage(utf8(page), { ids: true });
        readPageWithParser(utf8(page), { ids: true });
      });
      // Each takes well under a second. The square of a hundred thousand steps would take minutes.
      assert.ok(spentMs < 20_000, `${spentMs} ms`);
    });

  test("XML as well", () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg">${times("<g>")}${times("</g>")}</svg>`;
    const spentMs = cpuMs(() => readPage(utf8(svg), { syntax: "xml" }));
    assert.ok(spentMs < 20_000, `${spentMs} ms`);
  });
});

suite("what cannot be bounded is refused", () => {
  test("formatting elements that each paragraph opens again", () => {
    const fonts = Array.from({ length: 3000 }, (_, index) => `<font size=${index}>`).join("");
    assert.throws(() => readPageWithParser(utf8(`<p>${fonts}</p>${"<p>x</p>".repeat(3000)}`)), {
      code: "HTML_PAGE_TOO_COMPLEX",
    });
  });
});

suite("no input makes a reader crash", () => {
  const piece = fc.constantFrom(
    "<",
    ">",
    "/",
    "!",
    "--",
    "=",
    '"',
    "'",
    "script",
    "svg",
    "a",
    " ",
    "\0",
    "&",
    "[CDATA[",
    "]]",
    "?xml ",
    "xmlns",
  );
  const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));

  test("as HTML", () => {
    fc.assert(
      fc.property(text, (page) => {
        readPage(utf8(page));
        readPageWithParser(utf8(page));
      }),
      { numRuns: 1000 },
    );
  });

  test("as XML, which may only be malformed", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.uint8Array({ maxLength: 60 }).map((bytes) => new TextDecoder("latin1").decode(bytes)),
        ),
        (page) => {
          try {
            readPage(utf8(page), { syntax: "xml" });
          } catch (error) {
            assert.equal((error as { code?: unknown }).code, "HTML_XML_MALFORMED");
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("as bytes in any encoding", () => {
    const charset = fc.constantFrom(
      "utf-8",
      "utf-16le",
      "utf-16be",
      "shift_jis",
      "iso-2022-jp",
      "gb18030",
      "big5",
      "x-user-defined",
      "no-such",
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), charset, (bytes, label) => {
        const page = readPage(bytes, { charset: label });
        assert.ok(page.headStart <= page.bytes.length);
      }),
    );
  });

  test("cut off anywhere", () => {
    const page =
      utf8(`<!doctype html><head><meta charset=utf-8><title>é</title><script src="a">1</script></head>
      <body onload='x'><!-- c --><svg><style>a{}</style><path d="1"/></svg><a href="&amp;">é</a></body>`);
    for (let length = 0; length <= page.length; length++) {
      const cut = page.subarray(0, length);
      const { handlers, scripts } = readPageWithParser(cut);
      const found = readPage(cut);
      assert.deepEqual([found.handlers, found.scripts], [handlers, scripts]);
    }
  });
});
