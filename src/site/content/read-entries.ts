import type { ContractLocales, ContractSource, ContractTags, Schema } from "../../contract/index.ts";
import type { BuildMemory } from "../build-memory.ts";
import { renderContent, renderHtml } from "./content.ts";
import type { ContentFormat, RenderedContent } from "./content.ts";
import { siteError } from "../errors.ts";
import { parseFrontMatter } from "./front-matter.ts";
import { localePrefix } from "../locales.ts";
import { extensionOf } from "../media-types.ts";
import type { Entry, TagLink } from "../template/page-props.ts";
import { contentPath, entryPath } from "../paths.ts";
import type { AddressBook, ContentPath } from "../paths.ts";
import { imageAddresses } from "../images/image-tags.ts";
import { movePictures } from "../images/source-pictures.ts";
import { vouchForHtml } from "../template/safe-html.ts";
import type { SafeHtml } from "../template/safe-html.ts";
import type { SiteWarning, SourceFile } from "../source.ts";
import { readTags } from "./tags.ts";

/** An entry, read and rendered. */
export interface ParsedEntry extends Entry {
  readonly file: string;
  /** The whole file. */
  readonly text: string;
  readonly warnings: readonly SiteWarning[];
  /** Addresses that lead here. */
  readonly aliases: readonly string[];
  /** Names all that a template can see of it; undefined when that can't be told. */
  readonly digest: string | undefined;
  /** It stands in for its translation; see {@link copyEntry}. */
  readonly isCopy: boolean;
}

/** What all entries of a site are made with. */
export interface EntryContext {
  readonly addresses: AddressBook;
  readonly memory: BuildMemory | undefined;
  readonly locales: ContractLocales | undefined;
  /** By collection. */
  readonly tags: ReadonlyMap<string, Pick<ContractTags, "slugs">>;
}

/** What {@link readEntry} is given. */
export interface ReadEntryOptions extends EntryContext {
  readonly schemas: ReadonlyMap<string, Schema>;
  /** The collections that are no files. */
  readonly sources: ReadonlyMap<string, Pick<ContractSource, "url">>;
  /** Whether drafts are pages. */
  readonly drafts: boolean;
}

/**
 * Reads a content file, claims its addresses, and renders its text. Undefined for a draft that is not to be built.
 *
 * @throws {CurtainwallError} `SITE_FILE_REFUSED`, `SITE_COLLECTION_UNKNOWN`, `SITE_PATH_INVALID`, `SITE_PATH_CONFLICT`,
 *   `SITE_FRONT_MATTER_INVALID`, `SITE_CONTENT_INVALID`, `SITE_LOCALE_INVALID`, `SITE_TAG_INVALID`
 */
export async function readEntry(
  source: SourceFile,
  options: ReadEntryOptions,
): Promise<ParsedEntry | undefined> {
  const place = { file: source.file };
  if (extensionOf(source.path) !== "md") {
    throw siteError("SITE_FILE_REFUSED", "the content folder holds Markdown only.", {
      place,
      hint: "Move pictures and other files into the assets folder",
    });
  }
  const address = contentPath(source.path, place, options.locales);
  const { collection } = address;
  const schema = options.schemas.get(collection);
  if (schema === undefined) {
    throw siteError("SITE_COLLECTION_UNKNOWN", `the contract has no collection "${collection}".`, {
      place,
      hint: `Add  ${collection}: z.object({ title: z.string() }),  to site.collections, or move the file`,
    });
  }
  const from = options.sources.get(collection);
  if (from !== undefined) {
    throw siteError("SITE_FILE_REFUSED", `the entries of "${collection}" come from ${from.url.href}.`, {
      place,
      hint: "A collection has one origin: move the file into another one",
    });
  }
  const text = decode(source);
  const { data, own, body, bodyLine } = await parseFrontMatter(source.file, text, schema);
  if (own.draft && !options.drafts) return undefined;
  const { file } = source;
  return makeEntry(
    { address, file, text, data, aliases: own.aliases, body, bodyLine, format: "markdown" },
    options,
  );
}

/** What an entry is made of, wherever it was read. */
export interface EntryParts {
  readonly address: ContentPath;
  /** For messages: its file, or where its source has it. */
  readonly file: string;
  /** All of its text. */
  readonly text: string;
  readonly data: unknown;
  readonly aliases: readonly string[];
  readonly body: string;
  /** Line of its text at which the body begins, from 1. */
  readonly bodyLine: number;
  readonly format: ContentFormat;
  /** Where a picture of its text lies on this site, by its address there. Default: pictures are where they say. */
  readonly showPicture?: ReadonlyMap<string, string> | undefined;
}

/**
 * Makes an entry: claims its addresses, and renders its text.
 *
 * @throws {CurtainwallError} `SITE_PATH_CONFLICT`, `SITE_CONTENT_INVALID`, `SITE_TAG_INVALID`
 */
export async function makeEntry(parts: EntryParts, context: EntryContext): Promise<ParsedEntry> {
  const { address, file, text, data, aliases, body, bodyLine, format } = parts;
  const { collection, slug, path, locale } = address;
  const { addresses, memory } = context;
  for (const claimed of [path, ...aliases]) addresses.claim(claimed, { file });
  const bodyDigest = memory?.digest(body);
  const content = await contentOf({ body, format }, { file, line: bodyLine }, memory, bodyDigest);
  const warnings = content.removals.map(({ line, message }): SiteWarning => ({
    file,
    line: line === undefined ? undefined : line + bodyLine - 1,
    message,
  }));
  const { showPicture } = parts;
  // Where its pictures lie is no part of its text, and what pages show of it.
  const moved = !showPicture?.size ? [] : imageAddresses(content.html).map((one) => showPicture.get(one));
  const dataDigest = memory?.digestValue(data);
  const digest =
    dataDigest === undefined
      ? undefined
      : memory?.digest(JSON.stringify([path, slug, dataDigest, bodyDigest, format, locale, moved]));
  let safe: SafeHtml | undefined;
  return {
    collection,
    slug,
    path,
    locale,
    data,
    tags: tagsOf(data, address, file, context),
    get body() {
      return (safe ??= vouchForHtml(movePictures(content.html, showPicture), "content"));
    },
    headings: content.headings,
    file,
    text,
    warnings,
    aliases,
    digest,
    isCopy: false,
  };
}

/** An entry that stands in for its translation, at the address that one would have. */
export function copyEntry(entry: ParsedEntry, locale: string, context: EntryContext): ParsedEntry {
  const { collection, slug, data, file, digest } = entry;
  const path = entryPath(collection, slug, localePrefix(locale, context.locales));
  context.addresses.claim(path, { file });
  return {
    collection,
    slug,
    path,
    locale: entry.locale,
    data,
    tags: tagsOf(data, { collection, locale }, file, context),
    get body() {
      return entry.body;
    },
    headings: entry.headings,
    file,
    text: entry.text,
    // Told once, of the entry itself.
    warnings: [],
    aliases: [],
    digest: digest === undefined ? undefined : context.memory?.digest(`copy ${path} ${digest}`),
    isCopy: true,
  };
}

function tagsOf(
  data: unknown,
  { collection, locale }: Pick<ContentPath, "collection" | "locale">,
  file: string,
  { tags, locales }: EntryContext,
): readonly TagLink[] {
  const options = tags.get(collection);
  if (options === undefined) return [];
  return readTags(data, options, entryPath(collection, "tags", localePrefix(locale, locales)), file);
}

async function contentOf(
  source: { readonly body: string; readonly format: ContentFormat },
  place: { file: string; line: number },
  memory: BuildMemory | undefined,
  bodyDigest: string | undefined,
): Promise<RenderedContent> {
  const key = `content ${source.format} ${bodyDigest}`;
  const known = memory?.recall(key);
  if (known !== undefined) {
    const { headings, removals } = known.facts as Pick<RenderedContent, "headings" | "removals">;
    return {
      headings,
      removals,
      get html() {
        return known.text;
      },
    };
  }
  const content = await render(source, place);
  memory?.keep(key, { headings: content.headings, removals: content.removals }, content.html);
  return content;
}

async function render(
  { body, format }: { readonly body: string; readonly format: ContentFormat },
  place: { file: string; line: number },
): Promise<RenderedContent> {
  try {
    return format === "html" ? await renderHtml(body) : await renderContent(body);
  } catch (cause) {
    throw siteError(
      "SITE_CONTENT_INVALID",
      `its text can't be read as ${format === "html" ? "HTML" : "Markdown"}.`,
      {
        place,
        hint: "Most likely elements or lists are nested thousands deep",
        cause,
      },
    );
  }
}

/** The longest content file that is read, in bytes. */
const maxContentBytes = 2_097_152;

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
