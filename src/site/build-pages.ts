import type { ComponentType } from "preact";
import { inertPolicy, nearest, securityHeaders } from "../contract/index.ts";
import type { Contract, Encoding, Header, ReleaseInput, Schema } from "../contract/index.ts";
import { isCurtainwallError, sha256, toBase64 } from "../shared/index.ts";
import { AssetShelf } from "./asset-shelf.ts";
import { siteError } from "./errors.ts";
import type { SiteErrorCode, SourcePlace } from "./errors.ts";
import { findAddress } from "./find-address.ts";
import { renderContent } from "./content.ts";
import { parseFrontMatter } from "./front-matter.ts";
import { inspectPage } from "./inspect-page.ts";
import type { PageFacts, Reference } from "./page-facts.ts";
import { extensionOf, mediaTypeOf } from "./media-types.ts";
import { AddressBook, contentPath, notFoundPath } from "./paths.ts";
import { pagePolicy } from "./policy.ts";
import type { InlineCode } from "./provenance.ts";
import { renderPage } from "./render.ts";
import { vouchForHtml } from "./safe-html.ts";
import type { SiteFile, SiteWarning, SourceFile } from "./source.ts";
import type { Entry } from "./template.ts";

/** What a collection's template exports. */
export interface Template {
  readonly file: string;
  readonly page: ComponentType<Record<string, unknown>>;
}

/** Everything that a site is made of. */
export interface SiteSources {
  readonly content: readonly SourceFile[];
  readonly assets: readonly SourceFile[];
  /** By collection. */
  readonly templates: ReadonlyMap<string, Template>;
  readonly inlineCode: InlineCode;
  /** Texts of the templates' sources, by file, to say where something was written. */
  readonly templateSources?: ReadonlyMap<string, string>;
  /** Where in the templates an error was thrown, if that is known. */
  readonly placeOf: (error: unknown) => SourcePlace | undefined;
}

/** A page, as it is reported. */
export interface SitePage {
  readonly path: string;
  /** Its content file, relative to the contract. */
  readonly source: string;
  /** Its Content-Security-Policy. */
  readonly policy: string;
}

/** A built site: files in, files out. */
export interface BuiltSite {
  readonly files: readonly SiteFile[];
  readonly pages: readonly SitePage[];
  readonly notFound: string | undefined;
  /** What was done otherwise than an author may think. */
  readonly warnings: readonly SiteWarning[];
}

type BuildContract = Pick<Contract, "origin" | "routes" | "apiRoots"> & {
  readonly site: { readonly collections: ReadonlyMap<string, Schema> };
};

interface ParsedEntry extends Entry {
  readonly file: string;
  /** The whole file. */
  readonly text: string;
  readonly warnings: readonly SiteWarning[];
}

/**
 * Builds a site's files from its sources, without touching the disk. Every page is checked as a browser will read it.
 *
 * @throws {CurtainwallError} one of {@link SiteErrorCode}, for the first thing that is wrong.
 */
export async function buildPages(
  contract: BuildContract,
  sources: SiteSources,
  onPage: (done: number, total: number) => void = () => {},
): Promise<BuiltSite> {
  const addresses = new AddressBook(contract.apiRoots);
  const assets = await AssetShelf.create(sources.assets, addresses);
  const entries: ParsedEntry[] = [];
  for (const file of sources.content)
    entries.push(await parseEntry(file, contract.site.collections, addresses));
  const machineFiles = [robots, sitemap]
    .map((make) => make(contract.origin, entries))
    .filter(({ path }) => !addresses.has(path));
  for (const { path } of machineFiles) addresses.claim(path, { file: `the site's own ${path}` });

  const collections = collect(entries, contract.site.collections);
  const files: SiteFile[] = [];
  const pages: SitePage[] = [];
  const workshop = { contract, sources, addresses, assets };
  const jumps: Jump[] = [];
  const anchors = new Map<string, ReadonlySet<string>>();
  for (const entry of entries) {
    const { page, facts } = await buildPage(entry, collections, workshop);
    files.push(page);
    pages.push({ path: entry.path, source: entry.file, policy: page.policy });
    anchors.set(entry.path, facts.anchors);
    for (const { kind, address, url } of facts.references)
      if (kind === "link" && url.hash !== "" && url.origin === contract.origin)
        jumps.push({ entry, address, url });
    onPage(pages.length, entries.length);
  }
  for (const jump of jumps) assertJump(jump, anchors, workshop);
  return {
    files: [...files, ...assets.files(), ...machineFiles],
    pages,
    notFound: addresses.has(notFoundPath) ? notFoundPath : undefined,
    warnings: entries.flatMap((entry) => entry.warnings),
  };
}

/**
 * Turns a file into what a release holds: its bytes, its encodings, and every header that does not depend on the request.
 */
export function toReleaseInput(file: SiteFile, encoded: Partial<Record<Encoding, Uint8Array>>): ReleaseInput {
  const headers: Header[] = [
    ["content-type", mediaTypeOf(file.path)?.type ?? "text/html; charset=utf-8"],
    ["cache-control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache"],
    ...(Object.keys(encoded).length > 0 ? [["vary", "accept-encoding"] as const] : []),
    ...securityHeaders(file.policy),
  ];
  return { path: file.path, headers, bytes: { identity: file.bytes, ...encoded } };
}

/** The longest content file that is read, in bytes. */
const maxContentBytes = 2_097_152;

async function parseEntry(
  source: SourceFile,
  schemas: ReadonlyMap<string, Schema>,
  addresses: AddressBook,
): Promise<ParsedEntry> {
  const place = { file: source.file };
  if (extensionOf(source.path) !== "md") {
    throw siteError("SITE_FILE_REFUSED", "the content folder holds Markdown only.", {
      place,
      hint: "Move pictures and other files into the assets folder",
    });
  }
  const { collection, slug, path } = contentPath(source.path, place);
  const schema = schemas.get(collection);
  if (schema === undefined) {
    throw siteError("SITE_COLLECTION_UNKNOWN", `the contract has no collection "${collection}".`, {
      place,
      hint: `Add  ${collection}: z.object({ title: z.string() }),  to site.collections, or move the file`,
    });
  }
  addresses.claim(path, place);
  const text = decode(source);
  const { data, body, bodyLine } = await parseFrontMatter(source.file, text, schema);
  try {
    const { html, headings, removals } = await renderContent(body);
    const warnings = removals.map(({ line, message }): SiteWarning => ({
      file: source.file,
      line: line === undefined ? undefined : line + bodyLine - 1,
      message,
    }));
    return {
      collection,
      slug,
      path,
      data,
      body: vouchForHtml(html, "content"),
      headings,
      file: source.file,
      text,
      warnings,
    };
  } catch (cause) {
    throw siteError("SITE_CONTENT_INVALID", "its text can't be read as Markdown.", {
      place: { ...place, line: bodyLine },
      hint: "Most likely elements or lists are nested thousands deep",
      cause,
    });
  }
}

function decode({ bytes, file }: SourceFile): string {
  if (bytes.length > maxContentBytes) {
    throw siteError("SITE_CONTENT_INVALID", `it is larger than ${maxContentBytes} bytes.`, {
      place: { file },
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw siteError("SITE_CONTENT_INVALID", "it is not UTF-8 text.", {
      place: { file },
      hint: "Save it as UTF-8",
      cause,
    });
  }
}

function collect(
  entries: readonly ParsedEntry[],
  schemas: ReadonlyMap<string, Schema>,
): Record<string, readonly Entry[]> {
  const collections: Record<string, Entry[]> = Object.fromEntries(
    [...schemas.keys()].map((name) => [name, []]),
  );
  for (const entry of entries) collections[entry.collection]?.push(entry);
  for (const list of Object.values(collections))
    list.sort((left, right) => (left.path < right.path ? -1 : 1));
  return collections;
}

/** What is the same for every page of a build. */
interface Workshop {
  readonly contract: BuildContract;
  readonly sources: SiteSources;
  readonly addresses: AddressBook;
  readonly assets: AssetShelf;
}

async function buildPage(
  entry: ParsedEntry,
  collections: Record<string, readonly Entry[]>,
  workshop: Workshop,
): Promise<{ page: SiteFile; facts: PageFacts }> {
  const { contract, sources, assets } = workshop;
  const html = renderEntry(entry, collections, workshop);
  const facts = await inspectPage(html, contract.origin + entry.path, sources.inlineCode);
  const [problem] = facts.problems;
  if (problem !== undefined) {
    throw siteError("SITE_PAGE_UNSAFE", `the page made of it can't be published: ${problem}`, {
      place: { file: entry.file },
      hint: `Look at ${sources.templates.get(entry.collection)?.file ?? "its template"}`,
    });
  }
  for (const reference of facts.references) assertReference(reference, entry, workshop);
  const page = {
    path: entry.path,
    bytes: new TextEncoder().encode(html),
    policy: await policyOf(facts, assets, contract.routes.length > 0),
    immutable: false,
  };
  return { page, facts };
}

function renderEntry(
  entry: ParsedEntry,
  collections: Record<string, readonly Entry[]>,
  workshop: Workshop,
): string {
  const { contract, sources, assets } = workshop;
  const template = sources.templates.get(entry.collection);
  if (template === undefined) {
    throw siteError(
      "SITE_TEMPLATE_MISSING",
      `there is no template for the collection "${entry.collection}".`,
      {
        place: { file: entry.file },
        hint: `Write ${entry.collection}.tsx in the templates folder, with  export function page({ entry }) { … }`,
      },
    );
  }
  try {
    return renderPage(
      template.page,
      { entry, collections, origin: contract.origin },
      {
        inlineCode: sources.inlineCode,
        template: template.file,
        url: contract.origin + entry.path,
        integrityOf: (path) => assets.integrityOf(path),
        assetAddress: (name) => assets.address(name),
      },
    );
  } catch (cause) {
    const known = isCurtainwallError(cause) ? cause : undefined;
    const message =
      known?.message ?? `the template threw: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw siteError(
      (known?.code ?? "SITE_TEMPLATE_FAILED") as SiteErrorCode,
      `${message} (in the page ${entry.path})`,
      {
        // What the guard throws names its place itself; its stack leads to the renderer.
        place:
          known?.code === "SITE_TEMPLATE_UNSAFE"
            ? undefined
            : (sources.placeOf(cause) ?? { file: template.file }),
        ...(known?.hint === undefined ? {} : { hint: known.hint }),
        cause,
      },
    );
  }
}

/** @throws {CurtainwallError} `SITE_REFERENCE_FOREIGN`, `SITE_REFERENCE_BROKEN` or `SITE_PAGE_UNSAFE` */
function assertReference(
  { kind, address, url, integrity }: Reference,
  entry: ParsedEntry,
  workshop: Workshop,
): void {
  const { addresses, assets, contract } = workshop;
  const place = (): SourcePlace => placeOfAddress(address, entry, workshop);
  if (url.origin !== contract.origin) {
    if (kind === "link") return;
    throw siteError(
      "SITE_REFERENCE_FOREIGN",
      `its page would load ${address.slice(0, 120)} from another site.`,
      {
        place: place(),
        hint: "Put the file into the assets folder; the policy of the pages allows no other origin",
      },
    );
  }
  const path = decodePath(url.pathname);
  if (!addresses.has(path) && !addresses.isApi(path)) {
    throw siteError(
      "SITE_REFERENCE_BROKEN",
      `its page leads to ${address.slice(0, 120)}, where nothing is.`,
      {
        place: place(),
        hint: addresses.has(`${path}/`) ? `Write ${path}/` : "Correct the address, or add the page or file",
      },
    );
  }
  if (
    (kind === "script" || kind === "style") &&
    (integrity === undefined || integrity !== assets.integrityOf(path))
  ) {
    throw siteError(
      "SITE_PAGE_UNSAFE",
      `its page loads ${address.slice(0, 120)} without the integrity of its bytes.`,
      {
        place: place(),
        hint: `Write  {asset("${path.slice(1)}")}  in the template: it gives an address that the build knows`,
      },
    );
  }
}

function placeOfAddress(
  address: string,
  { file, text, collection }: ParsedEntry,
  { sources }: Workshop,
): SourcePlace {
  const { templates, templateSources = new Map<string, string>() } = sources;
  return findAddress(address, {
    file,
    text,
    template: templates.get(collection)?.file ?? file,
    templateSources,
  });
}

/** A link to a part of a page. */
interface Jump {
  readonly entry: ParsedEntry;
  readonly address: string;
  readonly url: URL;
}

/** @throws {CurtainwallError} `SITE_REFERENCE_BROKEN` when the page is there and the part is not */
function assertJump(
  { entry, address, url }: Jump,
  anchors: ReadonlyMap<string, ReadonlySet<string>>,
  workshop: Workshop,
): void {
  const there = anchors.get(decodePath(url.pathname));
  const [name = ""] = decodePath(url.hash.slice(1)).split(":~:", 1);
  // Of files that are no pages nothing is known; an empty name and "top" are every page's beginning.
  if (there === undefined || name === "" || name.toLowerCase() === "top" || there.has(name)) return;
  const close = there.has(`h-${name}`) ? `h-${name}` : nearest(name, [...there]);
  throw siteError(
    "SITE_REFERENCE_BROKEN",
    `its page leads to ${address.slice(0, 120)}, and that page has no such part.`,
    {
      place: placeOfAddress(address, entry, workshop),
      hint:
        close === undefined
          ? "A heading's address is #h- and its words, in lower case, with hyphens"
          : `Write  ${address.slice(0, address.indexOf("#"))}#${close}`,
    },
  );
}

function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

async function policyOf(facts: PageFacts, assets: AssetShelf, hasApi: boolean): Promise<string> {
  const of = (kind: Reference["kind"]): Reference[] =>
    facts.references.filter((reference) => reference.kind === kind);
  const linked = of("script").flatMap(({ integrity }) => integrity?.replace(/^sha256-/, "") ?? []);
  const styles = of("style").map(({ url }) => assets.stylesheet(url.pathname));
  const scriptHashes = new Set([...linked, ...(await hashAll(facts.inlineScripts))]);
  return pagePolicy({
    scriptHashes,
    inlineStyleHashes: new Set(await hashAll(facts.inlineStyles)),
    linkedStyles: styles.length > 0,
    images: of("image").length > 0 || styles.some((style) => style?.images),
    fonts: of("font").length > 0 || styles.some((style) => style?.fonts),
    media: of("media").length > 0,
    manifest: of("manifest").length > 0,
    forms: facts.hasForm,
    connects: hasApi && scriptHashes.size > 0,
  });
}

async function hashAll(texts: ReadonlySet<string>): Promise<string[]> {
  return Promise.all([...texts].map(async (text) => toBase64(await sha256(text))));
}

function robots(origin: string): SiteFile {
  return textFile("/robots.txt", `User-agent: *\nAllow: /\n\nSitemap: ${origin}/sitemap.xml\n`);
}

function sitemap(origin: string, entries: readonly Entry[]): SiteFile {
  const addresses = entries.map(({ path }) => path).filter((path) => path !== notFoundPath);
  const urls = addresses.sort().map((path) => `  <url><loc>${origin}${path}</loc></url>\n`);
  return textFile(
    "/sitemap.xml",
    `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${urls.join("")}</urlset>\n`,
  );
}

function textFile(path: string, text: string): SiteFile {
  return { path, bytes: new TextEncoder().encode(text), policy: inertPolicy, immutable: false };
}
