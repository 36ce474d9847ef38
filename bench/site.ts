import { hash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, serialize } from "parse5";
import type { DefaultTreeAdapterTypes } from "parse5";
import { hardenPage, serializePolicy } from "../src/harden/index.ts";
import { createDiskView } from "../src/harden/node/site-view.ts";
import { walk } from "../src/harden/node/walk.ts";
import type { ListedFile } from "../src/harden/node/walk.ts";
import type { SiteView } from "../src/harden/index.ts";
import { escapeAttribute, readPage, splice } from "../src/html/index.ts";
import type { PeerResult } from "./print-table.ts";
import type { Suite } from "./run.ts";

/** How many pages, and about how long they are on average: those of `CURTAINWALL_DOCS`, else made ones. */
const pageCount = 2000;
const pageBytes = 14_600;
/** What hosts commonly take in one header. */
const budget = { maxBytes: 4096 };

/** Makes the page that is written out. */
type Rewrite = (page: Buffer, path: string) => Uint8Array;

/** Begins a round: what it remembers of the site it may keep until the round's end. */
type Peer = (files: readonly ListedFile[]) => Rewrite;

let keptView: SiteView | undefined;

const floor = "read, hash, write";
const peers: Record<string, Peer> = {
  [floor]: () => (page) => page,
  "curtainwall, tags and splice alone": () => withScanner,
  "curtainwall, site's files known": (files) => withHarden((keptView ??= createDiskView(files, undefined))),
  "curtainwall, site's files read too": (files) => withHarden(createDiskView(files, undefined)),
  parse5: () => withParser,
};

/** Those that are there: neither is a dependency of this project. */
async function addOthers(): Promise<void> {
  const [tokenizer, cheerio] = await Promise.all([
    load<HtmlParser2>("htmlparser2"),
    load<Cheerio>("cheerio"),
  ]);
  if (tokenizer !== undefined) peers["htmlparser2, splice"] = () => (page) => withTokenizer(page, tokenizer);
  if (cheerio !== undefined) peers["cheerio"] = () => (page) => withCheerio(page, cheerio);
}

async function load<Module>(name: string): Promise<Module | undefined> {
  try {
    return (await import(name)) as Module;
  } catch {
    return undefined;
  }
}

/** Rewriting pages with a policy of their own, against reading, hashing and writing them unchanged. PERFORMANCE.md, D. */
export const site: Suite = async ({ folder, seconds, say }) => {
  await addOthers();
  const root = process.env.CURTAINWALL_DOCS ?? makePages(folder);
  const kind = process.env.CURTAINWALL_DOCS === undefined ? "made" : "real";
  const { files } = walk(root);
  const pages = choosePages(files);
  const total = pages.reduce((sum, { size }) => sum + size, 0);
  const samples = Object.fromEntries(Object.keys(peers).map((name): [string, Sample[]] => [name, []]));
  const until = performance.now() + seconds * 1000;
  for (let round = 0; round < 4 || performance.now() < until; round++) {
    say(`site: round ${round}`);
    // Who comes first writes to a disk that is less busy: everybody does in turn.
    const entries = Object.entries(peers);
    for (let turn = 0; turn < entries.length; turn++) {
      const [name, peer] = entries[(turn + round) % entries.length] ?? entries[0] ?? [];
      if (name === undefined || peer === undefined) continue;
      const sample = measure(pages, join(folder, "out"), () => peer(files));
      // The first round is V8's.
      if (round > 0) samples[name]?.push(sample);
    }
  }
  return [
    {
      title: `${pages.length} ${kind} pages of ${Math.round(total / pages.length)} bytes, each with its own policy: a request is a page`,
      note:
        "Each page is read, rewritten, hashed (SHA-256) and written into a fresh folder, in one thread; the leak gate and compression are not in it. " +
        "× is the first row's time by this row's, of the same round.",
      results: Object.entries(samples).map(([name, own]) => summarise(name, own, samples[floor] ?? [])),
    },
  ];
};

interface Sample {
  readonly cpuUs: number;
  readonly userUs: number;
  readonly wallUs: number;
}

/** Into a folder of its own each time: writing over files costs several times as much. */
function measure(pages: readonly ListedFile[], out: string, begin: () => Rewrite): Sample {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const before = process.cpuUsage();
  const started = performance.now();
  const rewrite = begin();
  for (const [index, { file, path }] of pages.entries()) {
    const page = rewrite(readFileSync(file), path);
    hash("sha256", page);
    writeFileSync(join(out, String(index)), page);
  }
  const wallUs = (performance.now() - started) * 1000;
  const { user, system } = process.cpuUsage(before);
  const each = (value: number): number => value / pages.length;
  return { cpuUs: each(user + system), userUs: each(user), wallUs: each(wallUs) };
}

function summarise(name: string, samples: readonly Sample[], floors: readonly Sample[]): PeerResult {
  const cpu = samples.map(({ cpuUs }) => cpuUs);
  const ratio = (of: keyof Sample): number =>
    median(samples.map((sample, round) => (floors[round]?.[of] ?? Number.NaN) / sample[of]));
  return {
    name,
    cpuBest: Math.min(...cpu),
    cpuMedian: median(cpu),
    userBest: Math.min(...samples.map(({ userUs }) => userUs)),
    ratioMedian: ratio("cpuUs"),
    wallRatioMedian: ratio("wallUs"),
    instructionsK: undefined,
    perSecondMedian: median(samples.map(({ wallUs }) => 1e6 / wallUs)),
    p99MsMedian: Number.NaN,
    rssMb: Number.NaN,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** What `curtainwall harden` does with a page. */
function withHarden(view: SiteView): Rewrite {
  return (page, path) => {
    const facts = readPage(page, { links: false });
    const { bytes, header } = hardenPage(facts, { path, view, budget });
    serializePolicy(header);
    return bytes;
  };
}

/** The least that rewriting a page for a policy of its own takes, without asking what its scripts do. */
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
  if (head !== undefined && first !== undefined) head.childNodes.unshift({ ...first, parentNode: head });
  return Buffer.from(serialize(document));
}

interface HtmlParser2 {
  readonly Parser: new (handlers: {
    onopentag: (name: string, attributes: Readonly<Record<string, string>>) => void;
    ontext: (text: string) => void;
    onclosetag: (name: string) => void;
  }) => { readonly end: (text: string) => void; readonly endIndex: number };
}

/** By the events of a tokenizer that is not strict about the standard, which tells where the head starts. */
function withTokenizer(page: Buffer, { Parser }: HtmlParser2): Uint8Array {
  const text = page.toString();
  const found = { scripts: new Set<string>(), styles: new Set<string>(), resources: new Array<string>() };
  let inside: Set<string> | undefined;
  let headStart = 0;
  const parser = new Parser({
    onopentag: (name, { src }) => {
      if (name === "head") headStart = parser.endIndex + 1;
      if (src !== undefined) found.resources.push(`resource ${src}`);
      else if (name === "script" || name === "style") inside = found[`${name}s`];
    },
    ontext: (content) => inside?.add(hashSource(content)),
    onclosetag: () => (inside = undefined),
  });
  parser.end(text);
  const meta = policy([...found.scripts].join(" "), [...found.styles].join(" "), found.resources);
  return Buffer.from(text.slice(0, headStart) + meta + text.slice(headStart));
}

interface Cheerio {
  readonly load: (text: string) => CheerioPage;
}

interface CheerioPage {
  (selector: string): {
    readonly toArray: () => unknown[];
    readonly prepend: (markup: string) => unknown;
  };
  (element: unknown): { readonly attr: (name: string) => string | undefined; readonly text: () => string };
  readonly html: () => string;
}

/** With its selectors. */
function withCheerio(page: Buffer, { load: read }: Cheerio): Uint8Array {
  const $ = read(page.toString());
  const texts = (selector: string): string[] =>
    $(selector)
      .toArray()
      .map((element) => hashSource($(element).text()));
  const resources = $("[src]")
    .toArray()
    .map((element) => `resource ${$(element).attr("src") ?? ""}`);
  const scripts = new Set(texts("script:not([src])"));
  const meta = policy([...scripts].join(" "), [...new Set(texts("style"))].join(" "), resources);
  $("head").prepend(meta);
  return Buffer.from($.html());
}

/** Evenly from the shortest on, so many of the long ones left out that the average is right. */
function choosePages(files: readonly ListedFile[]): ListedFile[] {
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
function makePages(folder: string): string {
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
