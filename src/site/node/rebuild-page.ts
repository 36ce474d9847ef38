import { hash } from "node:crypto";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createCompressor } from "../../shared/node.ts";
import { assertFragment, assertReference } from "../checks/check-references.ts";
import { renderContent } from "../content/content.ts";
import type { RenderedContent } from "../content/content.ts";
import type { ParsedEntry } from "../content/read-entries.ts";
import { bareAssets } from "../images/bare-assets.ts";
import { parseVariantName } from "../images/variants.ts";
import { AssetShelf } from "../pages/asset-shelf.ts";
import { makePage } from "../pages/make-page.ts";
import type { MadePage, Workshop } from "../pages/make-page.ts";
import type { PlannedPage } from "../pages/planned-page.ts";
import { AddressBook } from "../paths.ts";
import type { SourceFile } from "../source.ts";
import { vouchForHtml } from "../template/safe-html.ts";
import type { SafeHtml } from "../template/safe-html.ts";
import { loadTemplates } from "./load-templates.ts";
import type { LoadedTemplates } from "./load-templates.ts";
import { jumpTo, openNotes, readData } from "./page-notes.ts";
import type { OpenNotes, PageNote, RebuiltPage, SiteNotes } from "./page-notes.ts";

/** Options of {@link rebuildPage}. */
export interface RebuildPageOptions {
  /** The folder of the contract: a real path. */
  root: string;
  /** That of the build before. */
  cacheFolder: string;
  /** What that build called its notes. */
  notes: string;
  /** The content file, relative to the contract, with `/`. */
  file: string;
}

/** Larger files are read by a whole build, which says what is wrong with them. */
const maxContentBytes = 1_048_576;

/**
 * Makes the page of a content file whose text changed, if it is certain that all others stay as they are: its front matter is the same,
 * no other page shows it, and it asks for the same files, has the same policy, and keeps the parts that others lead to. The page is the
 * one that a whole build would make, which a test holds for random edits.
 *
 * Undefined, or whatever error, means that a whole build has to see to it. It also has the words for what is wrong.
 */
export async function rebuildPage({
  root,
  cacheFolder,
  notes: name,
  file,
}: RebuildPageOptions): Promise<RebuiltPage | undefined> {
  const notes = openNotes(join(cacheFolder, "pages.notes"), name);
  const note = notes?.page(file);
  if (notes === undefined || note === undefined) return undefined;
  const { site } = notes;
  const bytes = readPlainFile(join(root, file));
  const text = decode(bytes);
  const [headLength, headDigest] = note.head;
  const head = text.slice(0, headLength);
  if (bytes.length > maxContentBytes || hash("sha256", head) !== headDigest) return undefined;

  const loaded = await loadTemplates({
    root,
    folder: site.templates,
    collections: site.collections,
    routes: [],
    cacheFile: join(cacheFolder, "templates.json"),
    stamp: site.stamp,
  });
  if (loaded.recipe !== site.recipe) return undefined;
  const shelf = await openShelf(note, site, root);
  const content = await renderContent(text.slice(headLength));
  const plan = planOf({ file, text, note, site, content });
  const workshop = workshopOf(notes, loaded, shelf.assets);
  const page = await makePage(plan, workshop);
  if (shelf.lacked() || !isAlone(page, note, shelf.has, site)) return undefined;
  assertReferences(page, plan, workshop, notes);

  const html = new TextEncoder().encode(page.html);
  const forms = await createCompressor(cacheFolder).compress(html, hash("sha256", html));
  const bodyLine = head.split("\n").length;
  return {
    path: note.path,
    html,
    forms,
    warnings: content.removals.map(({ line, message }) => ({
      file,
      line: line === undefined ? undefined : line + bodyLine - 1,
      message,
    })),
    notes: notes.save(note.path, page.anchors),
  };
}

/** Follows no link: what it leads to lies elsewhere. */
function readPlainFile(path: string): Uint8Array {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const decode = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

interface Shelf {
  readonly assets: AssetShelf;
  /** Whether a file is on it, by either of its addresses. */
  readonly has: (path: string) => boolean;
  /** Whether the page asked for another file. A template may have caught the error. */
  readonly lacked: () => boolean;
}

/** The assets that the page asked for the last time, and no others. */
async function openShelf({ assets }: PageNote, site: SiteNotes, root: string): Promise<Shelf> {
  const names = new Set(
    Object.keys(assets).map((name) => (parseVariantName(name)?.name ?? name).replace(/^\//, "")),
  );
  const folder = site.assets ?? "";
  const files = [...names].map((path): SourceFile => {
    const file = `${folder}/${path}`;
    return { path, file, bytes: readPlainFile(join(root, file)) };
  });
  const others = new Set(site.others);
  const addresses = new NotedAddresses((path) => others.has(path));
  const shelf = await AssetShelf.create(bareAssets(files).files, addresses, site.imageEncoder);
  const given = new Set(Object.values(assets));
  const find = shelf.find.bind(shelf);
  const has = (path: string): boolean => given.has(path) || find(path) !== undefined;
  const address = shelf.address.bind(shelf);
  let isLacking = false;
  shelf.find = (path) => {
    const found = find(path);
    if (found === undefined && others.has(path)) isLacking = true;
    return found;
  };
  shelf.address = (name) => {
    if (!shelf.has(name)) isLacking = true;
    return address(name);
  };
  return { assets: shelf, has, lacked: () => isLacking };
}

/** Addresses that an earlier build gave out. */
class NotedAddresses extends AddressBook {
  readonly #has: (path: string) => boolean;

  constructor(has: (path: string) => boolean, apiRoots: readonly string[] = []) {
    super(new Set(apiRoots));
    this.#has = has;
  }

  override claim(): void {}

  override has(path: string): boolean {
    return this.#has(path);
  }
}

interface PlanInput {
  readonly file: string;
  readonly text: string;
  readonly note: PageNote;
  readonly site: SiteNotes;
  readonly content: RenderedContent;
}

function planOf({ file, text, note, site, content }: PlanInput): PlannedPage {
  const { path, collection, slug, locale, here } = note;
  const data = readData(note.data);
  let safe: SafeHtml | undefined;
  const entry: ParsedEntry = {
    collection,
    slug,
    path,
    locale,
    data,
    tags: [],
    get body() {
      return (safe ??= vouchForHtml(content.html, "content"));
    },
    headings: content.headings,
    file,
    text,
    warnings: [],
    aliases: [],
    digest: undefined,
    isCopy: false,
  };
  return {
    path,
    collection,
    part: "page",
    file,
    text,
    here: withUndefined(here),
    props: { entry },
    // Empty: a page that looks into them is not made here.
    entries: {
      lists: Object.fromEntries(site.collections.map((name) => [name, []])),
      digestOf: () => undefined,
    },
    digest: undefined,
    data,
  };
}

/** JSON leaves out what is undefined, and a template can list the names. */
function withUndefined(here: PageNote["here"]): PageNote["here"] {
  const { path, url, canonical, locale, dir, alternates, defaultAlternate, previous, next, feed } = here;
  return { path, url, canonical, locale, dir, alternates, defaultAlternate, previous, next, feed };
}

function workshopOf(notes: OpenNotes, loaded: LoadedTemplates, assets: AssetShelf): Workshop {
  const { site } = notes;
  const others = new Set(site.others);
  const { templates, inlineCode, templateSources, placeOf } = loaded;
  const has = (path: string): boolean => others.has(path) || notes.anchors(path) !== undefined;
  return {
    origin: site.origin,
    hasApi: site.hasApi,
    addresses: new NotedAddresses(has, site.apiRoots),
    assets,
    images: site.imageEncoder === undefined ? undefined : site.images,
    templates,
    templateSources,
    templateFileOf: (collection) => templates.get(collection)?.file,
    inlineCode,
    placeOf,
    memory: undefined,
    recipe: undefined,
  };
}

/** Whether nothing of the page concerns the rest of the release. */
function isAlone(
  page: MadePage,
  note: PageNote,
  isOnShelf: (path: string) => boolean,
  site: SiteNotes,
): boolean {
  const others = new Set(site.others);
  const jumps = new Set(note.jumps);
  const anchors = new Set(page.anchors);
  const isKnown = ({ kind, path, fragment }: MadePage["references"][number]): boolean =>
    kind === "link"
      ? fragment === "" || path === note.path || jumps.has(jumpTo({ path, fragment }))
      : !others.has(path) || isOnShelf(path);
  return (
    Object.keys(page.collections).length === 0 &&
    page.policy === note.policy &&
    isSameRecord(page.assets, note.assets) &&
    page.references.every(isKnown) &&
    note.wanted.every((name) => name.toLowerCase() === "top" || anchors.has(name))
  );
}

function isSameRecord(
  left: Readonly<Record<string, string>>,
  right: Readonly<Record<string, string>>,
): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}

function assertReferences(page: MadePage, plan: PlannedPage, workshop: Workshop, notes: OpenNotes): void {
  for (const reference of page.references) {
    assertReference(reference, plan, workshop);
    if (reference.kind !== "link" || reference.fragment === "") continue;
    const { path } = reference;
    const anchors = path === plan.path ? page.anchors : notes.anchors(path);
    if (anchors === undefined) continue;
    assertFragment(reference, new Map([[path, new Set(anchors)]]), plan, workshop);
  }
}
