import type { ContractList, ContractSite } from "../../contract/index.ts";
import type { BuildMemory } from "../build-memory.ts";
import { listEntries } from "../content/collections.ts";
import type { EntryLists } from "../content/collections.ts";
import { siteError } from "../errors.ts";
import type { FeedPlan } from "./feed.ts";
import { listPages } from "./list-pages.ts";
import { directionOf, localePrefix, localesOf } from "../locales.ts";
import type { Alternate, Here, ListPage, Tag, TagLink } from "../template/page-props.ts";
import { entryPath, isNotFoundPath } from "../paths.ts";
import type { AddressBook } from "../paths.ts";
import type { PlannedPage } from "./planned-page.ts";
import type { ParsedEntry } from "../content/read-entries.ts";
import type { Template, TemplatePart } from "../source.ts";
import { TagIndex } from "../content/tags.ts";

/** What pages are planned from. */
export interface PlanInput {
  readonly origin: string;
  readonly site: Pick<ContractSite, "collections" | "feeds" | "lists" | "tags" | "locales">;
  /** In all languages, copies included. */
  readonly entries: readonly ParsedEntry[];
  readonly addresses: AddressBook;
  readonly templates: ReadonlyMap<string, Template>;
  readonly memory: BuildMemory | undefined;
}

/** What a site will have. */
export interface SitePlan {
  readonly pages: readonly PlannedPage[];
  readonly feeds: readonly FeedPlan[];
}

/**
 * Decides which pages a site has: one for each entry, and those of lists and tags, in each language.
 *
 * @throws {CurtainwallError} `SITE_PATH_CONFLICT`, `SITE_LIST_INVALID`, `SITE_TAG_CLASH`, `SITE_TEMPLATE_INVALID`
 */
export function planPages(input: PlanInput): SitePlan {
  const plans = localesOf(input.site.locales).map((locale) => planLocale(locale, input));
  const drafts = plans.flatMap(({ drafts: own }) => own);
  const groups = new Map<string, Draft[]>();
  for (const draft of drafts) {
    if (draft.translations === undefined || draft.isCopy) continue;
    const group = groups.get(draft.translations);
    if (group === undefined) groups.set(draft.translations, [draft]);
    else group.push(draft);
  }
  const pages = drafts.map((draft) => finish(draft, groups.get(draft.translations ?? "") ?? [], input));
  return { pages, feeds: plans.flatMap(({ feeds }) => feeds) };
}

/** A page before its neighbours are known. */
interface Draft extends Omit<PlannedPage, "here" | "digest"> {
  readonly locale: string | undefined;
  readonly isCopy: boolean;
  /** Pages of the same text in other languages have the same; undefined for those that have no counterpart. */
  readonly translations: string | undefined;
  readonly previous: string | undefined;
  readonly next: string | undefined;
  readonly feed: string | undefined;
  /** Name all of its props. */
  readonly digests: readonly unknown[];
}

/** One language of a site. */
interface LocaleInput extends PlanInput {
  readonly locale: string | undefined;
  readonly prefix: string;
  readonly lists: EntryLists;
}

function planLocale(locale: string | undefined, input: PlanInput): { drafts: Draft[]; feeds: FeedPlan[] } {
  const { site, entries, memory } = input;
  const prefix = localePrefix(locale, site.locales);
  const own = entries.filter((entry) => localeOfPage(entry, input) === locale);
  const context: LocaleInput = {
    ...input,
    entries: own,
    locale,
    prefix,
    lists: listEntries(own, [...site.collections.keys()], memory),
  };
  const lists = [...site.lists].filter(([name]) => isListed(name, context));
  const listed = lists.map(([name, options]) => planList(name, options, context));
  const texts = new Set(listed.map(({ text }) => text));
  const tags = [...site.tags.keys()]
    .filter((name) => isListed(name, context))
    .map((name) => planTags(name, context));
  return {
    drafts: [
      ...own.filter((entry) => !texts.has(entry)).map((entry) => planEntry(entry, context)),
      ...listed.flatMap(({ drafts }) => drafts),
      ...tags.flatMap(({ drafts }) => drafts),
    ],
    feeds: [
      ...site.feeds.filter((name) => isListed(name, context)).map((name) => planFeed(name, context)),
      ...tags.flatMap(({ feeds }) => feeds),
    ],
  };
}

/** A copy is in the language of its address, not in that of its text. */
function localeOfPage(entry: ParsedEntry, { site: { locales } }: PlanInput): string | undefined {
  if (!entry.isCopy) return entry.locale;
  return locales?.others.find((locale) => entry.path.startsWith(`${localePrefix(locale, locales)}/`));
}

/** Whether a language has a collection's list, tags and feed: the default one always, so that links to them hold. */
function isListed(collection: string, { locale, site, lists }: LocaleInput): boolean {
  return locale === site.locales?.default || entriesOf(collection, lists).length > 0;
}

/** A collection's entries but its index, which a list does not have. */
function entriesOf(collection: string, { lists }: EntryLists): readonly ParsedEntry[] {
  return (lists[collection] ?? []).filter(({ slug }) => slug !== "");
}

function planEntry(entry: ParsedEntry, context: LocaleInput): Draft {
  const { collection, slug, path, file, text, data, digest, isCopy } = entry;
  return {
    path,
    collection,
    part: "page",
    file,
    text,
    data,
    props: { entry },
    entries: context.lists,
    locale: context.locale,
    isCopy,
    translations: isNotFoundPath(path) ? undefined : `entry ${collection} ${slug}`,
    previous: undefined,
    next: undefined,
    feed: undefined,
    digests: [digest],
  };
}

function planList(
  collection: string,
  options: ContractList,
  context: LocaleInput,
): { drafts: Draft[]; text: ParsedEntry | undefined } {
  const base = entryPath(collection, "", context.prefix);
  const text = context.entries.find(({ path }) => path === base);
  if (text !== undefined && text.collection !== "pages") {
    throw siteError("SITE_PATH_CONFLICT", `its address ${base} is that of the collection's list.`, {
      place: { file: text.file },
      hint: `The text above a list stands with the pages, and has their front matter: pages/${collection}.md`,
    });
  }
  const feed = context.site.feeds.includes(collection) ? `${base}feed.xml` : undefined;
  const entries = entriesOf(collection, context.lists);
  const drafts = listPages(entries, options, base).map((page): Draft => {
    const isFirst = page.number === 1;
    return {
      ...draftOf(collection, "list", page.paths[page.number - 1] ?? base, context),
      ...(text === undefined ? {} : { file: text.file, text: text.text }),
      data: isFirst ? text?.data : undefined,
      props: { page, text },
      // As the page of its text, which it is where a language has no list. The second page's counterpart is the second page: search
      // engines want each page of a list known by its own address, and never by the first one's.
      translations: isFirst ? `entry pages ${collection}` : `list ${collection} ${page.number}`,
      previous: page.previous,
      next: page.next,
      feed,
      digests: [text === undefined ? "" : text.digest, ...digestsOf(page)],
    };
  });
  for (const { path, file } of drafts.slice(text === undefined ? 0 : 1))
    context.addresses.claim(path, { file });
  return { drafts, text };
}

function planTags(collection: string, context: LocaleInput): { drafts: Draft[]; feeds: FeedPlan[] } {
  const options = context.site.tags.get(collection);
  if (options === undefined) return { drafts: [], feeds: [] };
  const base = entryPath(collection, "tags", context.prefix);
  const index = new TagIndex();
  const tagged = new Map<string, ParsedEntry[]>();
  for (const entry of entriesOf(collection, context.lists)) {
    for (const link of entry.tags) {
      index.add(link, entry.file);
      const known = tagged.get(link.slug);
      if (known === undefined) tagged.set(link.slug, [entry]);
      else known.push(entry);
    }
  }
  const tags = index.list().map((link): Tag => ({ ...link, count: tagged.get(link.slug)?.length ?? 0 }));
  const drafts: Draft[] = [
    {
      ...draftOf(collection, "tags", base, context),
      props: { tags },
      translations: `tags ${collection}`,
      digests: [tags],
    },
    ...tags.flatMap((tag) =>
      listPages(tagged.get(tag.slug) ?? [], options, tag.path).map((page): Draft => ({
        ...draftOf(collection, "tag", page.paths[page.number - 1] ?? base, context),
        props: { tag, page },
        translations: `tag ${collection} ${tag.slug} ${page.number}`,
        previous: page.previous,
        next: page.next,
        feed: options.feeds ? feedOf(tag) : undefined,
        digests: [tag, ...digestsOf(page)],
      })),
    ),
  ];
  for (const { path, file } of drafts) context.addresses.claim(path, { file });
  const feeds = (options.feeds ? tags : []).map((tag): FeedPlan => ({
    path: feedOf(tag),
    title: `${titleOf(collection, context)}: ${tag.name}`,
    home: tag.path,
    locale: context.locale,
    entries: (tagged.get(tag.slug) ?? []).filter(({ isCopy }) => !isCopy),
  }));
  return { drafts, feeds };
}

const feedOf = ({ path }: TagLink): string => `${path}feed.xml`;

/** What readers call a collection in their language: the title of the page at its address. */
function titleOf(collection: string, { entries, prefix }: LocaleInput): string {
  const home = entries.find(({ path }) => path === entryPath(collection, "", prefix));
  const { title } = (home?.data ?? {}) as { readonly title?: unknown };
  return typeof title === "string" && title.trim() !== "" ? title : collection;
}

function planFeed(collection: string, context: LocaleInput): FeedPlan {
  const { prefix, locale, lists } = context;
  return {
    path: `${prefix}/${collection}/feed.xml`,
    title: titleOf(collection, context),
    home: entryPath(collection, "", prefix),
    locale,
    entries: entriesOf(collection, lists).filter(({ isCopy }) => !isCopy),
  };
}

/** A page that no file is the source of. */
function draftOf(collection: string, part: TemplatePart, path: string, context: LocaleInput): Draft {
  return {
    path,
    collection,
    part,
    file: context.templates.get(collection)?.file ?? `the ${part} of ${collection}`,
    text: "",
    data: undefined,
    props: {},
    entries: context.lists,
    locale: context.locale,
    isCopy: false,
    translations: undefined,
    previous: undefined,
    next: undefined,
    feed: undefined,
    digests: [],
  };
}

function digestsOf({ items, ...page }: ListPage<ParsedEntry>): unknown[] {
  return [page, ...items.map(({ digest }) => digest)];
}

function finish(draft: Draft, group: readonly Draft[], { origin, site, memory }: PlanInput): PlannedPage {
  const { path, collection, part, file, text, data, props, entries, isCopy, locale, digests } = draft;
  const alternates = group.length < 2 && !isCopy ? [] : group.flatMap((other) => alternateOf(other, origin));
  const isDefault = (alternate: Alternate): boolean => alternate.locale === site.locales?.default;
  const original = isCopy ? alternates.find(isDefault) : undefined;
  const url = origin + path;
  const here: Here = {
    path,
    url,
    canonical: isNotFoundPath(path) ? undefined : (original?.url ?? url),
    locale,
    dir: locale === undefined ? "ltr" : directionOf(locale),
    // Of a copy search engines are told the original alone, which tells them the rest.
    alternates: isCopy ? [] : alternates,
    defaultAlternate: isCopy ? undefined : alternates.find(isDefault),
    previous: draft.previous,
    next: draft.next,
    feed: draft.feed,
  };
  const isKnown = memory !== undefined && !digests.includes(undefined);
  const digest = isKnown ? memory.digest(JSON.stringify([here, digests])) : undefined;
  return { path, collection, part, file, text, data, props, entries, here, digest };
}

function alternateOf({ locale, path }: Draft, origin: string): Alternate[] {
  return locale === undefined ? [] : [{ locale, path, url: origin + path }];
}
