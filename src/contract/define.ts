import type { z } from "zod";
import type { Access } from "./access.ts";
import type { CacheOption } from "./define/cache.ts";
import type { BodyOption, ExchangeOptions, ResponseOption } from "./define/exchange.ts";
import type { EdgeOptions, KeysOptions, LeakOptions, LedgerOptions, ReportsOptions } from "./define/host.ts";
import type { ApiKeysOptions, IdentityOptions, SessionOptions } from "./define/identity.ts";
import type { LimitOptions, LimitStoreOptions } from "./define/limits.ts";
import type { ObserveOption } from "./define/observe.ts";
import type { RetryOption } from "./define/retry.ts";
import type { Fields, Schema } from "./define/schema.ts";
import type { SiteOptions } from "./define/site.ts";
import type { Upstream } from "./define/upstream.ts";
import type { VisibilityOption } from "./define/visibility.ts";
import type { RateText } from "./limit.ts";
import type { Method } from "./path.ts";

interface RouteBase<To extends string>
  extends ExchangeOptions, LimitOptions, VisibilityOption, RetryOption, CacheOption, ObserveOption {
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
  /** Default: no cookie says who calls. */
  sessions?: SessionOptions;
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
