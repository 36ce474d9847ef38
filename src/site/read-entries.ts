import type { Schema } from "../contract/index.ts";
import type { BuildMemory } from "./build-memory.ts";
import { renderContent } from "./content.ts";
import type { RenderedContent } from "./content.ts";
import { siteError } from "./errors.ts";
import { parseFrontMatter } from "./front-matter.ts";
import { extensionOf } from "./media-types.ts";
import { contentPath } from "./paths.ts";
import type { AddressBook } from "./paths.ts";
import { vouchForHtml } from "./safe-html.ts";
import type { SafeHtml } from "./safe-html.ts";
import type { SiteWarning, SourceFile } from "./source.ts";
import type { Entry } from "./template.ts";

/** A content file, read and rendered. */
export interface ParsedEntry extends Entry {
  readonly file: string;
  /** The whole file. */
  readonly text: string;
  readonly warnings: readonly SiteWarning[];
  /** Addresses that lead here. */
  readonly aliases: readonly string[];
  /** Names all that a template can see of it; undefined when that can't be told. */
  readonly digest: string | undefined;
}

/** What {@link readEntry} is given. */
export interface ReadEntryOptions {
  readonly schemas: ReadonlyMap<string, Schema>;
  readonly addresses: AddressBook;
  readonly memory: BuildMemory | undefined;
  /** Whether drafts are pages. */
  readonly drafts: boolean;
}

/**
 * Reads a content file, claims its addresses, and renders its text. Undefined for a draft that is not to be built.
 *
 * @throws {CurtainwallError} `SITE_FILE_REFUSED`, `SITE_COLLECTION_UNKNOWN`, `SITE_PATH_INVALID`, `SITE_PATH_CONFLICT`,
 *   `SITE_FRONT_MATTER_INVALID`, `SITE_CONTENT_INVALID`
 */
export async function readEntry(
  source: SourceFile,
  { schemas, addresses, memory, drafts }: ReadEntryOptions,
): Promise<ParsedEntry | undefined> {
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
  const text = decode(source);
  const { data, own, body, bodyLine } = await parseFrontMatter(source.file, text, schema);
  if (own.draft && !drafts) return undefined;
  for (const address of [path, ...own.aliases]) addresses.claim(address, place);
  const bodyDigest = memory?.digest(body);
  const content = await contentOf(body, { file: source.file, line: bodyLine }, memory, bodyDigest);
  const warnings = content.removals.map(({ line, message }): SiteWarning => ({
    file: source.file,
    line: line === undefined ? undefined : line + bodyLine - 1,
    message,
  }));
  const dataDigest = memory?.digestValue(data);
  const digest =
    dataDigest === undefined
      ? undefined
      : memory?.digest(JSON.stringify([path, slug, dataDigest, bodyDigest]));
  let safe: SafeHtml | undefined;
  return {
    collection,
    slug,
    path,
    data,
    get body() {
      return (safe ??= vouchForHtml(content.html, "content"));
    },
    headings: content.headings,
    file: source.file,
    text,
    warnings,
    aliases: own.aliases,
    digest,
  };
}

async function contentOf(
  body: string,
  place: { file: string; line: number },
  memory: BuildMemory | undefined,
  bodyDigest: string | undefined,
): Promise<RenderedContent> {
  const key = `content ${bodyDigest}`;
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
  const content = await render(body, place);
  memory?.keep(key, { headings: content.headings, removals: content.removals }, content.html);
  return content;
}

async function render(body: string, place: { file: string; line: number }): Promise<RenderedContent> {
  try {
    return await renderContent(body);
  } catch (cause) {
    throw siteError("SITE_CONTENT_INVALID", "its text can't be read as Markdown.", {
      place,
      hint: "Most likely elements or lists are nested thousands deep",
      cause,
    });
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
