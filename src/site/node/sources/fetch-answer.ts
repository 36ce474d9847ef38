import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, failed, mayPass, readUpTo, refused } from "./connect.ts";
import type { ConnectOptions, SentRequest } from "./connect.ts";

/** What was answered. */
export interface FetchedAnswer {
  readonly status: 200 | 304;
  /** Where it came from in the end. */
  readonly url: URL;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** Seconds for which it needs not be asked for again (RFC 9111). */
  readonly freshSeconds: number;
  /** The address of what comes after it, if it says so (RFC 8288). */
  readonly next: URL | undefined;
  /** Empty unless the status is 200. */
  readonly body: Uint8Array;
}

/** Within which bounds something is fetched. */
export interface FetchOptions extends ConnectOptions {
  /** Whether a redirect may lead there. */
  readonly mayFollow: (url: URL) => boolean;
  /** What a 200 must be, by its `content-type`; says what it is if it is not. */
  readonly wrongType: (type: string) => string | undefined;
  readonly maxBytes: number;
  /** Which option says {@link FetchOptions.maxBytes}. */
  readonly bound: string;
  /** How often it is asked again. */
  readonly retries: number;
  /** When the signal ends it, in milliseconds of `performance.now()`. */
  readonly deadlineMs: number;
}

/** Redirects that are followed. */
const maxRedirects = 5;
/** What a server says that is busy for a moment. */
const busy: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Fetches once, follows redirects, and asks again who is busy: after as long as it says, within the deadline.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_REFUSED`, `SITE_SOURCE_FAILED`; what it says holds nothing of the answer but its status
 */
export async function fetchAnswer(sent: SentRequest, options: FetchOptions): Promise<FetchedAnswer> {
  for (let attempt = 0; ; attempt++) {
    const pause = attempt < options.retries ? 100 * 3 ** attempt : undefined;
    try {
      const answer = await follow(sent, options);
      if (!("busy" in answer)) return answer;
      await wait(pause && (answer.afterMs ?? pause), isBusy(sent.url, answer), options);
    } catch (reason) {
      if (!mayPass(reason)) throw reason;
      await wait(pause, reason, options);
    }
  }
}

/** Waits, or throws the reason if there is no time for it. */
async function wait(
  ms: number | undefined,
  reason: unknown,
  { deadlineMs, signal }: FetchOptions,
): Promise<void> {
  if (ms === undefined || performance.now() + ms > deadlineMs) throw reason;
  await sleep(ms, undefined, { signal }).catch(() => {
    throw reason;
  });
}

function isBusy(url: URL, { busy: status, afterMs }: Busy): Error {
  if (afterMs === undefined) return failed(url, `it answered with the status ${status}.`);
  return failed(
    url,
    `it answered with the status ${status}, and to ask again in ${Math.ceil(afterMs / 1000)} s.`,
    "Build again then, or raise the source's  timeoutMs",
  );
}

interface Busy {
  readonly busy: number;
  readonly afterMs: number | undefined;
}

async function follow(sent: SentRequest, options: FetchOptions): Promise<FetchedAnswer | Busy> {
  let { url } = sent;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await connect({ ...sent, url }, options);
    const { statusCode: status = 0, headers } = response;
    if (status === 200)
      return { ...factsOf(response, url), status, body: await readBody(response, url, options) };
    response.destroy();
    if (status === 304) return { ...factsOf(response, url), status, body: new Uint8Array() };
    if (busy.has(status)) return { busy: status, afterMs: retryAfter(headers["retry-after"]) };
    const follows = sent.body === undefined ? [301, 302, 303, 307, 308] : [307, 308];
    const target = follows.includes(status) ? URL.parse(headers.location ?? "", url) : null;
    if (target === null) throw failed(url, `it answered with the status ${status}.`);
    if (!options.mayFollow(target))
      throw refused(url, "it leads to another origin, and redirects are followed within one only.");
    url = target;
  }
  throw refused(url, `it leads on more than ${maxRedirects} times.`);
}

async function readBody(
  response: IncomingMessage,
  url: URL,
  { wrongType, maxBytes, bound, signal }: FetchOptions,
): Promise<Uint8Array> {
  const problem = wrongType(response.headers["content-type"] ?? "");
  if (problem !== undefined) {
    response.destroy();
    throw refused(url, problem);
  }
  return readUpTo(response, maxBytes, url, signal, `Raise the source's  ${bound}`);
}

/** @see RFC 9110 §10.2.3 */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : Math.max(0, time - Date.now());
}

function factsOf({ headers }: IncomingMessage, url: URL): Omit<FetchedAnswer, "status" | "body"> {
  return {
    url,
    etag: headers.etag,
    lastModified: headers["last-modified"],
    freshSeconds: freshSeconds(headers["cache-control"] ?? ""),
    next: nextOf(headers.link, url),
  };
}

/** @see RFC 9111 §5.2.2 */
function freshSeconds(cacheControl: string): number {
  if (/\bno-(?:cache|store)\b/i.test(cacheControl)) return 0;
  return Number(/(?:^|[\s,])max-age=(\d{1,9})/i.exec(cacheControl)?.[1] ?? 0);
}

/** @see RFC 8288 §3 */
function nextOf(header: string | string[] | undefined, url: URL): URL | undefined {
  for (const link of String(header ?? "")
    .slice(0, 8192)
    .split(/,(?=\s*<)/)) {
    const [, address, parameters = ""] = /^\s*<([^<>]*)>(.*)$/.exec(link) ?? [];
    if (
      address !== undefined &&
      /;\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?\s*(?:;|$)/i.test(parameters)
    )
      return URL.parse(address, url) ?? undefined;
  }
  return undefined;
}
