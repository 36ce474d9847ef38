import { z } from "zod";
import type { ContractSource, Schema } from "../contract/index.ts";
import { siteError } from "./errors.ts";
import { assertSegment, entryPath } from "./paths.ts";
import { makeEntry } from "./read-entries.ts";
import type { EntryContext, ParsedEntry } from "./read-entries.ts";

/** One of the things that a source answered. */
export interface SourceItem {
  readonly collection: string;
  /** Its place in the answer, from 0. */
  readonly index: number;
  readonly value: unknown;
}

/**
 * Makes an entry of what a source answered. Messages name the address, the place and the field, and never a value: what an API answers a
 * token with may be nobody's to read in a log.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_INVALID`, and as {@link makeEntry} does
 */
export async function readSourceEntry(
  { collection, index, value }: SourceItem,
  schemas: ReadonlyMap<string, Schema>,
  sources: ReadonlyMap<string, ContractSource>,
  context: EntryContext,
): Promise<ParsedEntry> {
  const schema = schemas.get(collection);
  const source = sources.get(collection);
  if (schema === undefined || source === undefined) throw new Error(`no source: ${collection}`);
  const file = `${source.url.href}[${index}]`;
  const result = await z.core.safeParseAsync(schema, value);
  if (!result.success) throw invalid(file, result.error.issues.map(describe).join("; "));
  const { data } = result;
  const slug = fieldOf(data, source.slug);
  if (!isName(slug, file)) throw invalid(file, `${source.slug}: it must be the last part of an address`);
  const body = source.body === undefined ? "" : (fieldOf(data, source.body.field) ?? "");
  if (typeof body !== "string") throw invalid(file, `${source.body?.field ?? ""}: it must be a text`);
  const locale = context.locales?.default;
  return makeEntry(
    {
      address: { collection, slug: String(slug), locale, path: entryPath(collection, String(slug), "") },
      file,
      text: "",
      data,
      aliases: [],
      body,
      bodyLine: 1,
      format: source.body?.format ?? "markdown",
    },
    context,
  );
}

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

function invalid(file: string, message: string): Error {
  return siteError("SITE_SOURCE_INVALID", message, {
    place: { file },
    hint: "The schema in the contract's source(…) says what its entries must be; look at what the API answers",
  });
}
