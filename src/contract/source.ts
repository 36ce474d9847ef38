import type { Schema } from "./define.ts";

/** Options of {@link source}. */
export interface SourceOptions {
  /** The fields that lead to the list of entries in the answer: `["data", "items"]`. Default: the answer is the list. */
  at?: readonly string[];
  /** The field that becomes the last part of an entry's address: letters, digits, `-`, `_`, `~` and `.`. Default `"slug"`. */
  slug?: string;
  /** The field that holds an entry's text, and what it is written in; it goes through the sanitiser. Default: entries have no text. */
  body?: { field: string; format: "markdown" | "html" };
  /** The variable of `privateEnv` that is sent as a bearer token. Default: none is sent. */
  token?: string;
  /** How long the answer may take, in milliseconds, 100 to 300 000. Default 10 000. */
  timeoutMs?: number;
  /** The largest answer that is read, in bytes, 1 to 268 435 456. Default 8 388 608. */
  maxBytes?: number;
  /** A PEM file with the authority that signed its certificate, relative to the contract. Default: the system's. */
  caFile?: string;
  /** Lets it lie at a private address; says why. Addresses that clouds answer with machines' credentials stay refused. */
  insecurePrivateAddresses?: string;
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
 * @param url where a `GET` answers with JSON: https, or http at this machine's own address
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
 * };
 * ```
 */
export function source<Item extends Schema>(
  url: string,
  schema: Item,
  options: SourceOptions = {},
): Source<Item> {
  return Object.freeze({ ...options, kind: "source" as const, url, schema });
}
