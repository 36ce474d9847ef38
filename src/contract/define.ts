import type { z } from "zod";
import type { Access } from "./access.ts";
import type { CacheOption } from "./define/cache.ts";
import type { BodyOption, ExchangeOptions, ResponseOption } from "./define/exchange.ts";
import type { EgressOptions } from "./define/egress.ts";
import type { FunctionName, FunctionOptions } from "./define/function.ts";
import type { EdgeOptions, KeysOptions, LeakOptions, LedgerOptions, ReportsOptions } from "./define/host.ts";
import type { ApiKeysOptions, IdentityOptions, SessionOptions } from "./define/identity.ts";
import type { LimitOptions, LimitStoreOptions } from "./define/limits.ts";
import type { ObserveOption } from "./define/observe.ts";
import type { RetryOption } from "./define/retry.ts";
import type { Fields, Schema } from "./define/schema.ts";
import type { SecretDefinition } from "./define/secret.ts";
import type { SiteOptions } from "./define/site.ts";
import type { Upstream } from "./define/upstream.ts";
import type { VaultOptions } from "./define/vault.ts";
import type { VisibilityOption } from "./define/visibility.ts";
import type { WebhookOption } from "./define/webhook.ts";
import type { RateText } from "./limits/limit.ts";
import type { Method } from "./path.ts";

interface RouteBase<To extends string, SecretName extends string>
  extends ExchangeOptions, LimitOptions, VisibilityOption, RetryOption, CacheOption, ObserveOption {
  /** Who may call it. */
  access: Access;
  /**
   * The JSON that it answers with; fields not declared here are dropped. {@link none} for an answer without a body, `eventStream` and `download`
   * for one that comes in parts.
   */
  response: ResponseOption;
  /** The upstream that answers, or a function: `fn("contact")`. */
  to: To;
  /** Takes nothing but what a sender signed: `stripe("PAYMENT_WEBHOOK_KEY")`. Default: signatures are not looked at. */
  webhook?: WebhookOption<SecretName>;
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
export type RouteOptions<
  Key extends string,
  To extends string = string,
  SecretName extends string = string,
> = Key extends `${Method} /${string}`
  ? Key extends `${infer M} ${infer Path}`
    ? RouteBase<To, SecretName> & ParamsOf<Path> & BodyOf<M>
    : never
  : `Write a method and a path, like "GET /api/products/:id"`;

/** Whoever may answer a route. */
type DestinationName<Upstreams, Functions> =
  | (keyof Upstreams & string)
  | FunctionName<keyof Functions & string>;

/** Whoever may cause a secret's use. Where no route is known, any may be meant. */
type UserName<Functions, Key> =
  | FunctionName<keyof Functions & string>
  | ([Key] extends [never] ? RouteKey : Key & RouteKey);

/** A site's contract. What it does not declare does not exist. */
export interface StackOptions<
  Upstreams extends Record<string, Upstream>,
  Key extends string,
  Functions extends Record<string, FunctionOptions> = Record<string, FunctionOptions>,
  SecretName extends string = string,
> {
  /** Where visitors find the site: scheme, host and port, nothing more. Must be https. */
  origin: string;
  site?: SiteOptions;
  identity?: IdentityOptions;
  /** Default: no API key is accepted. */
  apiKeys?: ApiKeysOptions;
  /** Default: no cookie says who calls. */
  sessions?: SessionOptions;
  upstreams?: Upstreams;
  /** Code of yours that answers routes, each in `functions/<name>.ts`. Default: none. */
  functions?: Functions;
  /** Credentials for other services: what each may be used for, and by whom. Their values lie in the vault. Default: none. */
  secrets?: { readonly [Name in SecretName]: SecretDefinition<UserName<NoInfer<Functions>, NoInfer<Key>>> };
  /** How the services that secrets and functions name are reached. */
  egress?: EgressOptions;
  vault?: VaultOptions;
  /**
   * Starts functions that use secrets where nothing holds the stack's processes apart: no users of their own, no sandboxes. Then who breaks out of a
   * function can read what the others have. Says why that is safe here. Default: such a start is refused.
   */
  insecureReducedIsolation?: string;
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
  routes?: {
    readonly [K in Key]: RouteOptions<K, DestinationName<Upstreams, Functions>, NoInfer<SecretName>>;
  };
}

/** A contract as written, made by {@link defineStack}. */
export type Stack = StackOptions<Record<string, Upstream>, never> & { readonly kind: "stack" };

declare const apiTypes: unique symbol;

/**
 * A contract that the schemas of its routes can be read off, as the browser's client and functions do. Types alone: no such member exists.
 */
export interface TypedApi<Responses, Queries, Bodies, Params = {}, Headers = {}, Errors = {}> {
  readonly [apiTypes]?: {
    readonly responses: Responses;
    readonly queries: Queries;
    readonly bodies: Bodies;
    readonly params: Params;
    readonly headers: Headers;
    readonly errors: Errors;
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
interface Names<Key, Params> {
  params?: Params & { readonly [Name in Exclude<keyof Params, ParamNameOf<Key>>]: NoSuchParam };
}
type NoSuchParam = "The path has no such parameter";
type ParamNameOf<Key> = Key extends `${string} ${infer Path}` ? ParamName<Path> : never;
interface Hears<Headers> {
  headers?: Headers;
}
interface Refuses<Errors> {
  errors?: Errors;
}

/** Makes the compiler note each route's schemas one by one, so that options that don't exist are still refused. */
interface NotesSchemas<Responses, Queries, Bodies, Params, Headers, Errors> {
  readonly routes?: { readonly [K in keyof Responses]: Answers<Responses[K]> } & {
    readonly [K in keyof Queries]: Asks<Queries[K]>;
  } & { readonly [K in keyof Bodies]: Takes<Bodies[K]> } & {
    readonly [K in keyof Params]: Names<K, Params[K]>;
  } & { readonly [K in keyof Headers]: Hears<Headers[K]> } & {
    readonly [K in keyof Errors]: Refuses<Errors[K]>;
  };
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
  const Functions extends Record<string, FunctionOptions> = {},
  const SecretName extends string = never,
  const Responses = {},
  const Queries = {},
  const Bodies = {},
  const Params = {},
  const Headers = {},
  const Errors = {},
>(
  stack: StackOptions<Upstreams, Key, Functions, SecretName> &
    NotesSchemas<Responses, Queries, Bodies, Params, Headers, Errors>,
): Stack & TypedApi<Responses, Queries, Bodies, Params, Headers, Errors> {
  const made: unknown = Object.freeze({ ...stack, kind: "stack" as const });
  // Which names there are was checked above, and is no part of what is made.
  return made as Stack & TypedApi<Responses, Queries, Bodies, Params, Headers, Errors>;
}

/**
 * Describes one route in a file of its own; spread it into a stack's `routes`. The key comes first, so that the options are
 * checked against it. The upstream's name is checked where it is spread.
 */
export function route<
  const Key extends RouteKey,
  const To extends string,
  const SecretName extends string = never,
>(
  key: Key,
  options: RouteOptions<Key, To, SecretName>,
): { readonly [K in Key]: RouteOptions<K, To, SecretName> } {
  return { [key]: options } as { readonly [K in Key]: RouteOptions<K, To, SecretName> };
}
