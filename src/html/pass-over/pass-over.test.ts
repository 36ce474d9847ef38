import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { assemble } from "./assemble.ts";
import { readPage, readPageWithParser } from "../index.ts";
import { borrowCopy, giveBackCopy } from "../scan/page-bytes.ts";
import { passOverCode } from "./pass-over-code.ts";
import { memoryPages } from "./pass-over-layout.ts";
import { passOverProgram } from "./pass-over-program.ts";
import { passedNames, passOverMachine } from "./pass-over.ts";
import { mixName, roleOf } from "../scan/scan-tables.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What of a page's body is left to be looked at: from where the program stopped. */
function rest(page: string): string {
  const bytes = utf8(page);
  const copy = borrowCopy(bytes, true);
  try {
    const at = copy.passOver?.(0, bytes.length) ?? 0;
    return new TextDecoder().decode(bytes.subarray(Math.min(at, bytes.length)));
  } finally {
    giveBackCopy(copy);
  }
}

suite("what is passed over", () => {
  test("there is a program for it in Node", () => {
    assert.ok(passOverMachine());
  });

  for (const page of [
    "",
    "text",
    `${"é".repeat(100)} > " '`,
    "<p>a</p>",
    '<P CLASS="a b"><Em>c</eM></P>',
    `<a class="reference" href="page.html#id" title='a "quoted" > title'>x</a>`,
    '<a href="#on">on</a><a href=b.html>style</a>',
    "<br/><hr />\n<td colspan=2\n\trowspan = >".replace(" = ", "=''"),
    `<div id="a" title="${"<p onclick=a> ".repeat(20)}">`,
    `<div data-a=${"b".repeat(100)} hidden aria-label='${"c".repeat(100)}'>`,
    "<section class=a></section><h1 id=b>c</h1>",
  ])
    test(`all of ${page.slice(0, 60)}`, () => assert.equal(rest(page), ""));

  for (const tag of [
    "<p onclick=a>",
    "<p class=b onclick=a>",
    "<p class='b'onclick=a>",
    "<p/onclick=a>",
    "<p ONclick=a>",
    "<p style=a>",
    "<table background=a>",
    "<a href=javascript:a>",
    "<a href='&#106;avascript:a'>",
    "<a HREF=' javascript:a'>",
    "<a ping=b>",
    "<a attributionsrc=b>",
    "<p =a onclick=b>",
    '<p a = b onclick="c">',
    "<p a= b>",
    "<p a=>",
    "<p\u000bonclick=a>",
    "<img src=a>",
    "<script>",
    "<x-y>",
    "<textarea>",
    "<svg>",
    "<title>",
    "<blockquote>",
    "<!-- <p> -->",
    "<?a>",
    "</ p>",
    "</p a='>'>",
    "< p>",
    "<p class=a",
    "</p",
    "<p class='a",
  ])
    test(`nothing from ${tag} on`, () => {
      for (const before of ["", "<p>text", `${"x".repeat(15)}</p><em>`])
        assert.equal(rest(before + tag), tag);
    });

  test("no name that says something by itself, but a link's", () => {
    for (const name of passedNames) {
      const bytes = utf8(name);
      assert.equal(roleOf(bytes, 0, bytes.length, bytes.reduce(mixName, 0)) === 0, name !== "a", name);
      assert.equal(rest(`<${name}>`), "");
    }
  });

  test("nothing that matters, wherever it stands among what does not", () => {
    const ordinary = fc.constantFrom(
      "<p>",
      "</p>",
      "text ",
      '<a class="x" href="y.html">',
      "<a href=z>",
      "</a>",
      '<span class="pre">',
      "</span>",
      "<td colspan='2' >",
      "\n",
      "é",
      "<li id=a-1>",
      "<code class='a b'>",
      "<br/>",
      "&lt;",
    );
    const odd = fc.constantFrom(
      "<p onclick=a>",
      "<a href='javascript:b'>",
      '<a title=">" href= "\tjavascript:b">',
      "<i style='c'>",
      "<img src=d>",
      "<script>e</script>",
      "<textarea><p onclick=f></textarea>",
      "<!-- <p onclick=g> -->",
      "<em title='<p onclick=h>'>",
      "<form>",
      "<a\nhref=i onfocus=j>",
      '<a href="k"onfocus=l>',
      "<b x=/onclick=m>",
      "<svg><a href=javascript:n /></svg>",
      "<template><p onclick=o></template>",
      "<template>",
      "</template>",
      "<meta http-equiv=refresh content=1>",
      "<title>p</title>",
    );
    const many = fc.array(ordinary, { maxLength: 30 });
    fc.assert(
      fc.property(many, odd, many, odd, many, (one, odd1, two, odd2, three) => {
        const page = utf8([...one, odd1, ...two, odd2, ...three].join(""));
        const read = readPage(page, { links: false });
        if (read.fallback === undefined)
          assert.deepEqual(
            { ...read, fallback: 0 },
            { ...readPageWithParser(page, { links: false }), fallback: 0 },
          );
      }),
      { numRuns: 1500 },
    );
  });

  test("nothing of a page that is too long for the program's memory, which is read all the same", () => {
    const page = utf8(`<p>${"<em>x</em> ".repeat(150_000)}<p onclick=a>`);
    const copy = borrowCopy(page, true);
    assert.equal(copy.passOver, undefined);
    giveBackCopy(copy);
    assert.equal(readPage(page, { links: false }).handlers.length, 1);
  });
});

suite("a program's text", () => {
  test("is what runs", () => {
    const code = btoa(String.fromCharCode(...assemble(passOverProgram, memoryPages)));
    assert.equal(passOverCode, code, "put this into pass-over-code.ts");
  });

  test("becomes a module that runs", () => {
    const bytes = assemble(
      "(func (param $a i32) (result i32) (local $b i32) (loop $up (local.set $b (i32.add (local.get $b) (i32.const 200))) " +
        "(br_if $up (i32.le_u (local.get $b) (local.get $a)))) (return (local.get $b)))",
      1,
    );
    const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as {
      run: (a: number) => number;
    };
    assert.deepEqual([run(0), run(1000), run(70_000)], [200, 1200, 70_200]);
  });

  for (const [what, text] of [
    ["an instruction", "(func (result i32) (i32.div_x))"],
    ["a local", "(func (result i32) (local.get $x))"],
    ["a label", "(func (result i32) (br $x))"],
    ["how to be read", "(func (result i32)"],
  ] as const)
    test(`that nobody knows ${what} of is refused`, () => {
      assert.throws(() => assemble(text, 1), SyntaxError);
    });
});
