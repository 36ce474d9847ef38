import type { Schema } from "../define/schema.ts";
import type { JsonValue, SourceNext } from "../source.ts";

/** Where a site's sources are. */
export interface ContractSite {
  readonly content: string;
  readonly templates: string;
  readonly assets: string | undefined;
  readonly collections: ReadonlyMap<string, Schema>;
  /** Where paths of no page lead. */
  readonly redirects: ReadonlyMap<string, string>;
  /** Collections that have a feed. */
  readonly feeds: readonly string[];
  /** By collection. */
  readonly lists: ReadonlyMap<string, ContractList>;
  /** By collection. */
  readonly tags: ReadonlyMap<string, ContractTags>;
  /** Undefined: the site has one language, of which nothing is known. */
  readonly locales: ContractLocales | undefined;
  /** Undefined: photographs are published as they are. */
  readonly images: ContractImages | undefined;
  /** Where collections come from that are no files; their schemas are in `collections`. */
  readonly sources: ReadonlyMap<string, ContractSource>;
}

/** What photographs are offered as; every default filled in. */
export interface ContractImages {
  /** In pixels, each once, the smallest first. */
  readonly widths: readonly number[];
  readonly formats: readonly ("avif" | "webp")[];
  /** Undefined: by each photograph's own width. */
  readonly sizes: string | undefined;
}

/** How a list's entries are sorted, and how many a page has; every default filled in. */
export interface ContractList {
  readonly size: number;
  /** Undefined: by address. */
  readonly by: string | undefined;
  readonly order: "ascending" | "descending";
}

/** The pages of a collection's tags; every default filled in. */
export interface ContractTags extends ContractList {
  readonly feeds: boolean;
  /** By tag. */
  readonly slugs: ReadonlyMap<string, string>;
}

/** A site's languages; every default filled in. */
export interface ContractLocales {
  readonly default: string;
  readonly others: readonly string[];
  readonly untranslated: "nothing" | "default";
}

/** Where a collection's entries are read while the site is built; every default filled in. */
export interface ContractSource {
  readonly url: URL;
  /** The fields that lead to the list of entries. */
  readonly at: readonly string[];
  /** The field that is an entry's last part of its address. */
  readonly slug: string;
  /** The field that says an entry's language. */
  readonly locale: string | undefined;
  /** The way to an entry's text, and what it is written in. */
  readonly body: { readonly field: readonly string[]; readonly format: "markdown" | "html" } | undefined;
  /** What is sent by `POST`; undefined: it is asked by `GET`. */
  readonly post: { readonly [name: string]: JsonValue } | undefined;
  /** Whether {@link ContractSource.post} is a GraphQL query. */
  readonly isGraphql: boolean;
  /** How an answer leads to the next one; undefined: by its `Link` header. */
  readonly next: SourceNext | undefined;
  readonly maxPages: number;
  readonly headers: readonly ContractSourceHeader[];
  readonly timeoutMs: number;
  readonly retries: number;
  readonly maxBytes: number;
  readonly pictures: ContractSourcePictures | undefined;
  readonly caFile: string | undefined;
  readonly allowPrivate: boolean;
  /** File and line of the contract, if they are known. */
  readonly declaredAt: string | undefined;
}

/** A header that a source is sent. */
export interface ContractSourceHeader {
  /** In small letters. */
  readonly name: string;
  /** Its value, or what stands before {@link ContractSourceHeader.variable}. */
  readonly text: string;
  /** Name of the private environment variable that it ends with. */
  readonly variable: string | undefined;
  /** Set for basic authentication: the user whose password the variable is. */
  readonly user: string | undefined;
}

/** Which pictures of a source are published. */
export interface ContractSourcePictures {
  readonly from: ReadonlySet<string>;
  readonly fields: readonly (readonly string[])[];
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** A site that another generator builds; every default filled in. */
export interface ContractForeignSite {
  /** Relative to the contract, inside its folder, with `/`. */
  readonly dist: string;
  /** Undefined: the folder is taken as it lies there. */
  readonly build: ContractBuild | undefined;
  /** The file of what was learned by running it, relative to the contract. */
  readonly learned: string | undefined;
  /** Why scripts may make code from strings, where they do. */
  readonly insecureEval: string | undefined;
  /** Scripts of other sites that the pages' own scripts may add. An address that ends in `/` stands for all below it. */
  readonly allowScripts: readonly { readonly address: string; readonly reason: string }[];
}

/** How a foreign generator is run; every default filled in. */
export interface ContractBuild {
  readonly command: string;
  readonly reaches: readonly string[];
  /** Names of variables. */
  readonly environment: readonly string[];
  readonly timeoutMs: number;
  /** The reasons, where they were given. */
  readonly insecureUnjailedBuild: string | undefined;
  readonly insecurePrivateAddresses: string | undefined;
}
