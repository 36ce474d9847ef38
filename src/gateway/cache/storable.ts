import { memberNames } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import type { AnswerHeaders } from "../answers/response-headers.ts";

/** For how long an answer may be used again. */
export interface Lifetime {
  readonly freshMs: number;
  /** How long after that it may stand in for an upstream that fails. */
  readonly staleMs: number;
  /** How old it is already. */
  readonly ageMs: number;
}

/** Judges by its status and headers whether an answer may be used again; undefined: it is for who asked, and for now. */
export type JudgeLifetime = (status: number, headers: AnswerHeaders | undefined) => Lifetime | undefined;

/** Request headers that are the same for all requests of a route: written by us, or never sent. */
const constant: readonly string[] = ["accept", "accept-encoding", "host", "origin"];

/** What is longer was not written to be read. */
const maxHeaderLength = 4096;

/**
 * Compiles {@link JudgeLifetime}. What the contract declares is the most; the upstream may say less of each answer, or forbid it.
 *
 * @see RFC 9111 §3, §4.1, §4.2, RFC 5861 §4
 */
export function compileLifetime(route: Pick<ContractRoute, "cache" | "headers" | "cookies">): JudgeLifetime {
  const { seconds, notFoundSeconds, staleIfErrorSeconds } = route.cache as NonNullable<
    ContractRoute["cache"]
  >;
  const known = new Set([
    ...constant,
    ...(route.headers === undefined ? [] : memberNames(route.headers)),
    ...(route.cookies === undefined ? [] : ["cookie"]),
  ]);

  return (status, headers = {}) => {
    const declared = declaredSeconds(status);
    // A cookie is somebody's. Which of a header's values counts, nobody can tell.
    if (declared === 0 || headers["set-cookie"] !== undefined || !variesByKnown(headers["vary"], known))
      return undefined;
    const said = readControl(textOf(headers["cache-control"]));
    const age = wholeSeconds(textOf(headers["age"]) ?? "0");
    if (said === undefined || age === undefined) return undefined;
    const fresh = said.seconds ?? secondsUntil(headers) ?? Number.POSITIVE_INFINITY;
    const freshMs = 1000 * Math.min(declared, fresh - age);
    if (freshMs <= 0) return undefined;
    const stale = said.mustAsk ? 0 : Math.min(staleIfErrorSeconds, said.staleSeconds ?? staleIfErrorSeconds);
    return { freshMs, staleMs: isFound(status) ? 1000 * stale : 0, ageMs: 1000 * age };
  };

  function declaredSeconds(status: number): number {
    if (isFound(status)) return seconds;
    return status === 404 || status === 410 ? notFoundSeconds : 0;
  }
}

const isFound = (status: number): boolean => status === 200 || status === 204;

/** Whether all that an answer depends on is part of what it is found again by. */
function variesByKnown(vary: AnswerHeaders[string], known: ReadonlySet<string>): boolean {
  const text = textOf(vary);
  if (text === undefined) return vary === undefined;
  return text.split(",").every((name) => name.trim() === "" || known.has(name.trim().toLowerCase()));
}

/** What `Cache-Control` says. */
interface Control {
  /** Undefined: nothing. */
  readonly seconds: number | undefined;
  readonly staleSeconds: number | undefined;
  /** Whether what is not fresh any more must not be used at all. */
  readonly mustAsk: boolean;
}

const silent: Control = { seconds: undefined, staleSeconds: undefined, mustAsk: false };

/** Reads `Cache-Control`, as a shared cache does; undefined: nothing may be kept. What can't be read forbids it. */
function readControl(text: string | undefined): Control | undefined {
  if (text === undefined) return silent;
  if (text.length > maxHeaderLength) return undefined;
  let maxAge: number | undefined;
  let sharedMaxAge: number | undefined;
  let staleSeconds: number | undefined;
  let mustAsk = false;
  for (const part of text.toLowerCase().split(",")) {
    const [name = "", value = ""] = part.trim().split("=", 2);
    // "no-store; max-age=60", "max-age = 0": what was meant is not known.
    if (!/^[\w!#$%&'*+.^`|~-]*$/.test(name)) return undefined;
    if (name === "no-store" || name === "private" || name === "no-cache") return undefined;
    if (name === "must-revalidate" || name === "proxy-revalidate") mustAsk = true;
    // Said twice, the shorter counts; unreadable, it is over already (RFC 9111 §4.2.1).
    if (name === "max-age") maxAge = Math.min(maxAge ?? Number.POSITIVE_INFINITY, secondsOf(value));
    if (name === "s-maxage") {
      sharedMaxAge = Math.min(sharedMaxAge ?? Number.POSITIVE_INFINITY, secondsOf(value));
      mustAsk = true;
    }
    if (name === "stale-if-error")
      staleSeconds = Math.min(staleSeconds ?? Number.POSITIVE_INFINITY, secondsOf(value));
  }
  return { seconds: sharedMaxAge ?? maxAge, staleSeconds, mustAsk };
}

const secondsOf = (value: string): number => wholeSeconds(value.trim().replace(/^"(.*)"$/, "$1")) ?? 0;

const wholeSeconds = (text: string): number | undefined =>
  /^\d{1,10}$/.test(text.trim()) ? Number(text) : undefined;

/** Until `Expires`, by the upstream's own clock; an unreadable one is over (RFC 9111 §5.3). */
function secondsUntil(headers: AnswerHeaders): number | undefined {
  if (headers["expires"] === undefined) return headers["pragma"] === undefined ? undefined : 0;
  const left = (timeOf(headers["expires"]) - timeOf(headers["date"])) / 1000;
  return Number.isNaN(left) ? 0 : left;
}

/** The one form that is written today (RFC 9110 §5.6.7); `Date.parse` takes a "0" for a year. */
const fixedDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const timeOf = (value: AnswerHeaders[string]): number =>
  typeof value === "string" && fixedDate.test(value) ? Date.parse(value) : Number.NaN;

/** Several lines of a list are one (RFC 9110 §5.3). */
const textOf = (value: AnswerHeaders[string]): string | undefined =>
  typeof value === "object" ? value.join(", ") : value;
