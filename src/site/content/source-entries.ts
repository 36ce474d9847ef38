import { z } from "zod";
import type { ContractLocales, ContractSource, Schema } from "../../contract/index.ts";
import type { ContentFormat } from "./content.ts";
import { siteError } from "../errors.ts";
import { pictureAddresses } from "../images/source-pictures.ts";
import type { SourcePicture } from "../images/source-pictures.ts";
import { localePrefix, localesOf } from "../locales.ts";
import { assertSegment, entryPath } from "../paths.ts";
import { makeEntry } from "./read-entries.ts";
import type { EntryContext, ParsedEntry } from "./read-entries.ts";
import { valueAt } from "./source-asks.ts";

/** What a source answered, or one part of it, as JSON. */
export interface SourceAnswer {
  readonly collection: string;
  readonly text: string;
  /** The pictures that its entries show. Default none. */
  readonly pictures?: readonly SourcePicture[];
}

/** What {@link readSourceEntries} is given. */
export interface SourceContext extends EntryContext {
  readonly schemas: ReadonlyMap<string, Schema>;
  readonly sources: ReadonlyMap<string, ContractSource>;
}

/**
 * Makes entries of what sources answered. Messages name the address, the place and the field, and never a value: what an API answers a
 * token with may be nobody's to read in a log.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_INVALID`, and as {@link makeEntry} does
 */
export async function readSourceEntries(
  answers: readonly SourceAnswer[],
  context: SourceContext,
): Promise<ParsedEntry[]> {
  const entries: ParsedEntry[] = [];
  const counts = new Map<string, number>();
  const pictures = pictureAddresses(answers);
  for (const { collection, text } of answers) {
    const schema = context.schemas.get(collection);
    const source = context.sources.get(collection);
    if (schema === undefined || source === undefined) continue;
    for (const value of itemsOf(parseAnswer(text, source), source)) {
      const index = counts.get(collection) ?? 0;
      counts.set(collection, index + 1);
      const item = await readItem(value, index, source, schema);
      const locale = localeOf(item, context.locales);
      const path = entryPath(collection, item.slug, localePrefix(locale, context.locales));
      const address = { collection, slug: item.slug, locale, path };
      const parts = { ...item, address, text: item.body, aliases: [], bodyLine: 1 };
      entries.push(await makeEntry({ ...parts, showPicture: pictures.get(collection) }, context));
    }
  }
  return entries;
}

/**
 * Reads an answer's JSON.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_INVALID` when it is none
 */
export function parseAnswer(text: string, source: ContractSource): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(nameOfSource(source), "what it answered is not JSON");
  }
}

/**
 * Finds the list of entries in an answer.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_INVALID` when there is none
 */
export function itemsOf(answer: unknown, source: ContractSource): readonly unknown[] {
  const value = valueAt(answer, source.at);
  if (Array.isArray(value)) return value;
  const where =
    source.at.length === 0
      ? "it answered with something else than a list"
      : `there is no list at ${source.at.join(".")}`;
  throw invalid(nameOfSource(source), where, 'Say where the list is:  at: ["data"]');
}

/** An entry as a source has it, checked. */
export interface CheckedItem {
  readonly file: string;
  readonly slug: string;
  /** As the source says it; undefined if it does not. */
  readonly locale: string | undefined;
  readonly data: unknown;
  readonly body: string;
  readonly format: ContentFormat;
}

/** @throws {CurtainwallError} `SITE_SOURCE_INVALID` */
export async function readItem(
  value: unknown,
  index: number,
  source: ContractSource,
  schema: Schema,
): Promise<CheckedItem> {
  const file = `${nameOfSource(source)}[${index}]`;
  const data = await checkItem(value, file, schema);
  const slug = valueAt(data, [source.slug]);
  if (!isName(slug, file)) throw invalid(file, `${source.slug}: it must be the last part of an address`);
  const body = source.body === undefined ? "" : (valueAt(data, source.body.field) ?? "");
  if (typeof body !== "string")
    throw invalid(file, `${source.body?.field.join(".") ?? ""}: it must be a text`);
  const locale = source.locale === undefined ? undefined : valueAt(data, [source.locale]);
  if (source.locale !== undefined && typeof locale !== "string")
    throw invalid(file, `${source.locale}: it must be a language`);
  const format = source.body?.format ?? "markdown";
  return { file, slug: String(slug), locale: locale as string | undefined, data, body, format };
}

async function checkItem(value: unknown, file: string, schema: Schema): Promise<unknown> {
  const result = await z.core.safeParseAsync(schema, value).catch(() => undefined);
  if (result === undefined) throw invalid(file, "it is nested too deeply, or its schema threw");
  if (!result.success) throw invalid(file, result.error.issues.slice(0, 10).map(describe).join("; "));
  return result.data;
}

/** The entry's language, if the site has it. */
function localeOf({ locale, file }: CheckedItem, locales: ContractLocales | undefined): string | undefined {
  if (locale === undefined || locales === undefined) return locales?.default;
  if (localesOf(locales).includes(locale)) return locale;
  throw siteError("SITE_LOCALE_INVALID", "it is in a language that the site does not have.", {
    place: { file },
    hint: `The site's are ${localesOf(locales).join(", ")}; ask the source for these alone, or add the language to site.locales.others`,
  });
}

const nameOfSource = ({ url }: ContractSource): string => url.origin + url.pathname;

function isName(value: unknown, file: string): value is string | number {
  if (typeof value !== "string" && !(typeof value === "number" && Number.isSafeInteger(value) && value >= 0))
    return false;
  try {
    assertSegment(String(value), { file });
    return true;
  } catch {
    return false;
  }
}

/** A schema's own words may quote what it was given. These are the contract's: the field, and what was expected there. */
function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path
    .map((step) => (/^[\w-]{1,40}$/.test(String(step)) ? String(step) : "…"))
    .slice(0, 12);
  const expected = issue.code === "invalid_type" ? `, ${issue.expected} expected` : "";
  return `${path.length === 0 ? "the entry" : path.join(".")}: ${issue.code}${expected}`;
}

const schemaHint =
  "The schema in the contract's source(…) says what its entries must be; look at what the API answers";

function invalid(file: string, message: string, hint = schemaHint): Error {
  return siteError("SITE_SOURCE_INVALID", message, { place: { file }, hint });
}
