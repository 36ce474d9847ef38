import type { z } from "zod";
import type { Access } from "./access.ts";
import type { BodyOption, ExchangeOptions, ResponseOption } from "./define/exchange.ts";
import type { LimitOptions, LimitStoreOptions } from "./define/limits.ts";
import type { RetryOption } from "./define/retry.ts";
import type { VisibilityOption } from "./define/visibility.ts";
import type { RateText } from "./limit.ts";
import type { ServiceNetwork } from "./network.ts";
import type { Method } from "./path.ts";
import type { Source } from "./source.ts";

/** Any Zod 4 schema. */
export type Schema = z.core.$ZodType;

/** Schemas by name: of path parameters, or of query keys. */
export type Fields = Readonly<Record<string, Schema>>;

/** Says that a route has no body, or answers without one (204). */
export const none = "none" as const;

/** Type of {@link none}. */
export type None = typeof none;

/** Options of an {@link upstream}. */
export interface UpstreamOptions {
  /** Where it listens; a path in it is put before each request's path. Must be https. Several, 16 at most, serve the same under the same path. */
  url: string | readonly [string, ...string[]];
  /**
   * Where its addresses must lie: a name that leads elsewhere is not followed. Default: `"loopback"` for `localhost`, `"private"` for a name that
   * is in no public DNS (`shop`, `shop.internal`, `shop.local`, `shop.home.arpa`), `"public"` for others; an address lies where it lies.
   */
  network?: ServiceNetwork;
  /**
   * How often a GET, or a request of a route that says `idempotent`, is sent again when its connection broke before an answer, 0 to 3; one request
   * in ten at most, and within the route's time. Default 1.
   */
  retries?: number;
  /** The statuses for which it is sent again too. Default: none. */
  retryOn?: readonly (502 | 503 | 504)[];
  /**
   * A path that each address is asked for to know whether it works: `"/healthz"`. It does with a 2xx; one that fails twice in a row gets no request
   * until it answers well. Default: none, requests find out.
   */
  health?: string;
  /** How often that is asked, in milliseconds, by each thread of the edge, 1 000 to 60 000. Default 5 000. */
  healthEveryMs?: number;
  /** How long it may take to answer in full, in milliseconds, 1 to 300 000. Default 5 000. */
  timeoutMs?: number;
  /** The largest answer that is read, in bytes. Default 1 048 576. */
  maxResponseBytes?: number;
  /** Requests under way to it at once, on all threads of a host, 1 to 100 000; the others are answered 503. Default: as many as come. */
  concurrency?: number;
  /** A PEM file with the authority that signed its certificate, relative to the contract. Default: the system's. */
  caFile?: string;
  /** Allows `http://`; says why that is safe here. */
  insecureAllowHttp?: string;
}

/** An API behind the gateway, made by {@link upstream}. */
export interface Upstream extends UpstreamOptions {
  readonly kind: "upstream";
}

/** Declares an API that routes can be sent to. */
export function upstream(options: UpstreamOptions): Upstream {
  return Object.freeze({ ...options, kind: "upstream" as const });
}

/** Who issues the access tokens that routes accept (RFC 9068). */
export interface IdentityOptions {
  /** The issuer's identifier: exactly the `iss` of its tokens. Its discovery document is read below this URL. */
  issuer: string;
  /** The `aud` that a token must name. */
  audience: string;
  /** Where its keys are. Default: what its discovery document says. */
  jwksUrl?: string;
  /** Signature algorithms accepted. Default `["RS256", "ES256", "EdDSA"]`. */
  algorithms?: readonly TokenAlgorithm[];
  /** The claim with a subject's roles, an array of strings. Default `"roles"`. */
  rolesClaim?: string;
  /** The claim with a subject's tenant, a text, for `tenant("…")` and limits per tenant. Default: none. */
  tenantClaim?: string;
  /** How far its clock may be from ours, in seconds, 0 to 60. Default 5. */
  clockToleranceSeconds?: number;
  /** A PEM file with the authority that signed its certificate, relative to the contract. Default: the system's. */
  caFile?: string;
  /** Allows `http://`; says why that is safe here. */
  insecureAllowHttp?: string;
}

/** API keys, for programs that call: each has scopes, and opens routes that ask for a {@link scope} alone. */
export interface ApiKeysOptions {
  /** Where `curtainwall api-key` keeps what is known of them, relative to the contract: their digests, no key. Read again when it changes. */
  file: string;
  /** The header that they come in: `Authorization: ApiKey …`, or `X-API-Key: …`. Default `"authorization"`. */
  header?: "authorization" | "x-api-key";
}

/** Signature algorithms for access tokens. Symmetric ones and `none` are not among them. */
export type TokenAlgorithm = "RS256" | "ES256" | "EdDSA";

/** The site: Markdown and templates of its own, or what another generator writes. */
export type SiteOptions = ContentSiteOptions | ForeignSiteOptions;

/** Where a site's sources are, relative to the contract. */
export interface ContentSiteOptions {
  /** Folder of Markdown files. Its first level of folders are the collections. */
  content: string;
  /** Folder of TSX templates. */
  templates: string;
  /** Folder whose files are published: as they are, or under a name with their hash where a template asks for that. */
  assets?: string;
  /**
   * The front matter that each collection's files must have, or the {@link source} that its entries come from. A collection without a schema
   * does not build.
   */
  collections: Readonly<Record<string, Schema | Source>>;
  /**
   * Addresses that lead elsewhere for good, by path: to a path of this site, or to an https URL. A page's own old addresses stand in its
   * front matter, as `aliases`. Default none.
   */
  redirects?: Readonly<Record<string, string>>;
  /** Collections that have an Atom feed, at `/<collection>/feed.xml`. Their front matter has `title` and `date`. Default none. */
  feeds?: readonly string[];
  /** Collections that have a list of their entries, in pages: `/news/`, `/news/2/`. Their template exports `list`. Default none. */
  lists?: Readonly<Record<string, ListOptions>>;
  /**
   * Collections whose front matter has `tags`: a page for each tag, `/news/tags/rye/`, and one of all of them. Their template exports `tag`
   * and `tags`. Default none.
   */
  tags?: Readonly<Record<string, TagOptions>>;
  /** The site's languages. Default: one, of which nothing is known. */
  locales?: LocaleOptions;
  /**
   * The sizes that photographs in content, and those that templates show by `<Image>`, are offered in, besides their own. Made by the package
   * sharp where it is installed. Default: as {@link ImageOptions} says. False: none.
   */
  images?: ImageOptions | false;
  /** Only for a site that another generator builds. */
  dist?: never;
}

/** Sizes and formats of a site's photographs. */
export interface ImageOptions {
  /** Widths in pixels, 16 to 8 192, at most eight. None is made that is larger than the photograph. Default 480, 960 and 1 600. */
  widths?: readonly number[];
  /** Formats, the best first. Default AVIF and WebP. The photograph's own is always there. */
  formats?: readonly ("avif" | "webp")[];
  /** How wide photographs are shown in which window, as in `<img sizes>`. Default: as wide as they are, and never wider than the window. */
  sizes?: string;
}

/** In which order a list has a collection's entries, and how many a page. */
export interface ListOptions {
  /** Entries on one page, 1 to 1 000. Default 20. */
  size?: number;
  /** The field of the front matter that they are sorted by: numbers, texts or dates. Entries of one value stand by address. Default: all by address. */
  by?: string;
  /** Which comes first. Default `"ascending"`. */
  order?: "ascending" | "descending";
}

/** The pages of a collection's tags. */
export interface TagOptions extends ListOptions {
  /** Gives each tag's page an Atom feed. Default false. */
  feeds?: boolean;
  /** The last part of a tag's address, for tags whose letters don't give one, like `{ "面包": "bread" }`. Default: made of the tag. */
  slugs?: Readonly<Record<string, string>>;
}

/** A site's languages, as BCP 47 tags: `en`, `pt-BR`. */
export interface LocaleOptions {
  /** The language of files without a suffix, `about.md`. Its addresses begin at `/`. */
  default: string;
  /** The others: `about.de.md` becomes `/de/about/`. */
  others: readonly string[];
  /**
   * What stands at the address of a page that is not translated: nothing, or the page in the default language, which says so and is told to
   * search engines as a copy. Default `"nothing"`.
   */
  untranslated?: "nothing" | "default";
}

/**
 * A site that another generator builds: Astro, Eleventy, Hugo, a Next export. `curtainwall build` runs it in a jail, hardens what it wrote
 * and publishes that.
 */
export interface ForeignSiteOptions {
  /** The folder that the generator writes, inside the project and relative to the contract: `dist`. */
  dist: string;
  /** The command that writes it, as a shell reads it: `npm run build`. Default: none, the folder is taken as it lies there. */
  build?: string;
  /** Origins that the build may reach, exactly: `https://api.example`. Default: none. */
  reaches?: readonly string[];
  /** Names of the environment variables that the build gets. Default: none. */
  environment?: readonly string[];
  /** How long the build may take, in milliseconds, 1 000 to 86 400 000. Default 600 000. */
  timeoutMs?: number;
  /** Runs the build without a jail where bubblewrap is missing; says why. */
  insecureUnjailedBuild?: string;
  /** Lets what the build reaches lie at private addresses; says why. */
  insecurePrivateAddresses?: string;
  /**
   * The file that `curtainwall csp learn` wrote, relative to the contract: the pages in it are closed to all else. Default: none, and what
   * scripts hide stays open.
   */
  learned?: string;
  /** Lets scripts make code from strings, on the pages where they do; says why. */
  insecureEval?: string;
  /**
   * Scripts of other sites that the pages' own scripts may add, each by its exact address, and why:
   * `{ "https://tags.example/tags.js": "the shop's tag manager" }`. Whatever its owner serves there runs. Default: none, they are blocked.
   */
  allowScripts?: Readonly<Record<string, string>>;
  /** The same for all scripts of an origin, or below a folder of it: `{ "https://tags.example/": "…" }`; says why. Default: none. */
  insecureAllowScripts?: Readonly<Record<string, string>>;
  /** Only for a site of Markdown and templates. */
  content?: never;
  /** Only for a site of Markdown and templates. */
  templates?: never;
}

/** How much of the security log is kept. */
export interface LedgerOptions {
  /** Size at which the log's file is moved out of the way and a new one begun, in bytes, from 65 536. Default 67 108 864. */
  maxFileBytes?: number;
  /** Files kept beside the one that is written to, 1 to 999; the oldest goes first. Default 8. */
  keepFiles?: number;
}

/** Where browsers report what a page's policy refused. */
export interface ReportsOptions {
  /** A path that the stack answers itself; it need not be below the API. Default `"/_reports"`. */
  path?: string;
}

/** How the edge listens. */
export interface EdgeOptions {
  /** Addresses to listen on. Default: loopback if the origin is localhost, else all. */
  addresses?: readonly string[];
  /** HTTPS port. Default: the origin's. */
  port?: number;
  /** Port that redirects to HTTPS, or false. Default 80 when the HTTPS port is 443, else false. */
  redirectPort?: number | false;
  /** Threads that serve. Default: one a core. */
  threads?: number;
  /**
   * PEM files, relative to the contract; reloaded when they change. Without them a development certificate is made, and the site
   * starts only where nobody but this machine reaches it: an origin or addresses on loopback.
   */
  certificate?: { certFile: string; keyFile: string };
  /** Counters kept at once, one for each client and limit that it meets; then the one idle longest gives way. Default 100 000. */
  maxClients?: number;
  /**
   * The proxies that visitors come through: a balancer, a CDN, an nginx. `"none"` says that there are none, where the edge would not
   * believe it. Default: none, so that a connection's address is its client.
   */
  proxies?: ProxyOptions | "none";
  /** How many bits of an IPv6 address name one client, 16 to 128. Default 64, the least that a customer is given. */
  ipv6Prefix?: number;
}

/** Proxies in front of the edge, and how they say whose request it is. */
export interface ProxyOptions {
  /**
   * Their addresses and networks, like `["10.0.0.0/8", "2001:db8::7"]`: who comes from elsewhere is a client. Or how many of them stand in a
   * row, 1 to 8, where their addresses can't be known: then nobody but they must be able to reach the edge.
   */
  trusted: number | readonly string[];
  /** Where they write the client's address. `"proxy-protocol"`: before TLS, in version 1 or 2; then `trusted` is a list. */
  clientFrom: "x-forwarded-for" | "forwarded" | "proxy-protocol";
}

/** Public keys, each `ed25519:…` as `curtainwall key show` prints it, or the line of an OpenSSH public key file. */
export interface KeysOptions {
  /** Signs what may run: its private half stays with the developer, off the host. */
  program: string;
  /** Signs each content release: its private half is on the host that publishes. */
  release: string;
}

/** What the leak gate lets pass. */
export interface LeakOptions {
  /** Hits that are none, each with its reason, until a day. Default: none. */
  allow?: readonly LeakException[];
  /** Source maps that are published on purpose: paths, with `*` and `**`. Default: none. */
  publicSourceMaps?: readonly string[];
  /**
   * Marks written into fields that nobody may read, say a column of each table: an answer of the API that has one does not leave. 12 to 128
   * letters, digits, `-` or `_`. Default: none.
   */
  canaries?: readonly string[];
}

/** Lets one rule of the leak gate pass, in some files, until a day. */
export interface LeakException {
  /** The rule as the gate names it, like `token-google-api`. */
  rule: string;
  /** A path of the release; `*` stands for anything but `/`, `**` for anything. */
  path: string;
  reason: string;
  /** The last day on which it counts, in UTC: `2027-01-31`. */
  expires: string;
}

interface RouteBase<To extends string> extends ExchangeOptions, LimitOptions, VisibilityOption, RetryOption {
  /** Who may call it. */
  access: Access;
  /**
   * The JSON that it answers with; fields not declared here are dropped. {@link none} for an answer without a body, `eventStream` and `download`
   * for one that comes in parts.
   */
  response: ResponseOption;
  /** The upstream that answers. */
  to: To;
  /** Query keys; one with an array schema may stand several times. Absent: no key is accepted. */
  query?: Fields;
  /**
   * Whether an answer can sign its visitor in, or change who is signed in: then only a page of this site may ask, so that no other can sign
   * visitors in as somebody else. Default false.
   */
  createsSession?: boolean;
  /** One line for the API's description. */
  summary?: string;
  /** How long the whole answer may take, in milliseconds. Default: the upstream's `timeoutMs`. */
  timeoutMs?: number;
  /** Accepts input fields that are not declared; says why. */
  insecureOpenInput?: string;
}

/** The names of a path's parameters. */
export type ParamName<Path extends string> = Path extends `${infer Head}/${infer Tail}`
  ? ParamName<Head> | ParamName<Tail>
  : Path extends `:${infer Name}`
    ? Name
    : never;

type ParamsOf<Path extends string> = [ParamName<Path>] extends [never]
  ? { params?: never }
  : {
      /** A schema for each `:name` of the path. */
      params: { readonly [Name in ParamName<Path>]: Schema };
    };

interface WithBody {
  /** The JSON that it takes, a `form`, or {@link none}. */
  body: BodyOption;
  /** The largest body that is read, in bytes. Default 65 536. */
  maxBodyBytes?: number;
}

interface NoBody {
  body?: never;
  maxBodyBytes?: never;
}

type BodyOf<M extends string> = M extends "POST" | "PUT" | "PATCH" ? WithBody : NoBody;

/** The key of a route: a method, a space, a path with `:name` for parameters. */
export type RouteKey = `${Method} /${string}`;

/** What a route must say, given its key. */
export type RouteOptions<Key extends string, To extends string = string> = Key extends `${Method} /${string}`
  ? Key extends `${infer M} ${infer Path}`
    ? RouteBase<To> & ParamsOf<Path> & BodyOf<M>
    : never
  : `Write a method and a path, like "GET /api/products/:id"`;

/** A site's contract. What it does not declare does not exist. */
export interface StackOptions<Upstreams extends Record<string, Upstream>, Key extends string> {
  /** Where visitors find the site: scheme, host and port, nothing more. Must be https. */
  origin: string;
  site?: SiteOptions;
  identity?: IdentityOptions;
  /** Default: no API key is accepted. */
  apiKeys?: ApiKeysOptions;
  upstreams?: Upstreams;
  /** Other origins whose pages may call the API. Default: none, only the site's own. */
  cors?: { origins: readonly string[] };
  edge?: EdgeOptions;
  /** What all clients together may use up, on all hosts: `{ mail: "1000/h" }`. Routes say what they spend of it. Default: nothing. */
  budgets?: Readonly<Record<string, RateText>>;
  /** Where several hosts count together. Default: each host counts alone. */
  limits?: LimitStoreOptions;
  ledger?: LedgerOptions;
  /** Policy violations that browsers report, written into the log. False: they are not asked to. Default: they are. */
  reports?: ReportsOptions | false;
  /** Whose signatures a release needs before it is served. Default: development keys, made on the first build and kept beside it. */
  keys?: KeysOptions;
  /** Environment variables that visitors may know. See {@link readEnvironment}. Default: none. */
  publicEnv?: z.core.$ZodObject;
  /** Environment variables whose values must not leave: found in any output, they fail the build. Default: none. */
  privateEnv?: z.core.$ZodObject;
  leaks?: LeakOptions;
  routes?: { readonly [K in Key]: RouteOptions<K, keyof Upstreams & string> };
}

/** A contract as written, made by {@link defineStack}. */
export type Stack = StackOptions<Record<string, Upstream>, never> & { readonly kind: "stack" };

declare const apiTypes: unique symbol;

/** A contract that the schemas of its routes can be read off, as the browser's client does. Types alone: no such member exists. */
export interface TypedApi<Responses, Queries, Bodies> {
  readonly [apiTypes]?: {
    readonly responses: Responses;
    readonly queries: Queries;
    readonly bodies: Bodies;
  };
}

interface Answers<Response> {
  response: Response;
}
interface Asks<Query> {
  query?: Query;
}
interface Takes<Body> {
  body?: Body;
}

/** Makes the compiler note each route's schemas one by one, so that options that don't exist are still refused. */
interface NotesSchemas<Responses, Queries, Bodies> {
  readonly routes?: { readonly [K in keyof Responses]: Answers<Responses[K]> } & {
    readonly [K in keyof Queries]: Asks<Queries[K]>;
  } & { readonly [K in keyof Bodies]: Takes<Bodies[K]> };
}

/**
 * Describes a site: the one source from which its enforcement, its policy, its API description and its tests are made.
 *
 * The types refuse an incomplete route here; `parseContract` refuses it again at start, for those who write JavaScript.
 *
 * @example
 * ```ts
 * import { defineStack, everyone, upstream } from "curtainwall";
 * import { z } from "zod";
 *
 * export default defineStack({
 *   origin: "https://www.bakery.example",
 *   upstreams: { shop: upstream({ url: "https://shop.internal" }) },
 *   routes: {
 *     "GET /api/products/:id": {
 *       access: everyone,
 *       limit: "120/min per client",
 *       params: { id: z.string().max(40) },
 *       response: z.object({ name: z.string() }),
 *       to: "shop",
 *     },
 *   },
 * });
 * ```
 */
export function defineStack<
  const Upstreams extends Record<string, Upstream> = {},
  const Key extends string = never,
  const Responses = {},
  const Queries = {},
  const Bodies = {},
>(
  stack: StackOptions<Upstreams, Key> & NotesSchemas<Responses, Queries, Bodies>,
): Stack & TypedApi<Responses, Queries, Bodies> {
  return Object.freeze({ ...stack, kind: "stack" as const });
}

/**
 * Describes one route in a file of its own; spread it into a stack's `routes`. The key comes first, so that the options are
 * checked against it. The upstream's name is checked where it is spread.
 */
export function route<const Key extends RouteKey, const To extends string>(
  key: Key,
  options: RouteOptions<Key, To>,
): { readonly [K in Key]: RouteOptions<K, To> } {
  return { [key]: options } as { readonly [K in Key]: RouteOptions<K, To> };
}
