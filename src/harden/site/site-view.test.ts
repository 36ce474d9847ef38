import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createAddresses } from "./site-view.ts";

/** Pieces that addresses are read from in surprising ways. */
const piece = fc.constantFrom(
  ..."https: http: HTTPS: data: javascript: blob: foo: / // \\ ? # .. . a b%20 %2e é : @ x.example:8 [::1] & ; , * = \t \n".split(
    " ",
  ),
  " ",
  "",
);
const address = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
const path = fc.constantFrom("/", "/a", "/a/", "/a/b.html", "/a/c.html", "/a%20b/", "/a b/", "/é/x");
const base = fc.constantFrom(
  undefined,
  "/a/",
  "/a b/",
  "other/",
  "?q=/x/y",
  "https://x.example/a/b?c=/d#/e",
  "http://user:word@x.example/a/",
  "data:,x",
  "foo:/a/b",
);
const origin = fc.constantFrom(undefined, "https://site.example", "https://x.example");

suite("addresses on a page", () => {
  test("are read as a browser reads them, whatever was read on other pages before", () => {
    fc.assert(
      fc.property(origin, path, base, address, (site, page, written, text) => {
        const own = new URL(
          page.split("/").map(encodeURIComponent).join("/"),
          site ?? "https://site.invalid",
        );
        const based = written === undefined ? own : (URL.parse(written, own) ?? own);
        const start = based.protocol === "data:" ? own : based;
        const expected = URL.parse(text, start);
        const found = createAddresses(site, page, written).resolve(text);
        assert.equal(found?.url.href, expected?.href);
        if (expected === null) return;
        const web = /^(?:https?|wss?):$/.test(expected.protocol) ? "foreign" : "opaque";
        assert.equal(found?.kind, expected.origin === own.origin ? "site" : web);
      }),
      { numRuns: 5_000 },
    );
  });

  test("start from the stylesheet that they stand in", () => {
    const addresses = createAddresses(undefined, "/guide/page.html", undefined);
    const sheet = addresses.resolve("../styles/site.css");
    const image = addresses.resolve("logo.png", sheet?.url);
    assert.equal(image?.kind === "site" ? image.path : undefined, "/styles/logo.png");
    const own = addresses.resolve("logo.png");
    assert.equal(own?.kind === "site" ? own.path : undefined, "/guide/logo.png");
  });
});
