import { hash } from "node:crypto";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parse, serialize } from "parse5";
import type { DefaultTreeAdapterTypes } from "parse5";
import { hardenOutline } from "../src/harden/index.ts";
import type { SiteView } from "../src/harden/index.ts";
import { createDiskView } from "../src/harden/node/site-view.ts";
import type { ListedFile } from "../src/harden/node/walk.ts";
import { escapeAttribute, outlinePage, readPage, splice } from "../src/html/index.ts";

/** Makes the page that is written out. */
export type Rewrite = (page: Buffer, path: string) => Uint8Array | Promise<Uint8Array>;

/** Begins a round: what it remembers of the site it may keep until the round's end. */
export type Peer = (files: readonly ListedFile[]) => Rewrite;

/** What hosts commonly take in one header. */
const budget = { maxBytes: 4096 };

let keptView: SiteView | undefined;
/** Where pages are put together, each until it is written. */
const hardened = Buffer.allocUnsafeSlow(262_144);

/** What all others are compared with. */
export const floor = "read, hash, write";

const own: Readonly<Record<string, Peer>> = {
  [floor]: () => (page) => page,
  "curtainwall, tags and splice alone": () => withScanner,
  "curtainwall, site's files known": (files) =>
    // A view of its own each round: what was found out about pages is forgotten, and about other files not.
    withHarden({ ...(keptView ??= createDiskView(files, undefined)) }),
  "curtainwall, site's files read too": (files) => withHarden(createDiskView(files, undefined)),
  parse5: () => withParser,
};

/** Those that are no dependency of this project, by the package that each needs. */
const others: Readonly<Record<string, (load: Load) => Promise<Peer>>> = {
  htmlparser2: async (load) => {
    const tokenizer = await load<HtmlParser2>("htmlparser2");
    return () => (page) => withTokenizer(page, tokenizer);
  },
  "html-rewriter-wasm": async (load) => {
    const { HTMLRewriter } = await load<LolHtml>("html-rewriter-wasm");
    return () => (page) => withLolHtml(page, HTMLRewriter);
  },
  cheerio: async (load) => {
    const cheerio = await load<Cheerio>("cheerio");
    return () => (page) => withCheerio(page, cheerio);
  },
};

/** Names of peers: what can be measured here, and what can't. */
export function listPeers(): { readonly present: readonly string[]; readonly missing: readonly string[] } {
  const names = Object.keys(others);
  const present = names.filter((name) => placeOf(name) !== undefined);
  return {
    present: [...Object.keys(own), ...present],
    missing: names.filter((name) => !present.includes(name)),
  };
}

/** A peer by its name, ready to begin. */
export async function loadPeer(name: string): Promise<Peer> {
  const other = others[name];
  const peer = other === undefined ? own[name] : await other(load);
  if (peer === undefined) throw new Error(`There is no peer ${name}`);
  return peer;
}

type Load = <Module>(name: string) => Promise<Module>;

const load: Load = async <Module>(name: string) =>
  (await import(pathToFileURL(placeOf(name) ?? "").href)) as Module;

/** Where a package's entry lies, in the folder that `CURTAINWALL_BENCH_PEERS` names; undefined if it does not. */
function placeOf(name: string): string | undefined {
  const folder = process.env.CURTAINWALL_BENCH_PEERS;
  if (folder === undefined) return undefined;
  try {
    return createRequire(join(resolve(folder), "package.json")).resolve(name);
  } catch {
    return undefined;
  }
}

/** What `curtainwall harden` does with a page. */
function withHarden(view: SiteView): Rewrite {
  return (page, path) =>
    hardenOutline(outlinePage(page, { links: false }), { path, view, budget }, hardened).bytes;
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

interface LolHtml {
  readonly HTMLRewriter: new (write: (piece: Uint8Array) => void) => LolRewriter;
}

interface LolRewriter {
  on(
    selector: string,
    handlers: { element?(element: LolElement): void; text?(chunk: { readonly text: string }): void },
  ): unknown;
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  free(): void;
}

interface LolElement {
  getAttribute(name: string): string | null;
  prepend(content: string, options: { html: boolean }): unknown;
}

/** Stands where the policy will, which is known only when the page has been read to its end. */
const placeholder = "<!--curtainwall-policy-->";

/** The rewriter of Cloudflare's workers, compiled to WebAssembly. */
async function withLolHtml(page: Buffer, HTMLRewriter: LolHtml["HTMLRewriter"]): Promise<Uint8Array> {
  const texts = { script: [""], style: [""] };
  const resources: string[] = [];
  const pieces: Uint8Array[] = [];
  // It hands out its own memory, which it writes over.
  const rewriter = new HTMLRewriter((piece) => pieces.push(piece.slice()));
  const collect = (name: keyof typeof texts) => ({
    element: () => void texts[name].push(""),
    text: ({ text }: { readonly text: string }) => {
      texts[name][texts[name].length - 1] += text;
    },
  });
  rewriter.on("head", { element: (head) => void head.prepend(placeholder, { html: true }) });
  rewriter.on("[src]", {
    element: (element) => void resources.push(`resource ${element.getAttribute("src") ?? ""}`),
  });
  rewriter.on("script:not([src])", collect("script"));
  rewriter.on("style", collect("style"));
  try {
    await rewriter.write(page);
    await rewriter.end();
  } finally {
    rewriter.free();
  }
  const sources = (list: readonly string[]): string => [...new Set(list.slice(1).map(hashSource))].join(" ");
  const meta = policy(sources(texts.script), sources(texts.style), resources);
  const written = Buffer.concat(pieces);
  const at = written.indexOf(placeholder);
  if (at === -1) return written;
  return Buffer.concat([
    written.subarray(0, at),
    Buffer.from(meta),
    written.subarray(at + placeholder.length),
  ]);
}
