import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { outlinePage } from "./index.ts";
import type { PageKind, PageOutline, ReadPageOptions } from "./index.ts";

const outline = (page: string, options?: ReadPageOptions): PageOutline =>
  outlinePage(new TextEncoder().encode(page), { links: false, ...options });
const kind = (page: string, options?: ReadPageOptions): PageKind | undefined => outline(page, options).kind;

suite("pages are alike", () => {
  for (const [what, one, other] of [
    ["text", "<title>a</title><p onclick=x>b", "<title>c</title>d<p onclick=x>"],
    ["tags that don't matter", "<img src=a><p class=b>", "<div id=c><img src=a></div>"],
    ["where a link leads", "<a href=b>", "<a href=c rel=nofollow>"],
    ["where the head ends", "<style>a</style></head>", "<style>a</style><title>b</title></head>"],
  ] as const)
    test(`that differ in ${what}`, () => {
      assert.ok(kind(one));
      assert.equal(kind(one), kind(other));
    });

  test("and each says where what they share stands", () => {
    const page = "<p>é<img src=a><script>1</script>";
    const { places, bytes } = outline(page);
    assert.deepEqual(
      places.map(({ from, to }) => new TextDecoder().decode(bytes.subarray(from, to))),
      ["<img src=a>", "<script>1</script>"],
    );
  });
});

suite("pages are not alike", () => {
  for (const [what, one, other] of [
    ["an attribute's value", "<img src=a>", "<img src=b>"],
    ["how it is written", "<img src=a>", '<img src="a">'],
    ["a script's text", "<script>1</script>", "<script>2</script>"],
    ["which order they have", "<img src=a><img src=b>", "<img src=b><img src=a>"],
    ["what is inert", "<template><img src=a></template>", "<template></template><img src=a>"],
    ["what is in a noscript", "<noscript><img src=a></noscript>", "<noscript></noscript><img src=a>"],
    ["what is in SVG", "<svg><image href=a /></svg>", "<svg></svg><image href=a />"],
    ["which language of drawing it is in", "<svg><x href=a /></svg>", "<math><x href=a /></math>"],
    ["whether it stands before the head's start", "<html onclick=a>", "<p><html onclick=a>"],
    [
      "on which side of the head's end it stands",
      "<head><style></style></head>",
      "<head></head><style></style>",
    ],
    ["where one tag ends and the next begins", "<img src=a><img src=b>", "<img src='a><img src=b'>"],
  ] as const)
    test(`that differ in ${what}`, () => {
      assert.ok(kind(one));
      assert.ok(kind(other));
      assert.notEqual(kind(one), kind(other));
    });

  test("of which nobody can tell: left to the parser, of a long list of tags, in another encoding, XML, with links or ids", () => {
    for (const [page, options] of [
      ["<frameset>", {}],
      ["<img src=a>".repeat(4000), {}],
      ["<meta charset=iso-8859-1><img src=a>", {}],
      ["<img src=a>", { charset: "windows-1252" }],
      ["<html><img src='a'/></html>", { syntax: "xml" }],
      ["<img src=a>", { links: true }],
      ["<img src=a>", { ids: true }],
      [`<p>${"x".repeat(1024)}<meta charset=iso-8859-1>`, {}],
    ] as const) {
      assert.equal(kind(page, options), undefined, page.slice(0, 60));
      assert.equal(outline(page, options).facts().bytes.length > 0, true);
    }
  });
});
