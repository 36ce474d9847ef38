import { isCurtainwallError } from "../shared/index.ts";
import type { BuildMemory } from "./build-memory.ts";
import { ownReferences } from "./check-references.ts";
import type { OwnReference, ReferenceContext } from "./check-references.ts";
import { watchCollections } from "./collections.ts";
import type { EntryLists } from "./collections.ts";
import { siteError } from "./errors.ts";
import type { SiteErrorCode, SourcePlace } from "./errors.ts";
import { inspectPage } from "./inspect-page.ts";
import { pagePolicy } from "./policy.ts";
import type { InlineCode } from "./provenance.ts";
import type { ParsedEntry } from "./read-entries.ts";
import { renderPage } from "./render.ts";
import type { Template } from "./source.ts";

/** A page that may be published once its references have been checked. */
export interface MadePage {
  readonly html: string;
  readonly policy: string;
  readonly references: readonly OwnReference[];
  /** What a link's `#fragment` can lead to. */
  readonly anchors: readonly string[];
}

/** What is the same for every page of a build. */
export interface Workshop extends ReferenceContext {
  readonly hasApi: boolean;
  readonly entries: EntryLists;
  readonly templates: ReadonlyMap<string, Template>;
  readonly inlineCode: InlineCode;
  readonly placeOf: (error: unknown) => SourcePlace | undefined;
  readonly memory: BuildMemory | undefined;
  /** Names all that a page is made of besides its entries and assets; undefined when templates read what is not known here. */
  readonly recipe: string | undefined;
}

/** What a page was made of besides its own entry and the templates. */
interface Ingredients {
  /** Digests of the collections that its template looked at. */
  readonly collections: Readonly<Record<string, string>>;
  /** Addresses of the assets that it asked for. */
  readonly assets: Readonly<Record<string, string>>;
}

type PageRecord = Omit<MadePage, "html"> & Ingredients;

/** Makes a page, or takes the one that an earlier build made of the very same things. */
export async function makePage(entry: ParsedEntry, workshop: Workshop): Promise<MadePage> {
  const key = keyOf(entry, workshop);
  const known = key === undefined ? undefined : recallPage(key, workshop);
  if (known !== undefined) return known;
  const seen = { collections: new Set<string>(), assets: new Map<string, string>() };
  const html = renderEntry(entry, workshop, seen);
  const page = await checkPage(html, entry, workshop);
  if (key !== undefined) keepPage(key, page, seen, workshop);
  return page;
}

function keyOf({ digest, collection }: ParsedEntry, { recipe }: Workshop): string | undefined {
  return recipe === undefined || digest === undefined ? undefined : `page ${recipe} ${collection} ${digest}`;
}

function recallPage(key: string, { memory, entries, assets }: Workshop): MadePage | undefined {
  const known = memory?.recall(key);
  if (known === undefined) return undefined;
  const { collections, assets: asked, policy, references, anchors } = known.facts as PageRecord;
  for (const [name, digest] of Object.entries(collections))
    if (entries.digestOf(name) !== digest) return undefined;
  for (const [name, address] of Object.entries(asked))
    if (!assets.has(name) || assets.address(name) !== address) return undefined;
  return { html: known.text, policy, references, anchors };
}

function keepPage(
  key: string,
  { html, policy, references, anchors }: MadePage,
  seen: { collections: ReadonlySet<string>; assets: ReadonlyMap<string, string> },
  { memory, entries }: Workshop,
): void {
  const collections: Record<string, string> = {};
  for (const name of seen.collections) {
    const digest = entries.digestOf(name);
    if (digest === undefined) return;
    collections[name] = digest;
  }
  const record: PageRecord = {
    policy,
    references,
    anchors,
    collections,
    assets: Object.fromEntries(seen.assets),
  };
  memory?.keep(key, record, html);
}

async function checkPage(html: string, entry: ParsedEntry, workshop: Workshop): Promise<MadePage> {
  const facts = await inspectPage(html, workshop.origin + entry.path, workshop.inlineCode);
  const [problem] = facts.problems;
  if (problem !== undefined) {
    throw siteError("SITE_PAGE_UNSAFE", `the page made of it can't be published: ${problem}`, {
      place: { file: entry.file },
      hint: `Look at ${workshop.templateFileOf(entry.collection) ?? "its template"}`,
    });
  }
  // First, since it can say where an address of another site was written.
  const references = ownReferences(facts.references, entry, workshop);
  return {
    html,
    policy: await pagePolicy(html, facts, { ...workshop, path: entry.path, file: entry.file }),
    references,
    anchors: [...facts.anchors],
  };
}

function renderEntry(
  entry: ParsedEntry,
  workshop: Workshop,
  seen: { collections: Set<string>; assets: Map<string, string> },
): string {
  const { origin, templates, inlineCode, assets, entries } = workshop;
  const template = templates.get(entry.collection);
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
      { entry, collections: watchCollections(entries.lists, seen.collections), origin },
      {
        inlineCode,
        template: template.file,
        url: origin + entry.path,
        integrityOf: (path) => assets.integrityOf(path),
        assetAddress(name) {
          const address = assets.address(name);
          seen.assets.set(name, address);
          return address;
        },
      },
    );
  } catch (cause) {
    throw templateError(cause, entry, template, workshop);
  }
}

function templateError(cause: unknown, entry: ParsedEntry, { file }: Template, { placeOf }: Workshop): Error {
  const known = isCurtainwallError(cause) ? cause : undefined;
  const message =
    known?.message ?? `the template threw: ${cause instanceof Error ? cause.message : String(cause)}`;
  return siteError(
    (known?.code ?? "SITE_TEMPLATE_FAILED") as SiteErrorCode,
    `${message} (in the page ${entry.path})`,
    {
      // What the guard throws names its place itself; its stack leads to the renderer.
      place: known?.code === "SITE_TEMPLATE_UNSAFE" ? undefined : (placeOf(cause) ?? { file }),
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
      cause,
    },
  );
}
