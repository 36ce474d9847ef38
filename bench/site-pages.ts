import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ListedFile } from "../src/harden/node/walk.ts";

/** How many pages, and about how long they are on average. */
const pageCount = 2000;
const pageBytes = 14_600;

/** Evenly from the shortest on, so many of the long ones left out that the average is right. */
export function choosePages(files: readonly ListedFile[]): ListedFile[] {
  const pages = files
    .filter(({ path }) => /\.html?$/.test(path))
    .toSorted((left, right) => left.size - right.size);
  let total = pages.reduce((sum, { size }) => sum + size, 0);
  while (pages.length > 1 && total / pages.length > pageBytes) total -= pages.pop()?.size ?? 0;
  const step = Math.max(1, pages.length / pageCount);
  const count = Math.min(pageCount, pages.length);
  return Array.from({ length: count }, (_, index) => pages[Math.floor(index * step)]).filter(
    (page) => page !== undefined,
  );
}

/** Pages as a generator of documentation writes them, and what they load. */
export function makePages(folder: string): string {
  const root = join(folder, "pages");
  mkdirSync(root);
  for (let index = 0; index < pageCount; index++) writeFileSync(join(root, `${index}.html`), makePage(index));
  writeFileSync(join(root, "style.css"), "body { margin: 0 auto }\n");
  writeFileSync(join(root, "search.js"), `document.querySelector("nav").hidden = false;\n`);
  return root;
}

function makePage(index: number): string {
  const head = `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Page ${index}</title>
<link rel="stylesheet" href="/style.css"><script src="/search.js" defer></script><script>const page = ${index};</script>
<style>.page-${index} { color: inherit }</style></head><body class="page-${index}"><nav><ul>\n`;
  let body = "";
  for (let part = 0; head.length + body.length < pageBytes; part++)
    body += `<section id="part-${part}"><h2>Part ${part} <a class="anchor" href="#part-${part}" title="Link to this part">¶</a></h2>
<p>What <code class="literal"><span class="pre">part_${part}()</span></code> does is told in <a class="reference internal" href="part-${part + index}.html">the
next page</a>: it takes the <em>first</em> of its arguments and gives it back – unless there is none.</p>
<img src="/images/${part}.png" alt="A &amp; B" width="640" height="480"></section>\n`;
  return `${head}</ul></nav>${body}</body></html>\n`;
}
