import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  cutAttribute,
  escapeAttribute,
  escapeText,
  readPageWithParser,
  replaceAttribute,
  splice,
} from "./index.ts";
import type { Edit } from "./index.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const edit = (from: number, to: number, replacement: string): Edit => ({ span: { from, to }, replacement });

suite("splicing", () => {
  test("edits replace, remove and insert, in whatever order they come", () => {
    const edits = [edit(4, 6, ""), edit(2, 2, "é"), edit(2, 2, "2"), edit(0, 1, "A")];
    assert.equal(text(splice(utf8("abcdef"), edits)), "Abé2cd");
  });

  test("no edit gives the page itself", () => {
    const page = utf8("abc");
    assert.equal(splice(page, []), page);
  });

  for (const [name, edits] of [
    ["overlaps", [edit(0, 3, ""), edit(2, 4, "")]],
    ["ends after the page", [edit(0, 7, "")]],
    ["ends before it starts", [edit(3, 2, "")]],
    ["starts before the page", [edit(-1, 2, "")]],
  ] as const)
    test(`an edit that ${name} is refused`, () => {
      assert.throws(() => splice(utf8("abcdef"), edits), { code: "HTML_EDIT_INVALID" });
    });

  test("gives what cutting a string gives", () => {
    const cuts = fc.uniqueArray(fc.nat(40), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(
        cuts,
        fc.array(fc.string({ maxLength: 5 }), { minLength: 6, maxLength: 6 }),
        (places, words) => {
          const page = "0123456789".repeat(4);
          const sorted = places.toSorted((left, right) => left - right);
          const edits: Edit[] = [];
          let expected = "";
          let at = 0;
          for (let index = 0; index + 1 < sorted.length; index += 2) {
            const [from = 0, to = 0] = sorted.slice(index, index + 2);
            const word = words[index / 2] ?? "";
            edits.push(edit(from, to, word));
            expected += page.slice(at, from) + word;
            at = to;
          }
          assert.equal(text(splice(utf8(page), edits.toReversed())), text(utf8(expected + page.slice(at))));
        },
      ),
    );
  });
});

suite("changing attributes", () => {
  const cutAll = (page: string): string => {
    const { bytes, handlers } = readPageWithParser(utf8(page));
    return text(splice(bytes, handlers.flatMap(cutAttribute)));
  };
  const cases: [string, string][] = [
    ["<p onclick=a>", "<p>"],
    ["<p onclick=a onclick=b id=c>", "<p id=c>"],
    ['<p onclick="a"id=c>', "<p id=c>"],
    ['<p id="c"onclick="a"lang=d>', '<p id="c"lang=d>'],
    ["<svg><g/onclick=a><path/></g>", "<svg><g><path/></g>"],
    ["<svg><g onclick=a /><path/>", "<svg><g /><path/>"],
    ["<p title=/ onclick=a>", "<p title=/>"],
    // The attribute `=b` would become the value of the one before.
    ["<a href onclick=a =javascript:b>", "<a href>"],
  ];
  for (const [page, expected] of cases)
    test(`${page} without its handler is ${expected}`, () => {
      assert.equal(cutAll(page), expected);
      assert.deepEqual(readPageWithParser(utf8(expected)).handlers, []);
    });

  test("an attribute that is replaced has the new value, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (value) => {
        // No page can hold U+0000 in a value: it would be read as U+FFFD.
        fc.pre(!value.includes("\0"));
        const before = readPageWithParser(utf8(`<iframe srcdoc='a'width=1>`));
        const [nested] = before.nested;
        assert.ok(nested);
        const after = readPageWithParser(splice(before.bytes, [replaceAttribute(nested.attribute, value)]));
        assert.equal(after.nested[0]?.attribute.value, value);
      }),
    );
  });

  test("text is escaped for both syntaxes", () => {
    assert.equal(escapeText(`a<b>&"c"\r`), `a&lt;b&gt;&amp;"c"&#13;`);
    assert.equal(escapeAttribute(`a<b>&"c"\n`), `a&lt;b&gt;&amp;&quot;c&quot;&#10;`);
  });
});
