import type { Network } from "../shared/index.ts";
import type { Access } from "./access.ts";
import type { LeakException, Schema, TokenAlgorithm } from "./define.ts";
import type { ContractEnvironment } from "./environment.ts";
import type { ContractBudget, ContractLimitStore, ContractRouteLimits } from "./contract/limits.ts";
import type { Method, PathSegment } from "./path.ts";
import type { ReleaseKeys } from "./release/accept.ts";
import type { JsonValue, SourceNext } from "./source.ts";
import type { ServiceNetwork } from "./network.ts";

/** An option that weakens a default, with the reason that was given: logged at start, listed by the auditor. */
export interface Weakening {
  /** Where it stands, like `routes["GET /api/x"].insecureOpenInput`. */
  at: string;
  reason: string;
}

/** Who issues access tokens; every default filled in. */
export interface Identity {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string | undefined;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly rolesClaim: string;
  /** Undefined: no token names a tenant. */
  readonly tenantClaim?: string | undefined;
  readonly clockToleranceSeconds: number;
  readonly caFile: string | undefined;
}

/** Where API keys are, and how they come; every default filled in. */
export interface ContractApiKeys {
  /** Relative to the contract. */
  readonly file: string;
  readonly header: "authorization" | "x-api-key";
}

/** An API behind the gateway; every default filled in. */
export interface ContractUpstream {
  readonly name: string;
  readonly url: URL;
  /** Where else it listens: of the same scheme and path. */
  readonly alternates?: readonly URL[] | undefined;
  /** Where its addresses must lie. Undefined: where each URL's host says. */
  readonly network?: ServiceNetwork | undefined;
  /** How often a request that may be done twice is sent again. Undefined: never. */
  readonly retries?: number | undefined;
  /** The statuses for which it is, besides broken connections. */
  readonly retryOn?: readonly number[] | undefined;
  /** What each address is asked for, and how often, to know whether it works. Undefined: requests find out. */
  readonly health?: { readonly path: string; readonly everyMs: number } | undefined;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  /** Requests under way to it at once, on one host. Undefined: as many as come. */
  readonly concurrency?: number | undefined;
  readonly caFile: string | undefined;
}

/** A route; every default filled in, input schemas strict, response schema stripping. */
export interface ContractRoute extends ContractRouteLimits {
  readonly key: string;
  readonly method: Method;
  readonly path: string;
  readonly segments: readonly PathSegment[];
  readonly access: Access;
  /** Undefined: all objects of its answers are there for all whom {@link access} lets in. */
  readonly visible?: ContractVisibility | undefined;
  /** Whether those whom {@link access} refuses are told 404. */
  readonly hide?: boolean;
  /** Whether its requests may be done twice; of GET it is known. */
  readonly idempotent?: boolean;
  /** One strict object of all path parameters; undefined when the path names none. */
  readonly params: Schema | undefined;
  /** One strict object of all query keys; undefined when no key is accepted. */
  readonly query: Schema | undefined;
  /** One strict object of all request headers that it takes, lower-case; undefined when it takes none. */
  readonly headers: Schema | undefined;
  /** One object of all cookies that it takes; undefined when it takes none. */
  readonly cookies: Schema | undefined;
  /** Undefined: the route takes no body. */
  readonly body: Schema | undefined;
  /** How the body is written. */
  readonly bodyType: "json" | "form";
  readonly jsonLimits: JsonLimits;
  /** Undefined: the route answers 204, unless with a {@link stream}. */
  readonly response: Schema | undefined;
  /** What comes in parts; undefined: nothing. */
  readonly stream: ContractStream | undefined;
  /** Headers of the upstream's answer that may leave, lower-case, by name. */
  readonly responseHeaders: ReadonlyMap<string, Schema>;
  /** Whether GET's answers have an ETag. */
  readonly etag: boolean;
  /** Statuses that the upstream may refuse with, and what leaves then. */
  readonly errors: ReadonlyMap<number, Schema>;
  readonly to: string;
  /** Only pages of this site may ask. */
  readonly createsSession: boolean;
  readonly summary: string | undefined;
  readonly maxBodyBytes: number;
  readonly timeoutMs: number;
}

/** Which objects of an answer exist for whom. */
export interface ContractVisibility {
  /** The fields that lead to what says it. */
  readonly field: readonly string[];
  readonly is: ReadonlySet<string | number | boolean>;
  /** Who sees the others too; undefined: nobody. */
  readonly unless: Access | undefined;
  /** The fields that lead to the list. Undefined: the answer is the object, or the list. */
  readonly in: readonly string[] | undefined;
}

/** Bounds of a JSON body besides its bytes. */
export interface JsonLimits {
  /** Arrays and objects inside one another. */
  readonly depth: number;
  /** Of all objects together. */
  readonly members: number;
  /** Of all arrays together. */
  readonly elements: number;
  /** Of one text, as it is written. */
  readonly textLength: number;
}

/** An answer that comes in parts; every default filled in. */
export type ContractStream =
  | {
      readonly kind: "events";
      /** Schemas of the events' data, by name. */
      readonly events: ReadonlyMap<string, Schema>;
      readonly maxEventBytes: number;
      readonly maxSeconds: number;
      readonly heartbeatSeconds: number;
    }
  | {
      readonly kind: "download";
      /** Lower-case. */
      readonly types: readonly string[];
      readonly maxBytes: number;
      readonly fileName: string | undefined;
    };

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

/** How much of the security log is kept; every default filled in. */
export interface ContractLedger {
  readonly maxFileBytes: number;
  readonly keepFiles: number;
}

/** Where browsers report what a page's policy refused; every default filled in. */
export interface ContractReports {
  readonly path: string;
}

/** How the edge listens; every default filled in. */
export interface ContractEdge {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly redirectPort: number | false;
  /** Undefined: one a core. */
  readonly threads: number | undefined;
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly maxClients: number;
  /** Undefined: none were declared. */
  readonly proxies: ContractProxies | undefined;
  /** Whether it was said that there are none. */
  readonly deniesProxies: boolean;
  /** Bits of an IPv6 address that name one client. */
  readonly ipv6Prefix: number;
}

/** The proxies in front of the edge. */
export interface ContractProxies {
  /** How many stand in a row, or where they are. */
  readonly trusted: number | readonly Network[];
  readonly clientFrom: "x-forwarded-for" | "forwarded" | "proxy-protocol";
}

/** What the leak gate lets pass; every default filled in. */
export interface ContractLeaks {
  readonly allow: readonly LeakException[];
  readonly publicSourceMaps: readonly string[];
  /** What no answer of the API may have in it. */
  readonly canaries: readonly string[];
}

/** A checked contract: what every room works from. */
export interface Contract {
  readonly origin: string;
  readonly site: ContractSite | ContractForeignSite | undefined;
  readonly identity: Identity | undefined;
  /** Undefined: no API key is accepted. */
  readonly apiKeys?: ContractApiKeys | undefined;
  readonly upstreams: ReadonlyMap<string, ContractUpstream>;
  /** Origins other than the site's own whose pages may call the API. */
  readonly corsOrigins: readonly string[];
  readonly edge: ContractEdge;
  /** What all clients together may use up, by name. */
  readonly budgets: ReadonlyMap<string, ContractBudget>;
  /** Where hosts count together. Undefined: each counts alone. */
  readonly limitStore: ContractLimitStore | undefined;
  readonly ledger: ContractLedger;
  /** Undefined: browsers are not asked to report. */
  readonly reports: ContractReports | undefined;
  /** Whom releases must be signed by. Undefined: development keys, which are made beside the contract. */
  readonly keys: ReleaseKeys | undefined;
  readonly environment: ContractEnvironment;
  readonly leaks: ContractLeaks;
  readonly routes: readonly ContractRoute[];
  /** First path segments that belong to the API: what lies below them is never a page. */
  readonly apiRoots: ReadonlySet<string>;
  readonly weakenings: readonly Weakening[];
}
