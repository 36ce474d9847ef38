import { hash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { Contract, ContractImages } from "../../contract/index.ts";
import type { BuiltSite, PageHistory } from "../build-pages.ts";
import type { ParsedEntry } from "../content/read-entries.ts";
import type { SiteWarning } from "../source.ts";
import type { Here } from "../template/page-props.ts";

/** What is noted of a site, so that one of its pages can be made again by itself. */
export interface SiteNotes {
  /** Names the code that built. */
  readonly stamp: string;
  /** Names the templates. */
  readonly recipe: string;
  readonly origin: string;
  readonly templates: string;
  readonly assets: string | undefined;
  readonly collections: readonly string[];
  readonly hasApi: boolean;
  readonly apiRoots: readonly string[];
  readonly images: ContractImages | undefined;
  readonly imageEncoder: string | undefined;
  /** Addresses of all that is no page. */
  readonly others: readonly string[];
}

/** What is noted of a page whose content file may change below its front matter without any other page changing. */
export interface PageNote {
  readonly path: string;
  readonly collection: string;
  readonly slug: string;
  readonly locale: string | undefined;
  readonly here: Here;
  /** What the schema made of its front matter, by {@link writeData}. */
  readonly data: string;
  /** The part of its file that stands above its text: characters, and their SHA-256. */
  readonly head: readonly [length: number, digest: string];
  readonly policy: string;
  readonly assets: Readonly<Record<string, string>>;
  /** Parts of other pages that it leads to, as {@link jumpTo} writes them. */
  readonly jumps: readonly string[];
  /** Its parts that other pages lead to. */
  readonly wanted: readonly string[];
}

/** Notes that were read. */
export interface OpenNotes {
  readonly site: SiteNotes;
  /** Of the page that a content file makes; undefined when that page can't be made by itself. */
  page(file: string): PageNote | undefined;
  /** The parts of a page, by its address; undefined when no page has it. */
  anchors(path: string): readonly string[] | undefined;
  /** Writes the notes with one page's parts changed; gives their name. */
  save(path: string, anchors: readonly string[]): string;
}

/** A site with more pages has no notes: each build that is not the same makes it from its memory. */
const maxPages = 50_000;

/** What {@link writeNotes} is given. */
export interface NotesInput extends Pick<
  SiteNotes,
  "stamp" | "templates" | "assets" | "images" | "imageEncoder"
> {
  readonly recipe: string | undefined;
  readonly contract: Pick<Contract, "origin" | "routes" | "apiRoots" | "site">;
  readonly drafts: boolean;
  readonly built: Pick<BuiltSite, "history" | "files" | "redirects">;
  /** Of the same files: islands are bundled anew in each build. */
  readonly hasIslands: boolean;
}

/**
 * Notes how a site's pages came to be. Gives the notes' name, or undefined when there are none: pages of such a site are made
 * with all the others.
 */
export function writeNotes(file: string, input: NotesInput): string | undefined {
  const { contract, built, recipe, drafts, hasIslands, stamp, templates, assets, images, imageEncoder } =
    input;
  const { site } = contract;
  const { history } = built;
  rmSync(file, { force: true });
  if (site === undefined || "dist" in site || history === undefined || recipe === undefined) return undefined;
  if (drafts || hasIslands || site.locales?.untranslated === "default" || history.made.length > maxPages)
    return undefined;
  const pages = new Set(history.made.map(({ plan }) => plan.path));
  const head: SiteNotes = {
    stamp,
    recipe,
    origin: contract.origin,
    templates,
    assets,
    collections: [...site.collections.keys()],
    hasApi: contract.routes.length > 0,
    apiRoots: [...contract.apiRoots],
    images,
    imageEncoder,
    others: [...built.files, ...built.redirects].map(({ path }) => path).filter((path) => !pages.has(path)),
  };
  const looked = new Set(history.made.flatMap(({ page }) => Object.keys(page.collections)));
  const shared = new Set([...looked, ...site.feeds, ...site.lists.keys(), ...site.tags.keys()]);
  const wanted = wantedParts(history.made);
  const lines = [JSON.stringify(head)];
  for (const each of history.made) {
    const note = shared.has(each.plan.collection)
      ? undefined
      : noteOf(each, wanted.get(each.plan.path) ?? []);
    if (note !== undefined) lines.push(`${pageKey(each.plan.file)}${JSON.stringify(note)}`);
    lines.push(`${partsKey(each.plan.path)}${JSON.stringify(each.page.anchors)}`);
  }
  return write(file, `${lines.join("\n")}\n`);
}

const pageKey = (file: string): string => `page ${JSON.stringify(file)} `;
const partsKey = (path: string): string => `parts ${JSON.stringify(path)} `;

/** A part of another page, as a link names it. */
export const jumpTo = ({ path, fragment }: { path: string; fragment: string }): string =>
  `${path}#${fragment}`;

function wantedParts(made: readonly PageHistory[]): Map<string, string[]> {
  const wanted = new Map<string, string[]>();
  for (const { plan, page } of made)
    for (const { kind, path, fragment } of page.references) {
      if (kind !== "link" || fragment === "" || path === plan.path) continue;
      const known = wanted.get(path);
      if (known === undefined) wanted.set(path, [fragment]);
      else known.push(fragment);
    }
  return wanted;
}

function noteOf({ plan, page }: PageHistory, wanted: readonly string[]): PageNote | undefined {
  const entry = plan.props["entry"] as ParsedEntry | undefined;
  if (plan.part !== "page" || entry === undefined || entry.isCopy || entry.tags.length > 0) return undefined;
  const head = headOf(plan.text);
  const data = writeData(entry.data);
  if (plan.digest === undefined || head === undefined || data === undefined) return undefined;
  return {
    path: plan.path,
    collection: plan.collection,
    slug: entry.slug,
    locale: entry.locale,
    here: plan.here,
    data,
    head: [head.length, hash("sha256", head)],
    policy: page.policy,
    assets: page.assets,
    jumps: page.references
      .filter(({ kind, path, fragment }) => kind === "link" && fragment !== "" && path !== plan.path)
      .map(jumpTo),
    wanted,
  };
}

/** Front matter with the lines around it; undefined for a file that begins or ends it in any other way than most do. */
function headOf(text: string): string | undefined {
  const start = text.startsWith("\uFEFF") ? 1 : 0;
  const opening = /^---[ \t]*\r?\n/.exec(text.slice(start));
  if (opening === null) return undefined;
  const from = start + opening[0].length;
  const closing = /^---[ \t]*\r?\n/m.exec(text.slice(from));
  return closing === null ? undefined : text.slice(0, from + closing.index + closing[0].length);
}

/** Front matter of which nothing is lost when it is written down; else undefined. */
function writeData(data: unknown): string | undefined {
  return isPlain(data) ? serialize(data).toString("base64") : undefined;
}

/** What {@link PageNote.data} says. */
export const readData = (data: string): unknown => deserialize(Buffer.from(data, "base64"));

function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value === "function" || typeof value === "symbol" || depth > 20) return false;
  if (typeof value !== "object" || value === null) return true;
  const shape: unknown = Object.getPrototypeOf(value);
  if (shape === Date.prototype) return Object.keys(value).length === 0;
  if (shape !== Array.prototype && shape !== Object.prototype) return false;
  return (
    !Object.isFrozen(value) &&
    Reflect.ownKeys(value).every((name) => typeof name === "string") &&
    Object.values(value).every((member) => isPlain(member, depth + 1))
  );
}

/** The notes of that name; undefined when other ones lie there. */
export function openNotes(file: string, name: string): OpenNotes | undefined {
  const bytes = readFileSync(file);
  if (nameOf(bytes) !== name) return undefined;
  const find = (key: string): { from: number; to: number } | undefined => {
    const at = bytes.indexOf(`\n${key}`);
    if (at < 0) return undefined;
    const from = at + 1 + Buffer.byteLength(key);
    return { from, to: bytes.indexOf(10, from) };
  };
  const read = <Value>(key: string): Value | undefined => {
    const place = find(key);
    return place === undefined
      ? undefined
      : (JSON.parse(bytes.toString("utf8", place.from, place.to)) as Value);
  };
  return {
    site: JSON.parse(bytes.toString("utf8", 0, bytes.indexOf(10))) as SiteNotes,
    page: (path) => read<PageNote>(pageKey(path)),
    anchors: (path) => read<string[]>(partsKey(path)),
    save(path, anchors) {
      const place = find(partsKey(path));
      const text = Buffer.from(JSON.stringify(anchors));
      if (place === undefined) throw new RangeError(`nothing is noted of ${path}`);
      if (bytes.subarray(place.from, place.to).equals(text)) return name;
      return write(file, Buffer.concat([bytes.subarray(0, place.from), text, bytes.subarray(place.to)]));
    },
  };
}

const nameOf = (notes: string | Uint8Array): string => hash("sha256", notes);

function write(file: string, notes: string | Uint8Array): string {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${crypto.randomUUID()}.part`;
  writeFileSync(fresh, notes, { mode: 0o600 });
  renameSync(fresh, file);
  return nameOf(notes);
}

/** A page that was made by itself. */
export interface RebuiltPage {
  readonly path: string;
  readonly html: Uint8Array;
  readonly forms: Readonly<Partial<Record<"br" | "gzip" | "zstd", Uint8Array>>>;
  readonly warnings: readonly SiteWarning[];
  /** What the site's notes are called from now on. */
  readonly notes: string;
}
