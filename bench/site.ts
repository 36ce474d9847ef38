import { hash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, serialize } from "parse5";
import type { DefaultTreeAdapterTypes } from "parse5";
import { escapeAttribute, readPage, splice } from "../src/html/index.ts";
import type { PeerResult } from "./harness.ts";
import type { Suite } from "./run.ts";

/** How many pages, and about how long they are on average: those of `CURTAINWALL_DOCS`, else made ones. */
const pageCount = 2000;
const pageBytes = 14_600;

/** Makes the page that is written out. */
type Rewrite = (page: Buffer) => Uint8Array;

const peers: Record<string, Rewrite> = {
  "read, hash, write": (page) => page,
  curtainwall: withScanner,
  parse5: withParser,
};

/** Rewriting pages with a policy of their own, against reading, hashing and writing them unchanged. PERFORMANCE.md, D. */
export const site: Suite = async ({ folder, seconds, say }) => {
  const pages =
    process.env.CURTAINWALL_DOCS === undefined
      ? makePages(folder)
      : choosePages(process.env.CURTAINWALL_DOCS);
  const total = pages.reduce((sum, path) => sum + statSync(path).size, 0);
  const samples = Object.fromEntries(Object.keys(peers).map((name): [string, Sample[]] => [name, []]));
  const until = performance.now() + seconds * 1000;
  for (let round = 0; round < 4 || performance.now() < until; round++) {
    say(`site: round ${round}`);
    // Who comes first writes to a disk that is less busy: everybody does in turn.
    const entries = Object.entries(peers);
    for (let turn = 0; turn < entries.length; turn++) {
      const [name, rewrite] = entries[(turn + round) % entries.length] ?? entries[0] ?? [];
      if (name === undefined || rewrite === undefined) continue;
      const sample = measure(pages, join(folder, "out"), rewrite);
      // The first round is V8's.
      if (round > 0) samples[name]?.push(sample);
    }
  }
  const floor = samples["read, hash, write"] ?? [];
  const kind = process.env.CURTAINWALL_DOCS === undefined ? "made" : "real";
  return [
    {
      title: `${pages.length} ${kind} pages of ${Math.round(total / pages.length)} bytes, each with its own policy: a request is a page`,
      results: Object.entries(samples).map(([name, own]) => summarise(name, own, floor)),
    },
  ];
};

interface Sample {
  readonly cpuUs: number;
  readonly userUs: number;
  readonly wallUs: number;
}

/** Into a folder of its own each time: writing over files costs several times as much. */
function measure(pages: readonly string[], out: string, rewrite: Rewrite): Sample {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const before = process.cpuUsage();
  const started = performance.now();
  for (const [index, path] of pages.entries()) {
    const page = rewrite(readFileSync(path));
    hash("sha256", page);
    writeFileSync(join(out, String(index)), page);
  }
  const wallUs = (performance.now() - started) * 1000;
  const { user, system } = process.cpuUsage(before);
  const each = (value: number): number => value / pages.length;
  return { cpuUs: each(user + system), userUs: each(user), wallUs: each(wallUs) };
}

function summarise(name: string, samples: readonly Sample[], floor: readonly Sample[]): PeerResult {
  const cpu = samples.map(({ cpuUs }) => cpuUs);
  return {
    name,
    cpuBest: Math.min(...cpu),
    cpuMedian: median(cpu),
    userBest: Math.min(...samples.map(({ userUs }) => userUs)),
    ratioMedian: median(samples.map(({ cpuUs }, round) => (floor[round]?.cpuUs ?? Number.NaN) / cpuUs)),
    instructionsK: undefined,
    perSecondMedian: median(samples.map(({ wallUs }) => 1e6 / wallUs)),
    p99MsMedian: Number.NaN,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** What hardening does with a page once its policy is known to be the page's own hashes. */
function withScanner(page: Buffer): Uint8Array {
  const facts = readPage(page, { links: false });
  const sources = (texts: readonly string[]): string => [...new Set(texts.map(hashSource))].join(" ");
  const scripts = sources(
    facts.scripts.flatMap(({ src, type, text }) => (src === undefined && type !== "data" ? [text] : [])),
  );
  const styles = sources(facts.styles.map(({ text }) => text));
  const meta = policy(
    scripts,
    styles,
    facts.resources.map(({ kind, address }) => `${kind} ${address}`),
  );
  return splice(facts.bytes, [{ span: { from: facts.headStart, to: facts.headStart }, replacement: meta }]);
}

function hashSource(text: string): string {
  return `'sha256-${hash("sha256", text, "base64")}'`;
}

/** Only as much of a policy as shows that every resource was looked at. */
function policy(scripts: string, styles: string, resources: readonly string[]): string {
  const origins = new Set<string>();
  for (const resource of resources) {
    const found = /^\w+ (https?:\/\/[^/?#]+)/.exec(resource)?.[1];
    if (found !== undefined) origins.add(found);
  }
  const content = `default-src 'self' ${[...origins].join(" ")}; script-src 'self' ${scripts}; style-src 'self' ${styles}`;
  return `<meta http-equiv="content-security-policy" content="${escapeAttribute(content)}">`;
}

/** The same by building the tree and writing it out again. */
function withParser(page: Buffer): Uint8Array {
  const document = parse(page.toString());
  const found = { scripts: new Set<string>(), styles: new Set<string>(), resources: new Array<string>() };
  let head: DefaultTreeAdapterTypes.Element | undefined;
  const visit = (node: DefaultTreeAdapterTypes.ChildNode): void => {
    if (!("tagName" in node)) return;
    if (node.tagName === "head") head ??= node;
    const text = node.childNodes.map((child) => ("value" in child ? child.value : "")).join("");
    const source = node.attrs.find(({ name }) => name === "src")?.value;
    if (source !== undefined) found.resources.push(`resource ${source}`);
    else if (node.tagName === "script") found.scripts.add(hashSource(text));
    else if (node.tagName === "style") found.styles.add(hashSource(text));
    for (const child of node.childNodes) visit(child);
  };
  for (const child of document.childNodes) visit(child);
  const meta = policy([...found.scripts].join(" "), [...found.styles].join(" "), found.resources);
  const [first] = "childNodes" in document ? parse(meta).childNodes : [];
  if (head !== undefined && first !== undefined)
    head.childNodes.unshift({ ...first, parentNode: head });
  return Buffer.from(serialize(document));
}

/** Real pages, evenly from the shortest on, so many of the long ones left out that the average is right. */
function choosePages(folder: string): string[] {
  const pages = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.html?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, size: statSync(path).size }))
    .toSorted((left, right) => left.size - right.size);
  let total = pages.reduce((sum, { size }) => sum + size, 0);
  while (pages.length > 1 && total / pages.length > pageBytes) total -= pages.pop()?.size ?? 0;
  const step = Math.max(1, pages.length / pageCount);
  return Array.from(
    { length: Math.min(pageCount, pages.length) },
    (_, index) => pages[Math.floor(index * step)]?.path ?? "",
  );
}

/** Pages as a generator of documentation writes them. */
function makePages(folder: string): string[] {
  const source = join(folder, "pages");
  mkdirSync(source);
  return Array.from({ length: pageCount }, (_, index) => {
    const path = join(source, `${index}.html`);
    writeFileSync(path, makePage(index));
    return path;
  });
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
