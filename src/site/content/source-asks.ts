import type { ContractSource, JsonValue } from "../../contract/index.ts";
import { siteError } from "../errors.ts";

/** What a source is asked. */
export interface SourceAsk {
  readonly url: URL;
  /** JSON, for `POST`; undefined: `GET`. */
  readonly body: string | undefined;
}

/** What was answered, so far as it leads on. */
export interface LeadingAnswer {
  readonly value: unknown;
  /** How many entries it has. */
  readonly count: number;
  /** The address in its `Link` header. */
  readonly next: string | undefined;
}

/** The first thing that a source is asked. */
export function firstAsk(source: ContractSource): SourceAsk {
  const first = {
    url: source.url,
    body: source.post === undefined ? undefined : JSON.stringify(source.post),
  };
  const { next } = source;
  if (next === undefined || !("page" in next)) return first;
  return withParameter(first, next.page, next.first ?? 1, source);
}

/**
 * What a source is asked after an answer; undefined when that was the last.
 *
 * @param read how many answers and entries were read, this one's included
 * @throws {CurtainwallError} `SITE_SOURCE_REFUSED` for another origin, `SITE_SOURCE_INVALID` for what leads nowhere
 */
export function nextAsk(
  source: ContractSource,
  ask: SourceAsk,
  answer: LeadingAnswer,
  read: { readonly answers: number; readonly entries: number },
): SourceAsk | undefined {
  const { next } = source;
  if (next === undefined) return answer.next === undefined ? undefined : lead(answer.next, ask, source);
  if ("link" in next) {
    const address = valueAt(answer.value, next.link);
    if (address === undefined || address === null || address === "") return undefined;
    if (typeof address === "string") return lead(address, ask, source);
    throw invalid(ask, `${next.link.join(".")}: it must be an address`);
  }
  if ("cursor" in next) {
    if (next.more !== undefined && valueAt(answer.value, next.more) !== true) return undefined;
    const mark = valueAt(answer.value, next.cursor);
    if (mark === undefined || mark === null || mark === "") return undefined;
    if (typeof mark === "string" || typeof mark === "number")
      return withParameter(ask, next.parameter, mark, source);
    throw invalid(ask, `${next.cursor.join(".")}: it must be a text or a number`);
  }
  if (answer.count === 0 || answer.count < (next.size ?? 0)) return undefined;
  return "page" in next
    ? withParameter(ask, next.page, (next.first ?? 1) + read.answers, source)
    : withParameter(ask, next.offset, read.entries, source);
}

/** Follows an address that an answer named, within the origin. */
function lead(address: string, { url, body }: SourceAsk, source: ContractSource): SourceAsk {
  const next = URL.parse(address, url);
  if (next !== null && next.origin === source.url.origin) return { url: next, body };
  throw siteError("SITE_SOURCE_REFUSED", "the next part of the answer is at another origin.", {
    place: { file: placeOf(url) },
  });
}

function withParameter(
  { url, body }: SourceAsk,
  name: string,
  value: string | number,
  { isGraphql }: ContractSource,
): SourceAsk {
  if (body === undefined) {
    const next = new URL(url);
    next.searchParams.set(name, String(value));
    return { url: next, body };
  }
  const sent = JSON.parse(body) as Record<string, JsonValue>;
  if (!isGraphql) return { url, body: JSON.stringify({ ...sent, [name]: value }) };
  const variables = { ...(sent.variables as Readonly<Record<string, JsonValue>>), [name]: value };
  return { url, body: JSON.stringify({ ...sent, variables }) };
}

/** What a way of fields leads to; undefined where it ends. */
export function valueAt(value: unknown, fields: readonly string[]): unknown {
  let found = value;
  for (const field of fields) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, field)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[field];
  }
  return found;
}

const placeOf = (url: URL): string => url.origin + url.pathname;

function invalid({ url }: SourceAsk, message: string): Error {
  return siteError("SITE_SOURCE_INVALID", message, {
    place: { file: placeOf(url) },
    hint: "Say in the source's  next  where the answer says what comes after it",
  });
}
