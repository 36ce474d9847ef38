import { securityHeaders } from "../contract/index.ts";
import type {
  Contract,
  ContractSite,
  Encoding,
  Header,
  ReleaseInput,
  ReleaseRedirect,
} from "../contract/index.ts";
import { AssetShelf } from "./pages/asset-shelf.ts";
import type { VariantOrder } from "./pages/asset-shelf.ts";
import type { BuildMemory } from "./build-memory.ts";
import { assertFragment, assertReference } from "./checks/check-references.ts";
import type { OwnReference } from "./checks/check-references.ts";
import type { SourcePlace } from "./errors.ts";
import { findUntranslated } from "./content/find-untranslated.ts";
import type { Untranslated } from "./content/find-untranslated.ts";
import { makeFeeds } from "./pages/feed.ts";
import { bareAssets } from "./images/bare-assets.ts";
import { pictureAliases, pictureFiles } from "./images/source-pictures.ts";
import { machineFiles } from "./pages/machine-files.ts";
import { makePage } from "./pages/make-page.ts";
import type { MadePage, Workshop } from "./pages/make-page.ts";
import { mediaTypeOf } from "./media-types.ts";
import { AddressBook, notFoundPath } from "./paths.ts";
import type { InlineCode } from "./checks/provenance.ts";
import { planPages } from "./pages/plan-pages.ts";
import type { PlannedPage } from "./pages/planned-page.ts";
import { copyEntry, readEntry } from "./content/read-entries.ts";
import type { EntryContext, ParsedEntry } from "./content/read-entries.ts";
import { makeRedirects } from "./pages/redirects.ts";
import { readSourceEntries } from "./content/source-entries.ts";
import type { SourceAnswer } from "./content/source-entries.ts";
import type { SiteFile, SiteWarning, SourceFile, Template } from "./source.ts";

/** Everything that a site is made of. */
export interface SiteSources {
  readonly content: readonly SourceFile[];
  readonly assets: readonly SourceFile[];
  /** What the contract's sources answered. Default nothing. */
  readonly answers?: readonly SourceAnswer[];
  /** By collection. */
  readonly templates: ReadonlyMap<string, Template>;
  readonly inlineCode: InlineCode;
  /** Texts of the templates' sources, by file, to say where something was written. */
  readonly templateSources?: ReadonlyMap<string, string>;
  /** Where in the templates an error was thrown, if that is known. */
  readonly placeOf: (error: unknown) => SourcePlace | undefined;
  /** Whether drafts are pages. Default false. */
  readonly drafts?: boolean;
  /** What an earlier build left. Default: everything is made anew. */
  readonly memory?: BuildMemory;
  /** Names the templates and all else that they can see; undefined when that can't be told, and then each page is made anew. */
  readonly recipe?: string | undefined;
  /** Names what makes other sizes of photographs, and how. Default: there is nothing that does. */
  readonly imageEncoder?: string | undefined;
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
  readonly redirects: readonly ReleaseRedirect[];
  readonly notFound: string | undefined;
  /** Pictures that are still to be made, and then published too. */
  readonly variants: readonly VariantOrder[];
  /** What is missing in the site's other languages. */
  readonly untranslated: readonly Untranslated[];
  /** What was done otherwise than an author may think. */
  readonly warnings: readonly SiteWarning[];
  /** How each page came to be; undefined when templates read what is not known here. */
  readonly history: SiteHistory | undefined;
}

/** What making one page again, by itself, has to know of the others. */
export interface SiteHistory {
  readonly made: readonly PageHistory[];
  readonly addresses: AddressBook;
  readonly redirects: readonly ReleaseRedirect[];
}

/** A page, how it was planned, and what came of it. */
export interface PageHistory {
  readonly plan: PlannedPage;
  readonly page: Omit<MadePage, "html">;
}

type BuildContract = Pick<Contract, "origin" | "routes" | "apiRoots"> & {
  readonly site: Pick<
    ContractSite,
    "collections" | "redirects" | "feeds" | "lists" | "tags" | "locales" | "sources" | "images"
  >;
};

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
  const { memory, templates } = sources;
  const addresses = new AddressBook(contract.apiRoots);
  const { imageEncoder, answers = [] } = sources;
  const isAnswered = (collection: string): boolean => contract.site.sources.has(collection);
  const bare = bareAssets([...sources.assets, ...pictureFiles(answers)]);
  const aliases = pictureAliases(answers);
  const assets = await AssetShelf.create(bare.files, addresses, imageEncoder, aliases);
  const { tags, locales } = contract.site;
  const written = await readEntries(contract.site, sources, { addresses, memory, locales, tags });
  const untranslated = findUntranslated(written, locales, contract.site.sources);
  const entries = [
    ...written,
    ...(locales?.untranslated === "default" ? untranslated : []).flatMap(({ locale, entries: missing }) =>
      missing.map((entry) => copyEntry(entry, locale, { addresses, memory, locales, tags })),
    ),
  ];
  const redirects = makeRedirects(entries, contract.site.redirects, addresses);
  const plan = planPages({ ...contract, entries, addresses, templates, memory });
  const forMachines = [
    ...machineFiles(contract.origin, plan.pages),
    ...makeFeeds(contract.origin, plan.feeds),
  ].filter(({ path }) => !addresses.has(path));
  for (const { path } of forMachines) addresses.claim(path, { file: `the site's own ${path}` });

  const workshop: Workshop = {
    origin: contract.origin,
    hasApi: contract.routes.length > 0,
    addresses,
    assets,
    images: imageEncoder === undefined ? undefined : contract.site.images,
    templates,
    templateSources: sources.templateSources ?? new Map<string, string>(),
    templateFileOf: (collection) => templates.get(collection)?.file,
    inlineCode: sources.inlineCode,
    placeOf: sources.placeOf,
    memory,
    recipe:
      memory === undefined || sources.recipe === undefined
        ? undefined
        : recipeOf(contract, sources.recipe, memory),
  };
  const { pages, files, made } = await makePages(plan.pages, workshop, onPage);
  return {
    files: [...files, ...assets.files(), ...forMachines],
    pages,
    redirects,
    notFound: addresses.has(notFoundPath) ? notFoundPath : undefined,
    variants: assets.variants(),
    untranslated: untranslated.flatMap(({ locale, files: missing }) =>
      missing.length === 0 ? [] : [{ locale, files: missing }],
    ),
    warnings: [
      ...bare.warnings,
      ...entries.filter(({ collection }) => !isAnswered(collection)).flatMap((entry) => entry.warnings),
      ...gatherWarnings(
        entries.filter(({ collection }) => isAnswered(collection)).flatMap((entry) => entry.warnings),
      ),
    ],
    history: workshop.recipe === undefined ? undefined : { made, addresses, redirects },
  };
}

async function readEntries(
  { collections: schemas, sources }: BuildContract["site"],
  { content, answers = [], drafts = false }: SiteSources,
  context: EntryContext,
): Promise<ParsedEntry[]> {
  const entries: ParsedEntry[] = [];
  for (const file of content) {
    const entry = await readEntry(file, { schemas, sources, drafts, ...context });
    if (entry !== undefined) entries.push(entry);
  }
  return [...entries, ...(await readSourceEntries(answers, { schemas, sources, ...context }))];
}

/** What a service's editor writes into each of a thousand entries is told of a first one. */
function gatherWarnings(warnings: readonly SiteWarning[]): SiteWarning[] {
  const groups = Map.groupBy(warnings, ({ file, message }) => `${file.replace(/\[\d+\]$/, "")} ${message}`);
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    if (others.length === 0) return [first];
    return [{ ...first, message: `${first.message} (and ${others.length} times more in its other entries)` }];
  });
}

function recipeOf({ origin, routes, site }: BuildContract, templates: string, memory: BuildMemory): string {
  // What an entry's digest does not say of its tags.
  const slugs = [...site.tags].map(([name, tags]) => [name, [...tags.slugs]]);
  return memory.digest(
    JSON.stringify([templates, origin, routes.length > 0, slugs, site.locales, site.images]),
  );
}

async function makePages(
  plans: readonly PlannedPage[],
  workshop: Workshop,
  onPage: (done: number, total: number) => void,
): Promise<{ pages: SitePage[]; files: SiteFile[]; made: PageHistory[] }> {
  const files: SiteFile[] = [];
  const made: PageHistory[] = [];
  const pages: SitePage[] = [];
  const anchors = new Map<string, ReadonlySet<string>>();
  const jumps: { entry: PlannedPage; reference: OwnReference }[] = [];
  for (const entry of plans) {
    const { html, ...page } = await makePage(entry, workshop);
    const { policy, references, anchors: own } = page;
    made.push({ plan: entry, page });
    for (const reference of references) {
      assertReference(reference, entry, workshop);
      if (reference.kind === "link" && reference.fragment !== "") jumps.push({ entry, reference });
    }
    files.push({ path: entry.path, bytes: new TextEncoder().encode(html), policy, immutable: false });
    pages.push({ path: entry.path, source: entry.file, policy });
    anchors.set(entry.path, new Set(own));
    onPage(pages.length, plans.length);
  }
  // Only now every page's parts are known.
  for (const { entry, reference } of jumps) assertFragment(reference, anchors, entry, workshop);
  return { pages, files, made };
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
