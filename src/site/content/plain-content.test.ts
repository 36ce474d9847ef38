import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { contentAttacks } from "./fixtures/content-attacks.ts";
import { parseMarkdown, renderMarkdown } from "./markdown.ts";
import { writePlainContent } from "./plain-content.ts";
import { sanitizeContent } from "./sanitize.ts";
import { writeCode } from "./write-code.ts";

/** Compares the two ways; says whether the fast one was sure. */
function compare(markdown: string): boolean {
  const plain = writePlainContent(parseMarkdown(markdown), writeCode);
  if (plain === undefined) return false;
  const { html, headings, removals } = sanitizeContent(renderMarkdown(markdown));
  assert.equal(plain.html, html);
  assert.deepEqual(plain.headings, headings);
  assert.deepEqual(removals, []);
  return true;
}

test("what Markdown makes without raw HTML is to the letter what the sanitiser makes of it", () => {
  const honest = [
    "# A *b* `c` \\& d\n\nA\n---\n\n## A\n",
    "1. a\n2. b\n\n   c\n\n007) d\n",
    "- a\n- b\n  - c\n\n> q\n> > r\n",
    "- [x] done\n- [ ] *not* yet\n\n- [x] loose\n\n- [ ] too\n",
    "| a | b | c |\n|:-|:-:|--|\n| 1 | ~~2~~ | `|` |\n\n| only |\n|---|\n",
    "```js\nconst a = `<b>` && 'c';\n```\n\n```nothing-known\n<x>\n```\n\n    indented <y>\n\n```\nplain\n```\n",
    '[a](/b \'c"d\') ![e *f* `g`](/h.png "i") <https://a.example/?b=c&d> www.d.example/x. a@b.example\n',
    "a\\\nb  \nc\nd & e < f > g \" h ' i ` j\n\n***\n",
    "# Rye\n\n[down](#rye) [up](#h-rye) [away](/x/#rye) [none](#none)\n",
    "[tel](tel:123) [mail](mailto:a@b.example) [rel](b:c/d) [rel](/b:c) [q](?b:c)\n",
  ];
  for (const markdown of honest.slice(0, -1)) assert.ok(compare(markdown), markdown);
  assert.ok(!compare(honest.at(-1) ?? ""), "an address with another scheme is the sanitiser's");
});

test("raw HTML, and all else that could need a judgement, is left to the sanitiser", () => {
  for (const markdown of [
    "<b>a</b>",
    "a <i>b</i>",
    "<!-- a -->",
    "![<b>](/c.png)",
    "[a](ftp://b.example)",
    "[a](HTTPS://b.example)",
    "![a](http://b.example/c.png)",
    "![a](data:image/png;base64,AA)",
    "a &#13; b",
    "- [x]\n  a",
    "```a&lt;b\n```",
  ])
    assert.equal(writePlainContent(parseMarkdown(markdown), writeCode), undefined, markdown);
});

test("attacks come out of the fast way as they come out of the sanitiser, if they go in", () => {
  for (const attack of contentAttacks) compare(attack);
});

test("texts that nobody here wrote come out the same either way", () => {
  const modules = join(import.meta.dirname, "../../../node_modules");
  let sure = 0;
  for (const name of readdirSync(modules).slice(0, 100)) {
    try {
      if (compare(readFileSync(join(modules, name, "README.md"), "utf8").slice(0, 8000))) sure++;
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOENT" && (error as { code?: string }).code !== "ENOTDIR")
        throw error;
    }
  }
  assert.ok(sure > 5, `${sure} of them were simple`);
});

test("whatever is put together from Markdown's marks comes out the same either way", () => {
  const mark = fc.constantFrom(
    ..."# |## |- |1. |3) |> |    |\t|\n|\n\n|*|**|_|~~|`|```|```js\n|~~~ a&b\n|[|](|](/a)|](#x)|)|![|<|>|&|&amp;|&#0;|&nbsp;|\"|'|\\|  \n| || a | b |\n|---|:-:|\n|---\n|===\n|[x] |[ ] |- [x] |https://a.example/|www.b.example|a@b.example|<https://c.example>|[a]: /b 'c'\n|[a]|é|\u00a0|\f|\u000b|😀|x|word |a b".split(
      "|",
    ),
    "|",
    "| a | b |\n|---|:-:|\n| 1 | 2 |\n",
    "\u2028",
    "\u0085",
  );
  fc.assert(
    fc.property(fc.array(mark, { maxLength: 24 }), (marks) => {
      compare(marks.join(""));
    }),
    { numRuns: 3000 },
  );
});
