import { inertPolicy, securityHeaders } from "../contract/index.ts";
import type { Header } from "../contract/index.ts";
import { createNameIndex } from "../shared/index.ts";
import { createEncodingPreference } from "./accept-encoding.ts";
import { planAnswer } from "./answer.ts";
import type { PlannedAnswer, Refusals } from "./answer.ts";
import type { ApiHandler } from "./api.ts";
import { namesEntityTag } from "./entity-tag.ts";
import { isAcceptedHost } from "./host.ts";
import type { Plan, PlannedFile } from "./plan.ts";
import { decodePath, isCleanQuery } from "./target.ts";

/** A target that belongs to the API. */
export interface ApiTarget {
  readonly ready: false;
  readonly path: string;
  readonly query: string;
}

/** What a request leads to: an answer that is ready, or the API. */
export type Resolution = PlannedAnswer | ApiTarget;

/** What a {@link Resolver} works from. */
export interface ResolverOptions {
  readonly plan: Plan;
  readonly refusals: Refusals;
  readonly hosts: ReadonlySet<string>;
  readonly api: ApiHandler | undefined;
  readonly maxTargetLength: number;
}

/**
 * Decides what a request gets.
 *
 * @param host Host or `:authority`; undefined when there is none, or more than one
 */
export type Resolver = (
  method: string,
  target: string,
  host: string | undefined,
  acceptEncoding: string | undefined,
  ifNoneMatch: string | undefined,
) => Resolution;

const nothing = new Uint8Array(0);
const moveHeaders: readonly Header[] = [["cache-control", "no-cache"], ...securityHeaders(inertPolicy)];

/** Creates the one function that both protocols ask, for every request. */
export function createResolver(options: ResolverOptions): Resolver {
  const { plan, refusals, hosts, api, maxTargetLength } = options;
  const hostPlace = createNameIndex([...hosts]);
  const preferenceOf = createEncodingPreference();

  function resolve(
    method: string,
    target: string,
    host: string | undefined,
    acceptEncoding: string | undefined,
    ifNoneMatch: string | undefined,
  ): Resolution {
    if (host === undefined) return refusals[400];
    if (hostPlace(host) < 0 && !isAcceptedHost(hosts, host)) return refusals[421];
    if (target.length > maxTargetLength) return refusals[414];
    const queryAt = target.indexOf("?");
    const path = queryAt < 0 ? target : target.slice(0, queryAt);
    // No file lies where the API is. Malformed paths are its too: what calls an API expects the API's own errors.
    if (api !== undefined && target.charCodeAt(0) === 0x2f && api.matches(path)) {
      const query = queryAt < 0 ? "" : target.slice(queryAt + 1);
      return isCleanQuery(query) ? { ready: false, path, query } : refusals[400];
    }
    const file = plan.byTarget.get(path);
    if (file !== undefined) {
      return answerFile(file, method, queryAt < 0 ? "" : target.slice(queryAt), acceptEncoding, ifNoneMatch);
    }
    if (target.charCodeAt(0) !== 0x2f) return resolveUnusual(method, target, acceptEncoding, ifNoneMatch);
    const decoded = decodePath(path);
    if (decoded === undefined) return refusals[400];
    const other = plan.byPath.get(decoded);
    if (other === undefined) return notFound(decoded, acceptEncoding);
    return answerFile(other, method, queryAt < 0 ? "" : target.slice(queryAt), acceptEncoding, ifNoneMatch);
  }

  function answerFile(
    file: PlannedFile,
    method: string,
    query: string,
    acceptEncoding: string | undefined,
    ifNoneMatch: string | undefined,
  ): PlannedAnswer {
    if (method !== "GET" && method !== "HEAD") return refusals[405];
    if (file.movedTo !== undefined) return planMove(file.movedTo, file.moveStatus, query);
    const { variants, choice } = file.ready ?? plan.prepare(file);
    const variant =
      variants.length === 1 ? variants[0] : variants[choice[preferenceOf(acceptEncoding)] as number];
    if (variant === undefined) return refusals[500];
    if (ifNoneMatch !== undefined && namesEntityTag(ifNoneMatch, variant.tag)) return variant.notModified;
    return variant.ok;
  }

  function notFound(path: string, acceptEncoding: string | undefined): PlannedAnswer {
    const page = plan.notFoundFor(path);
    if (page === undefined) return refusals[404];
    const { variants, choice } = page;
    return variants[choice[preferenceOf(acceptEncoding)] as number] ?? refusals[404];
  }

  /** The absolute form is taken when it names this site (RFC 9112 §3.2.2); `*` and the authority form are no resource here. */
  function resolveUnusual(
    method: string,
    target: string,
    acceptEncoding: string | undefined,
    ifNoneMatch: string | undefined,
  ): Resolution {
    if (!target.toLowerCase().startsWith("https://")) return refusals[method === "OPTIONS" ? 405 : 400];
    const pathAt = target.indexOf("/", 8);
    if (pathAt < 0) return refusals[400];
    return resolve(method, target.slice(pathAt), target.slice(8, pathAt), acceptEncoding, ifNoneMatch);
  }

  return resolve;
}

/** The query goes along if it is one that a URL can carry, and if the target has none of its own. */
function planMove(to: string, status: 301 | 302 | 307 | 308, query: string): PlannedAnswer {
  const location = isCleanQuery(query) && !/[?#]/.test(to) ? to + query : to;
  return planAnswer(status, [["location", location], ...moveHeaders], nothing);
}
