import { z } from "zod";
import type { ContractSource, Schema } from "../../contract/index.ts";
import type { ContentFormat } from "./content.ts";
import { siteError } from "../errors.ts";
import { assertSegment, entryPath } from "../paths.ts";
import { makeEntry } from "./read-entries.ts";
import type { EntryContext, ParsedEntry } from "./read-entries.ts";

/** What a source answered, or one part of it, as JSON. */
export interface SourceAnswer {
  readonly collection: string;
  readonly text: string;
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
  for (const { collection, text } of answers) {
    const schema = context.schemas.get(collection);
    const source = context.sources.get(collection);
    if (schema === undefined || source === undefined) continue;
    for (const value of itemsIn(text, source)) {
      const index = counts.get(collection) ?? 0;
      counts.set(collection, index + 1);
      const item = await readItem(value, index, source, schema);
      const locale = context.locales?.default;
      const address = { collection, slug: item.slug, locale, path: entryPath(collection, item.slug, "") };
      entries.push(await makeEntry({ ...item, address, text: item.body, aliases: [], bodyLine: 1 }, context));
    }
  }
  return entries;
}

/**
 * Finds the list of entries in an answer.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_INVALID` when it is no JSON, or has no list there
 */
export function itemsIn(text: string, source: ContractSource): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(nameOfSource(source), "what it answered is not JSON");
  }
  for (const field of source.at) value = fieldOf(value, field);
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
  const slug = fieldOf(data, source.slug);
  if (!isName(slug, file)) throw invalid(file, `${source.slug}: it must be the last part of an address`);
  const body = source.body === undefined ? "" : (fieldOf(data, source.body.field) ?? "");
  if (typeof body !== "string") throw invalid(file, `${source.body?.field ?? ""}: it must be a text`);
  return { file, slug: String(slug), data, body, format: source.body?.format ?? "markdown" };
}

async function checkItem(value: unknown, file: string, schema: Schema): Promise<unknown> {
  const result = await z.core.safeParseAsync(schema, value).catch(() => undefined);
  if (result === undefined) throw invalid(file, "it is nested too deeply, or its schema threw");
  if (!result.success) throw invalid(file, result.error.issues.slice(0, 10).map(describe).join("; "));
  return result.data;
}

const nameOfSource = ({ url }: ContractSource): string => url.origin + url.pathname;

function fieldOf(data: unknown, name: string): unknown {
  return typeof data === "object" && data !== null && Object.hasOwn(data, name)
    ? (data as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

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
