import type { ContractImages } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import type { BuildMemory } from "../build-memory.ts";
import { ownReferences } from "../checks/check-references.ts";
import type { OwnReference, ReferenceContext } from "../checks/check-references.ts";
import { watchCollections } from "../content/collections.ts";
import { siteError } from "../errors.ts";
import type { SiteErrorCode, SourcePlace } from "../errors.ts";
import { createPicturePlacer } from "../images/place-pictures.ts";
import { inspectPage } from "../checks/inspect-page.ts";
import { pagePolicy } from "./policy.ts";
import type { InlineCode } from "../checks/provenance.ts";
import type { PlannedPage } from "./planned-page.ts";
import { renderPage } from "./render.ts";
import type { Template } from "../source.ts";

/** A page that may be published once its references have been checked. */
export interface MadePage {
  readonly html: string;
  readonly policy: string;
  readonly references: readonly OwnReference[];
  /** What a link's `#fragment` can lead to. */
  readonly anchors: readonly string[];
  /** Digests of the collections that its template looked at; undefined for one that can't be told. */
  readonly collections: Readonly<Record<string, string | undefined>>;
  /** Addresses of the assets that it asked for. */
  readonly assets: Readonly<Record<string, string>>;
}

/** What is the same for every page of a build. */
export interface Workshop extends ReferenceContext {
  readonly hasApi: boolean;
  readonly templates: ReadonlyMap<string, Template>;
  readonly inlineCode: InlineCode;
  readonly placeOf: (error: unknown) => SourcePlace | undefined;
  readonly memory: BuildMemory | undefined;
  /** What photographs are offered as; undefined: as they are. */
  readonly images: ContractImages | undefined;
  /** Names all that a page is made of besides its entries and assets; undefined when templates read what is not known here. */
  readonly recipe: string | undefined;
}

type PageRecord = Omit<MadePage, "html">;

/** Makes a page, or takes the one that an earlier build made of the very same things. */
export async function makePage(plan: PlannedPage, workshop: Workshop): Promise<MadePage> {
  const key = keyOf(plan, workshop);
  const known = key === undefined ? undefined : recallPage(key, plan, workshop);
  if (known !== undefined) return known;
  const seen = { collections: new Set<string>(), assets: new Map<string, string>() };
  const html = renderPlanned(plan, workshop, seen);
  const page = { ...(await checkPage(html, plan, workshop)), ...ingredientsOf(seen, plan) };
  if (key !== undefined) keepPage(key, page, workshop);
  return page;
}

function ingredientsOf(
  seen: { collections: ReadonlySet<string>; assets: ReadonlyMap<string, string> },
  { entries }: PlannedPage,
): Pick<MadePage, "collections" | "assets"> {
  const collections = [...seen.collections].map((name) => [name, entries.digestOf(name)] as const);
  return { collections: Object.fromEntries(collections), assets: Object.fromEntries(seen.assets) };
}

function keyOf({ digest, collection, part }: PlannedPage, { recipe }: Workshop): string | undefined {
  return recipe === undefined || digest === undefined
    ? undefined
    : `page ${recipe} ${collection} ${part} ${digest}`;
}

function recallPage(
  key: string,
  { entries }: PlannedPage,
  { memory, assets }: Workshop,
): MadePage | undefined {
  const known = memory?.recall(key);
  if (known === undefined) return undefined;
  const { collections, assets: asked, policy, references, anchors } = known.facts as PageRecord;
  for (const [name, digest] of Object.entries(collections))
    if (entries.digestOf(name) !== digest) return undefined;
  for (const [name, address] of Object.entries(asked))
    if (!assets.has(name) || assets.address(name) !== address) return undefined;
  return { html: known.text, policy, references, anchors, collections, assets: asked };
}

function keepPage(key: string, { html, ...record }: MadePage, { memory }: Workshop): void {
  if (!Object.values(record.collections).includes(undefined)) memory?.keep(key, record, html);
}

async function checkPage(
  html: string,
  entry: PlannedPage,
  workshop: Workshop,
): Promise<Omit<MadePage, "collections" | "assets">> {
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

function renderPlanned(
  plan: PlannedPage,
  workshop: Workshop,
  seen: { collections: Set<string>; assets: Map<string, string> },
): string {
  const { origin, inlineCode, assets } = workshop;
  const { collection, here, props, entries } = plan;
  const template = workshop.templates.get(collection);
  const component = template?.[plan.part];
  if (template === undefined || component === undefined) throw templateMissing(plan, template);
  const ask = (name: string): string => {
    const address = assets.address(name);
    seen.assets.set(name, address);
    return address;
  };
  const find = assets.find.bind(assets);
  try {
    return renderPage(
      component,
      { ...props, here, collections: watchCollections(entries.lists, seen.collections), origin },
      {
        inlineCode,
        template: template.file,
        url: here.url,
        locale: here.locale,
        integrityOf: (path) => assets.integrityOf(path),
        assetAddress: ask,
        pictures: createPicturePlacer({ url: here.url, find, ask, sizes: workshop.images }),
      },
    );
  } catch (cause) {
    throw templateError(cause, plan, template, workshop);
  }
}

function templateMissing({ collection, part, file }: PlannedPage, template: Template | undefined): Error {
  const props = { page: "entry", list: "page", tag: "tag, page", tags: "tags" }[part];
  const hint = `export function ${part}({ ${props} }) { … }`;
  return template === undefined
    ? siteError("SITE_TEMPLATE_MISSING", `there is no template for the collection "${collection}".`, {
        place: { file },
        hint: `Write ${collection}.tsx in the templates folder, with  ${hint}`,
      })
    : siteError(
        "SITE_TEMPLATE_INVALID",
        `it exports no component named ${part}, which the contract asks for.`,
        {
          place: { file: template.file },
          hint: `Write  ${hint}`,
        },
      );
}

const namesItsPlace = new Set<string | undefined>(["SITE_TEMPLATE_UNSAFE", "SITE_IMAGE_INVALID"]);

function templateError(cause: unknown, plan: PlannedPage, { file }: Template, { placeOf }: Workshop): Error {
  const known = isCurtainwallError(cause) ? cause : undefined;
  const message =
    known?.message ?? `the template threw: ${cause instanceof Error ? cause.message : String(cause)}`;
  return siteError(
    (known?.code ?? "SITE_TEMPLATE_FAILED") as SiteErrorCode,
    `${message} (in the page ${plan.path})`,
    {
      // What the guard throws names its place itself; its stack leads to the renderer.
      place: namesItsPlace.has(known?.code) ? undefined : (placeOf(cause) ?? { file }),
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
      cause,
    },
  );
}
