import type { z } from "zod";
import type { ParamName, TypedApi } from "../define.ts";
import type { None, Schema } from "../define/schema.ts";
import type { Travelling } from "../travelling.ts";
import { ApiError } from "./api-error.ts";
import { readAnswer } from "./read-answer.ts";
import { routeTable } from "./route-table.ts";
import type { RouteTable } from "./route-table.ts";
import { requestOf } from "./request.ts";

export { ApiError } from "./api-error.ts";
export type { ApiErrorCode, ApiErrorDetails } from "./api-error.ts";

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** Told of members that an answer had and the contract does not declare; they are left out. Default: a warning in the console. */
  onUndeclared?: (route: string, members: readonly string[]) => void;
  /** The routes that may be called. Default: what the build put in, which is what the island names. */
  table?: RouteTable;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call early, with `CLIENT_ABORTED`. */
  signal?: AbortSignal;
  /** How long the whole answer may take, in milliseconds, at least 1. Default 10 000. */
  timeoutMs?: number;
  /** An access token for this call. It is kept nowhere; a page has none unless its visitor just brought it. */
  bearer?: string;
}

/** A member that is there when there is something to say, and must not be when there is not. */
type Part<Name extends string, Value> = [Value] extends [never]
  ? { readonly [K in Name]?: never }
  : {} extends Value
    ? { readonly [K in Name]?: Value }
    : { readonly [K in Name]: Value };

type ParamsIn<Key> = Key extends `${string} ${infer Path}`
  ? [ParamName<Path>] extends [never]
    ? never
    : { readonly [Name in ParamName<Path>]: string | number }
  : never;

type QueryIn<Query> =
  Query extends Readonly<Record<string, Schema>>
    ? z.input<z.ZodObject<{ -readonly [K in keyof Query]: Query[K] }>>
    : never;

type BodyIn<Body> = Body extends Schema ? Travelling<z.input<Body>> : never;

/** What a route answers, as JSON brings it. */
type Answer<Response> = Response extends None
  ? undefined
  : Response extends Schema
    ? Travelling<z.output<Response>>
    : never;

type At<All, Key> = Key extends keyof All ? All[Key] : never;

/** What a call of one route takes. */
type CallOf<Queries, Bodies, Key> = CallOptions &
  Part<"params", ParamsIn<Key>> &
  Part<"query", QueryIn<At<Queries, Key>>> &
  Part<"body", BodyIn<At<Bodies, Key>>>;

/** Calls a route of the contract by its key. The options may be left out where a route needs none. */
export type Client<Stack> =
  Stack extends TypedApi<
    infer Responses,
    infer Queries,
    infer Bodies,
    infer _Params,
    infer _Headers,
    infer _Errors
  >
    ? <Key extends keyof Responses & string>(
        route: Key,
        ...options: {} extends CallOf<Queries, Bodies, Key>
          ? [options?: CallOf<Queries, Bodies, Key>]
          : [options: CallOf<Queries, Bodies, Key>]
      ) => Promise<Answer<Responses[Key]>>
    : never;

/**
 * Makes a client of the site's own API for an island, typed by the contract: `typeof stack` is a type, so nothing of the contract
 * itself gets into the page. Routes must be named literally, so that the build sees which ones an island calls; the answers of
 * those, and of no others, can be checked there.
 *
 * Every failure is an {@link ApiError}. Cookies go along, redirects are not followed, and no token is kept.
 *
 * @throws {ApiError} from each call: `CLIENT_…`
 * @example
 * ```ts
 * import { defineStack, everyone, upstream } from "curtainwall";
 * import { createClient } from "curtainwall/client";
 * import { z } from "zod";
 *
 * const stack = defineStack({
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
 *
 * const api = createClient<typeof stack>();
 * const { name } = await api("GET /api/products/:id", { params: { id: "rye" } });
 * console.log(name.toUpperCase());
 * ```
 */
export function createClient<Stack>({
  onUndeclared = warn,
  table = routeTable,
}: ClientOptions = {}): Client<Stack> {
  const call = async (route: string, options: CallOptions = {}): Promise<unknown> => {
    const shape = Object.hasOwn(table.routes, route) ? table.routes[route] : undefined;
    if (shape === undefined)
      throw new ApiError("CLIENT_ROUTE_UNKNOWN", `The page was not built to call ${route}.`);
    const { signal, timeoutMs = 10_000 } = options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const ended = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const request = requestOf(route, options);
    try {
      const response = await fetch(request.url, { ...request.init, signal: ended });
      const { value, dropped } = await readAnswer(response, shape, table.named);
      if (dropped.length > 0) onUndeclared(route, dropped);
      return value;
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      if (signal?.aborted) throw new ApiError("CLIENT_ABORTED", "The call was ended.", { cause });
      if (timeout.aborted) throw new ApiError("CLIENT_TIMED_OUT", "The answer took too long.", { cause });
      throw new ApiError("CLIENT_UNREACHABLE", "The site's API can't be reached.", { cause });
    }
  };
  return call as Client<Stack>;
}

function warn(route: string, members: readonly string[]): void {
  console.warn(`${route} answered with undeclared members: ${members.slice(0, 10).join(", ")}`);
}
