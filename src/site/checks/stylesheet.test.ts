import assert from "node:assert/strict";
import { test } from "node:test";
import { cpuMs } from "../../../test/support/cpu-time.ts";
import { inspectStylesheet } from "./stylesheet.ts";

test("what a stylesheet loads is told apart", () => {
  const facts = inspectStylesheet(
    '@font-face { src: url("/f.woff2") format("woff2") } a { background: url(/a.png) } b { mask: url(#m) }',
  );
  assert.deepEqual(facts, {
    images: true,
    fonts: true,
    addresses: ["/f.woff2", "/a.png"],
    problem: undefined,
  });
});

test("a comment loads nothing", () => {
  assert.deepEqual(inspectStylesheet("/* url(https://a.example) @import */ a {}"), {
    images: false,
    fonts: false,
    addresses: [],
    problem: undefined,
  });
});

test("what would leave the site is refused with its line", () => {
  for (const css of [
    '@import "x.css";',
    "a{background:url(https://evil.example/?x)}",
    "a{background:url('//evil.example')}",
    "a{background:url(data:image/png;base64,x)}",
    "a{background:url(a.png)}",
    "a{background:url( /\\\\evil.example )}",
    "a{background:URL(' \"https://evil.example')}",
  ])
    assert.equal(inspectStylesheet(`/*\n*/\n${css}`).problem?.line, 3, css);
});

test("a hostile stylesheet takes no longer to read than its length asks for", () => {
  const spentMs = cpuMs(() => {
    for (const piece of ["url(", "url( ", "/*", " ", "url('"]) inspectStylesheet(piece.repeat(200_000));
    inspectStylesheet(`url(${" ".repeat(1_000_000)}x`);
  });
  assert.ok(spentMs < 5000, `${spentMs} ms`);
});
