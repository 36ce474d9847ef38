import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import fc from "fast-check";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { requires } from "../../test/requires.ts";
import { neat, soup } from "./fixtures/soup.ts";
import { readPage } from "./index.ts";
import type { PageFacts } from "./index.ts";

const { path: executablePath, skip } = requires("chromium");

let browser: Browser;
before(async () => {
  if (skip !== false) return;
  const args =
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
  browser = await chromium.launch({ executablePath, args: args.split(" ") });
});
after(() => browser?.close());

/** Runs in the browser, as text: what its own parser finds that can run. */
const inBrowser = `(pages) => pages.map((page) => {
  const found = [];
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      for (const { name, value } of element.attributes)
        if (name.startsWith("on") || name === "style") found.push(name + "=" + value);
      const isScript = element.localName === "script" && !element.namespaceURI.includes("Math");
      if (isScript) found.push("script:" + [...element.childNodes].map((node) => node.nodeType === 3 || node.nodeType === 4 ? node.data : "").join(""));
      if (element.localName === "style" && !element.namespaceURI.includes("Math")) found.push("style:" + element.textContent);
      if (element.content instanceof DocumentFragment) visit(element.content);
    }
  };
  visit(new DOMParser().parseFromString(page, "text/html"));
  return found;
})`;

function inFacts({ handlers, styleAttributes, scripts, styles }: PageFacts): Set<string> {
  return new Set([
    ...[...handlers, ...styleAttributes].map(({ name, value }) => `${name}=${value}`),
    ...scripts.map(({ text }) => `script:${text}`),
    ...styles.map(({ text }) => `style:${text}`),
  ]);
}

suite("the browser finds nothing that is not found here", { skip }, () => {
  const kinds: [string, fc.Arbitrary<string>][] = [
    ["any sequence of tags", soup.map((parts) => parts.join(""))],
    ["elements that nest", neat],
  ];
  for (const [name, pages] of kinds)
    test(`in ${name}`, async () => {
      // DOMParser reads without scripting, where what a noscript holds is read otherwise than in a page.
      const sample = fc.sample(pages, 3000).filter((page) => !/noscript/i.test(page));
      const tab = await browser.newPage();
      const found = await tab.evaluate<string[][]>(`(${inBrowser})(${JSON.stringify(sample)})`);
      await tab.close();
      let seen = 0;
      for (const [index, page] of sample.entries()) {
        const here = inFacts(readPage(new TextEncoder().encode(page)));
        for (const item of found[index] ?? []) {
          seen++;
          assert.ok(here.has(item), `${item} in ${JSON.stringify(page)}`);
        }
      }
      assert.ok(seen > 500, `only ${seen} were compared`);
    });
});
