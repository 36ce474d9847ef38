import { parseRouteKey } from "../../contract/index.ts";
import type { ContractRoute, OwnerLookup, PathSegment } from "../../contract/index.ts";
import { countMembers } from "../../shared/index.ts";
import type { ProblemCode } from "../answers/answers.ts";
import { saysNoMore } from "../answers/json-text.ts";
import type { ForwardedAnswer } from "../types.ts";
import { valueAt } from "./value-at.ts";

/** What a look-up found. */
export interface LookupEnd {
  readonly holds: boolean;
  /** What is wrong with the answer, for the log; undefined: it says whose the object is, or that there is none. */
  readonly fault?: string;
  /** How the request is answered if nothing else lets it pass: the upstream could not be asked. */
  readonly trouble?: ProblemCode;
  /** The object's strong ETag, if it belongs to the caller. */
  readonly tag?: string;
}

/** A look-up's request, compiled. */
export interface LookupRequest {
  readonly route: ContractRoute;
  /** Path for the upstream. @param values the route's parameters, as the upstream will be given them */
  target(values: readonly string[]): string;
}

/** Compiles the request that a look-up sends on behalf of a route. */
export function compileLookup(route: ContractRoute, { get, from }: OwnerLookup): LookupRequest {
  const parts = parseRouteKey(`GET ${get}`);
  if (typeof parts === "string") throw new Error(`${route.key}: ${parts}`);
  const names = route.segments.flatMap((segment) => ("param" in segment ? [segment.param] : []));
  const { segments } = parts;
  return {
    route: lookupRoute(route, segments, get, from ?? route.to),
    target: (values) =>
      segments
        .map(
          (part) =>
            `/${"text" in part ? part.text : encodeURIComponent(values[names.indexOf(part.param)] as string)}`,
        )
        .join(""),
  };
}

/** A route in the eyes of whoever sends it: nothing of its answer leaves, and nothing that the real one may do is inherited. */
function lookupRoute(
  route: ContractRoute,
  segments: readonly PathSegment[],
  path: string,
  to: string,
): ContractRoute {
  return {
    key: `GET ${path} before ${route.key}`,
    method: "GET",
    path,
    segments,
    to,
    access: route.access,
    timeoutMs: route.timeoutMs,
    limits: [],
    pace: undefined,
    concurrency: undefined,
    failures: undefined,
    spends: [],
    priority: route.priority,
    params: undefined,
    query: undefined,
    headers: undefined,
    cookies: undefined,
    body: undefined,
    bodyType: "json",
    jsonLimits: route.jsonLimits,
    response: undefined,
    stream: undefined,
    responseHeaders: new Map(),
    etag: false,
    errors: new Map(),
    createsSession: false,
    summary: undefined,
    maxBodyBytes: 1,
  };
}

/** RFC 9110 §8.8.3, without W/: a weak one says nothing of If-Match (§13.1.1). */
const strongTag = /^"[\x21\x23-\x7e]{0,200}"$/;

/** Reads whose object an upstream's answer is: one object, which names nobody but the subject, to the letter. */
export function readLookup(
  answer: ForwardedAnswer,
  { field, ifMatch }: OwnerLookup,
  subject: string,
): LookupEnd {
  if (answer.kind === "stream") {
    answer.stream.cancel();
    return faulty("it comes in parts");
  }
  // Nothing is wrong with an upstream that was called off, since who asked has gone.
  if (answer.kind === "failed" && answer.isCancelled === true) return { holds: false, trouble: answer.code };
  if (answer.kind === "failed")
    return answer.code === "GATEWAY_ANSWER_INVALID"
      ? faulty(answer.reason)
      : { holds: false, fault: answer.reason, trouble: answer.code };
  const { status, value, text, headers } = answer;
  if (status === 404 || status === 410) return { holds: false };
  if (status >= 500)
    return { holds: false, fault: `it answered ${status}`, trouble: "GATEWAY_UPSTREAM_UNAVAILABLE" };
  if (status !== 200) return faulty(`it answered ${status}`);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return faulty("it is no object");
  // Of a name that stands twice, the upstream may mean the other one.
  if (text !== undefined && !saysNoMore(text, countMembers(value))) return faulty("it has a name twice");
  const owner = valueAt(value, field.split("."));
  if (typeof owner !== "string" || owner === "") return faulty(`its ${field} is no text`);
  if (owner !== subject) return { holds: false };
  if (ifMatch !== true) return { holds: true };
  const tag = headers?.["etag"];
  return typeof tag === "string" && strongTag.test(tag)
    ? { holds: true, tag }
    : faulty("it has no strong ETag");
}

const faulty = (fault: string): LookupEnd => ({ holds: false, fault });
