import { hash } from "node:crypto";
import type { ContractSource } from "../../../contract/index.ts";
import { CurtainwallError, isCurtainwallError } from "../../../shared/index.ts";
import { firstAsk, nextAsk, valueAt } from "../../content/source-asks.ts";
import type { SourceAsk } from "../../content/source-asks.ts";
import { itemsOf, parseAnswer } from "../../content/source-entries.ts";
import { siteError } from "../../errors.ts";
import { failed, nameOf, refused } from "./connect.ts";
import { fetchAnswer } from "./fetch-answer.ts";
import type { FetchedAnswer, FetchOptions } from "./fetch-answer.ts";
import type { KeptAnswer, SourceCache } from "./source-cache.ts";

/** One source that is read. */
export interface SourceRead {
  readonly collection: string;
  readonly source: ContractSource;
  readonly cache: SourceCache;
  readonly now: () => number;
  readonly offline: boolean;
  /** A PEM file, as a path. */
  readonly caFile: string | undefined;
  /** What it is sent, secrets included. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** What was fetched of pictures so far, for all sources of a build. */
  readonly pictures: { bytes: number };
}

/** All that a source answered, and what of it is to be kept once it is found right. */
export interface ReadAnswers {
  readonly texts: readonly string[];
  readonly keep: readonly KeptAnswer[];
}

/** Asks a source until it has nothing more to say. */
export async function readAnswers(read: SourceRead): Promise<ReadAnswers> {
  const { source, signal } = read;
  const keep: KeptAnswer[] = [];
  let bytesLeft = source.maxBytes;
  const limits = {
    signal: AbortSignal.any([AbortSignal.timeout(source.timeoutMs), signal]),
    deadlineMs: performance.now() + source.timeoutMs,
  };
  try {
    const texts = await walk(source, async (ask) => {
      const { answer, isFresh } = await askOne(ask, read, { ...limits, maxBytes: bytesLeft });
      if (isFresh) keep.push(answer);
      bytesLeft -= Buffer.byteLength(answer.text);
      return answer;
    });
    return { texts, keep };
  } catch (reason) {
    throw withOfflineHint(reason, read);
  }
}

/** Takes what a source answered in an earlier build, all of it. */
export function recallAnswers({ collection, source, cache }: SourceRead): ReadAnswers {
  const texts: string[] = [];
  for (let step = firstStep(source); step !== undefined;) {
    const known = cache.recall(collection, keyOf(step.ask));
    if (known === undefined) {
      throw siteError("SITE_SOURCE_OFFLINE", "no earlier build has kept what it answers.", {
        place: { file: nameOf(step.ask.url) },
        hint: "Build once without --offline",
      });
    }
    texts.push(known.text);
    step = stepAfter(step, known, source);
  }
  return { texts, keep: [] };
}

async function walk(
  source: ContractSource,
  answerTo: (ask: SourceAsk) => Promise<KeptAnswer>,
): Promise<string[]> {
  const texts: string[] = [];
  for (let step = firstStep(source); step !== undefined;) {
    if (texts.length === source.maxPages)
      throw refused(
        step.ask.url,
        `it goes on for more than ${source.maxPages} answers.`,
        "Raise the source's  maxPages, or ask for more entries at once",
      );
    const answer = await answerTo(step.ask);
    // A service that does not know a parameter answers each time the same.
    if (answer.text === texts.at(-1) && itemsOf(parseAnswer(answer.text, source), source).length > 0)
      throw refused(step.ask.url, "it answered twice the same: it may not know the parameter of  next.");
    texts.push(answer.text);
    step = stepAfter(step, answer, source);
  }
  return texts;
}

interface Step {
  readonly ask: SourceAsk;
  readonly asked: ReadonlySet<string>;
  readonly entries: number;
}

function firstStep(source: ContractSource): Step | undefined {
  const ask = firstAsk(source);
  return { ask, asked: new Set([keyOf(ask)]), entries: 0 };
}

function stepAfter(
  { ask, asked, entries }: Step,
  answer: KeptAnswer,
  source: ContractSource,
): Step | undefined {
  const value = parseAnswer(answer.text, source);
  if (source.isGraphql) assertAnswered(value, ask);
  const count = itemsOf(value, source).length;
  const read = { answers: asked.size, entries: entries + count };
  const next = nextAsk(source, ask, { value, count, next: answer.next }, read);
  if (next === undefined) return undefined;
  const key = keyOf(next);
  if (asked.has(key)) throw refused(next.url, "the parts of the answer lead in a circle.");
  return { ask: next, asked: new Set([...asked, key]), entries: read.entries };
}

/** GraphQL answers with 200 and says in words what it could not do. These may quote anything: its place and its code are told. */
function assertAnswered(value: unknown, { url }: SourceAsk): void {
  const errors = valueAt(value, ["errors"]);
  if (!Array.isArray(errors) || errors.length === 0) return;
  const [first] = errors as unknown[];
  const line = valueAt(first, ["locations", "0", "line"]);
  const code = valueAt(first, ["extensions", "code"]);
  throw failed(
    url,
    `it answered the GraphQL query with ${errors.length === 1 ? "an error" : `${errors.length} errors`}${
      typeof line === "number" ? `, the first for the query's line ${line}` : ""
    }${typeof code === "string" && /^[A-Z_]{1,40}$/.test(code) ? `: ${code}` : ""}.`,
    "Send the query by hand to see what it says",
  );
}

/** Names what was asked. No address of a source has a fragment. */
function keyOf({ url, body }: SourceAsk): string {
  return body === undefined ? url.href : `${url.href}#${hash("sha256", body)}`;
}

async function askOne(
  ask: SourceAsk,
  { collection, source, cache, now, caFile, headers }: SourceRead,
  limits: Pick<FetchOptions, "maxBytes" | "signal" | "deadlineMs">,
): Promise<{ answer: KeptAnswer; isFresh: boolean }> {
  const { url, body } = ask;
  const key = keyOf(ask);
  // What was posted has no validators (RFC 9110 §9.3.3).
  const known = body === undefined ? cache.recall(collection, key) : undefined;
  const validators = known === undefined ? {} : validatorsOf(known);
  const response = await fetchAnswer(
    { url, body, headers: { accept: "application/json", ...headers, ...validators } },
    {
      ...limits,
      allowPrivate: source.allowPrivate,
      caFile,
      anyAuthority: false,
      mayFollow: ({ origin }) => origin === source.url.origin,
      wrongType: (type) =>
        /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)
          ? undefined
          : "what it answered is not application/json.",
      bound: "maxBytes",
      retries: source.retries,
    },
  );
  if (response.status === 200) return { answer: keptOf(key, response, now()), isFresh: true };
  if (known === undefined || Object.keys(validators).length === 0)
    throw refused(url, "it answered that nothing changed, and was not asked that.");
  return { answer: known, isFresh: false };
}

/** What asks whether something changed since it was kept. */
export function validatorsOf({ etag, lastModified }: KeptAnswer): Record<string, string> {
  return {
    ...(etag === undefined ? {} : { "if-none-match": etag }),
    ...(lastModified === undefined ? {} : { "if-modified-since": lastModified }),
  };
}

function keptOf(
  key: string,
  { url, etag, lastModified, next, body }: FetchedAnswer,
  readAt: number,
): KeptAnswer {
  return {
    url: key,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(next === undefined ? {} : { next: next.href }),
    readAt,
    text: decode(body, url),
  };
}

function decode(body: Uint8Array, url: URL): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw siteError("SITE_SOURCE_INVALID", "what it answered is not UTF-8.", {
      place: { file: nameOf(url) },
    });
  }
}

/** The failure says what to do until the source is back, if anything can be done. */
function withOfflineHint(reason: unknown, { collection, source, cache }: SourceRead): unknown {
  if (!isCurtainwallError(reason) || reason.code !== "SITE_SOURCE_FAILED") return reason;
  const known = cache.recall(collection, keyOf(firstAsk(source)));
  if (known === undefined) return reason;
  const day = new Date(known.readAt).toISOString().slice(0, 16).replace("T", " ");
  const hint = `curtainwall build --offline  takes what it answered on ${day} UTC`;
  return new CurtainwallError(reason.code, reason.message, {
    hint: reason.hint === undefined ? hint : `${reason.hint}; ${hint}`,
    cause: reason,
  });
}
