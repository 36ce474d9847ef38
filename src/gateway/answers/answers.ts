import { inertPolicy, securityHeaders } from "../../contract/index.ts";
import type { GatewayErrorCode } from "../errors.ts";
import type { GatewayAnswer } from "../types.ts";

/** What is wrong with one field of a request; never its value. */
export interface FieldFault {
  /** JSON pointer into the body, or `query/name`, `params/name`. */
  pointer: string;
  detail: string;
}

/** An error that the gateway answers with. */
export interface Problem {
  code: GatewayErrorCode;
  status: number;
  /** In words, for whoever made the request. */
  detail: string;
}

/** Every problem that the gateway knows, by its code. */
export const problems = {
  GATEWAY_PATH_INVALID: { status: 400, detail: "The path can't be read" },
  GATEWAY_ROUTE_UNKNOWN: { status: 404, detail: "There is nothing here" },
  GATEWAY_NOT_FOUND: { status: 404, detail: "Not found" },
  GATEWAY_METHOD_REFUSED: { status: 405, detail: "This method is not offered here" },
  GATEWAY_ORIGIN_REFUSED: { status: 403, detail: "Pages of this origin may not call this API" },
  GATEWAY_CROSS_SITE_REFUSED: { status: 403, detail: "This must be asked from a page of this site" },
  GATEWAY_WEBHOOK_REFUSED: { status: 403, detail: "This is not signed as its sender signs, or not now" },
  GATEWAY_WEBHOOK_UNDER_WAY: { status: 409, detail: "The same is under way already" },
  GATEWAY_WEBHOOKS_UNAVAILABLE: { status: 503, detail: "Signatures can't be checked right now" },
  GATEWAY_LIMIT_REACHED: { status: 429, detail: "Too many requests" },
  GATEWAY_FAILURES_REACHED: { status: 429, detail: "Too many attempts have failed" },
  GATEWAY_QUEUE_FULL: { status: 503, detail: "Too many requests wait for their turn" },
  GATEWAY_BUSY: { status: 503, detail: "Too many requests are under way" },
  GATEWAY_BUDGET_EXHAUSTED: { status: 503, detail: "This is used up for now" },
  GATEWAY_OVERLOADED: { status: 503, detail: "There is more to do than can be done" },
  GATEWAY_LIMITS_UNAVAILABLE: { status: 503, detail: "Attempts can't be counted right now" },
  GATEWAY_TOKEN_MISSING: { status: 401, detail: "This is for callers who say who they are" },
  GATEWAY_TOKEN_INVALID: { status: 401, detail: "The access token or API key is not valid" },
  GATEWAY_SESSION_INVALID: { status: 401, detail: "The session has ended: sign in again" },
  GATEWAY_SESSIONS_UNAVAILABLE: { status: 503, detail: "Sessions can't be looked up right now" },
  GATEWAY_KEY_IN_QUERY: {
    status: 400,
    detail: "An API key does not belong into an address: it is known now",
  },
  GATEWAY_PROOFS_UNAVAILABLE: { status: 503, detail: "Proofs can't be checked right now" },
  GATEWAY_KEYS_UNAVAILABLE: { status: 503, detail: "Access tokens can't be checked right now" },
  GATEWAY_ACCESS_REFUSED: { status: 403, detail: "Not allowed" },
  GATEWAY_INPUT_INVALID: { status: 400, detail: "The request is not as described" },
  GATEWAY_BODY_UNEXPECTED: { status: 400, detail: "This request takes no body" },
  GATEWAY_BODY_TOO_LARGE: { status: 413, detail: "The body is too large" },
  GATEWAY_BODY_TIMEOUT: { status: 408, detail: "The body took too long to arrive" },
  GATEWAY_MEDIA_TYPE_REFUSED: {
    status: 415,
    detail: "The body must be of the type that is described, in UTF-8, not compressed",
  },
  GATEWAY_UPSTREAM_UNAVAILABLE: { status: 503, detail: "The service behind this can't be reached" },
  GATEWAY_UPSTREAM_TIMEOUT: { status: 504, detail: "The service behind this took too long" },
  GATEWAY_UPSTREAM_REFUSED: { status: 422, detail: "The service behind this refused the request" },
  GATEWAY_STREAMS_EXHAUSTED: { status: 503, detail: "Too many answers are under way in parts" },
  GATEWAY_ANSWER_INVALID: { status: 502, detail: "The service behind this gave an unusable answer" },
  GATEWAY_FAILED: { status: 500, detail: "Something went wrong on our side" },
} as const satisfies Partial<Record<GatewayErrorCode, Omit<Problem, "code">>>;

/** Codes that can be answered. */
export type ProblemCode = keyof typeof problems;

/** What each status is called (RFC 9110 §15): the title that a problem of no type of its own has. */
const statusPhrases: Readonly<Record<(typeof problems)[ProblemCode]["status"], string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

const security = securityHeaders(inertPolicy).flat();

/** Headers of every API answer. `vary` names what an answer depends on, so that no cache gives one origin's to another. */
const common: readonly string[] = ["cache-control", "no-store", "vary", "Origin, Authorization", ...security];
const jsonHeaders: readonly string[] = ["content-type", "application/json; charset=utf-8", ...common];

/** By status, each frozen: under a flood of refusals the edge writes the head that it remembers. */
const problemHeads = new Map<number, readonly string[]>(
  Object.values(problems).map(({ status }) => [
    status,
    Object.freeze(["content-type", "application/problem+json; charset=utf-8", ...common]),
  ]),
);

/** Headers of a success, but for what each request is told of its limits; put together once for a route and an origin. */
export interface SuccessHeads {
  readonly withBody: readonly string[];
  readonly withoutBody: readonly string[];
}

/** Puts {@link SuccessHeads} together. @param browser how long a browser may keep them, in seconds, and what they depend on; default: not at all */
export function successHeads(
  extra: readonly string[],
  browser?: { readonly seconds: number; readonly vary: readonly string[] },
): SuccessHeads {
  const ours =
    browser === undefined
      ? common
      : [
          "cache-control",
          `private, max-age=${browser.seconds}`,
          "vary",
          ["Origin, Authorization", ...browser.vary].join(", "),
          ...security,
        ];
  const type = jsonHeaders.slice(0, jsonHeaders.length - common.length);
  return {
    withBody: Object.freeze([...type, ...ours, ...extra]),
    withoutBody: Object.freeze([...ours, ...extra]),
  };
}

/** Details of {@link problemAnswer}. */
export interface ProblemDetails {
  /** Also in the log, so that an operator finds the event from what a user reports. */
  id: string;
  errors?: readonly FieldFault[] | undefined;
}

/**
 * An error as problem details. It names the code and the id, for an invalid request the fields, and nothing else: no
 * upstream's words, no exception's.
 *
 * @see RFC 9457
 */
export function problemAnswer(
  code: ProblemCode,
  { id, errors }: ProblemDetails,
  extra: readonly string[],
): GatewayAnswer {
  const { status, detail } = problems[code];
  const body = JSON.stringify({
    type: "about:blank",
    title: statusPhrases[status],
    status,
    detail,
    code,
    id,
    ...(errors === undefined ? {} : { errors }),
  });
  return { status, headers: problemHeads.get(status) as readonly string[], ownHeaders: extra, body };
}

/** The answer to OPTIONS, a CORS preflight or not. */
export function optionsAnswer(extra: readonly string[]): GatewayAnswer {
  return {
    status: 204,
    headers: [
      "cache-control",
      "no-store",
      "vary",
      "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
      ...security,
      ...extra,
    ],
    body: undefined,
  };
}
