import type { Schema } from "./define/schema.ts";

/** What JSON can say. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Options of {@link source}. */
export interface SourceOptions {
  /** The fields that lead to the list of entries in the answer: `["data", "items"]`. Default: the answer is the list. */
  at?: readonly string[];
  /** The field that becomes the last part of an entry's address: letters, digits, `-`, `_`, `~` and `.`. Default `"slug"`. */
  slug?: string;
  /** The field that says an entry's language, as the contract's `locales` write it. Default: entries are in the default language. */
  locale?: string;
  /** The field that holds an entry's text, or the way to it, and what it is written in; it goes through the sanitiser. Default: entries have no text. */
  body?: { field: string | readonly string[]; format: "markdown" | "html" };
  /** Sent as JSON by `POST`, for APIs that search so. Default: it is asked by `GET`. */
  post?: { readonly [name: string]: JsonValue };
  /** A GraphQL query, sent by `POST`. An answer with `errors` is a failure. */
  graphql?: { query: string; variables?: { readonly [name: string]: JsonValue } };
  /** How an answer leads to the next one. Default: by its header `Link: <…>; rel="next"`. */
  next?: SourceNext;
  /** Answers that are read one after the other, at most, 1 to 1000. One more is an error. Default 200. */
  maxPages?: number;
  /** The variable of `privateEnv` that is sent as a bearer token. Default: none is sent. */
  token?: string;
  /** The user, and the variable of `privateEnv` with the password, that are sent as HTTP's basic authentication. */
  basic?: { user: string; password: string };
  /** Headers, by name: a text, or the variable of `privateEnv` that holds it. Sent to the source's own origin only. */
  headers?: Readonly<Record<string, string | SourceSecret>>;
  /** How long the answers may take together, in milliseconds, 100 to 300 000. Default 10 000. */
  timeoutMs?: number;
  /** How often it is asked again that is busy (429, 502, 503, 504) or breaks off, 0 to 10, within `timeoutMs`. Default 2. */
  retries?: number;
  /** The largest answers that are read, together, in bytes, 1 to 268 435 456. Default 8 388 608. */
  maxBytes?: number;
  /** Pictures of its entries, to be published with the site. Default: those of other origins fail the build. */
  pictures?: SourcePictures;
  /** A PEM file with the authority that signed its certificate, relative to the contract. Default: the system's. */
  caFile?: string;
  /** Lets it lie at a private address; says why. Addresses that clouds answer with machines' credentials stay refused. */
  insecurePrivateAddresses?: string;
}

/** A header's value that nobody may see. */
export interface SourceSecret {
  /** A variable of `privateEnv`. */
  variable: string;
  /** What stands before it: `"Token "`. Default nothing. */
  prefix?: string;
}

/**
 * How an answer of a source leads to the next one. What is counted or repeated goes into the query of a `GET`, the variables of a GraphQL
 * query, or the fields of a `post`.
 */
export type SourceNext =
  /** The fields that lead to the next answer's address: `["links", "next"]`. */
  | { link: readonly string[] }
  /** A parameter that counts pages, until one is empty, or has fewer than `size` entries. `first` is 1, unless it says 0. */
  | { page: string; first?: 0 | 1; size?: number }
  /** A parameter that says how many entries to leave out, until an answer is empty, or has fewer than `size` entries. */
  | { offset: string; size?: number }
  /** The fields that lead to a mark, the parameter that repeats it, and the fields that lead to whether there is more. */
  | { cursor: readonly string[]; parameter: string; more?: readonly string[] };

/** Which pictures of a source are published with the site. */
export interface SourcePictures {
  /** The origins that they may come from: `["https://images.example"]`. */
  from: readonly string[];
  /** The fields of an entry that hold a picture's address; `*` stands for each of a list: `[["cover"], ["gallery", "*", "url"]]`. Default: pictures in texts only. */
  fields?: readonly (readonly string[])[];
  /** The largest picture, in bytes, 1 to 67 108 864. Default 16 777 216. */
  maxBytes?: number;
  /** How long all of them may take, in milliseconds, 100 to 3 600 000. Default 120 000. */
  timeoutMs?: number;
}

/** A collection whose entries are read from an API while the site is built, made by {@link source}. */
export interface Source<Item extends Schema = Schema> extends SourceOptions {
  readonly kind: "source";
  readonly url: string;
  readonly schema: Item;
}

/**
 * Declares a collection that an API answers with: a product catalogue, a picture archive, another CMS. It is read while the site is built,
 * and never by visitors.
 *
 * @param url where it answers with JSON: https, or http at this machine's own address
 * @param schema what each entry must be; fields that it does not have are left out
 *
 * @example
 * ```ts
 * import { source } from "curtainwall";
 * import { z } from "zod";
 *
 * export const collections = {
 *   products: source("https://pim.example/products?per_page=100", z.object({ sku: z.string(), name: z.string() }), {
 *     at: ["data"],
 *     slug: "sku",
 *     token: "PIM_TOKEN",
 *   }),
 *   breads: source("https://cms.example/graphql", z.object({ slug: z.string(), title: z.string(), photo: z.url() }), {
 *     graphql: { query: "query($after: String) { breads(after: $after) { nodes { slug title photo } pageInfo { endCursor } } }" },
 *     at: ["data", "breads", "nodes"],
 *     next: { cursor: ["data", "breads", "pageInfo", "endCursor"], parameter: "after" },
 *     pictures: { from: ["https://images.example"], fields: [["photo"]] },
 *   }),
 * };
 * ```
 */
export function source<Item extends Schema>(
  url: string,
  schema: Item,
  options: SourceOptions = {},
): Source<Item> {
  const made = { ...options, kind: "source" as const, url, schema };
  // Not one of its options: where it stands, for messages.
  Object.defineProperty(made, declaredAt, { value: callerOf(new Error("where").stack) });
  return Object.freeze(made);
}

/** Where a {@link Source} was declared. */
export const declaredAt = Symbol("declared at");

/** The file and line that called this file. Undefined on an engine that writes other stacks. */
function callerOf(stack = ""): string | undefined {
  const [, file, line] =
    /^\s*at [^\n]*\n\s*at (?:[^\n]*\()?(?:file:\/\/)?(\/[^\n]*?):(\d+):\d+\)?$/m.exec(stack) ?? [];
  return file === undefined ? undefined : `${file}:${line}`;
}
