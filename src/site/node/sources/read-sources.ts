import { join, resolve } from "node:path";
import { z } from "zod";
import type { Contract, ContractSource, Schema, Variables } from "../../../contract/index.ts";
import { CurtainwallError, isCurtainwallError } from "../../../shared/index.ts";
import { siteError } from "../../errors.ts";
import { itemsIn, readItem } from "../../content/source-entries.ts";
import type { SourceAnswer } from "../../content/source-entries.ts";
import { getFromSource, nameOf, refused } from "./get.ts";
import { openSourceCache } from "./source-cache.ts";
import type { KeptAnswer, SourceCache } from "./source-cache.ts";

/** Options of {@link readSources}. */
export interface ReadSourcesOptions {
  /** The folder of the contract. */
  readonly root: string;
  readonly contract: Pick<Contract, "site" | "environment">;
  /** Where answers are kept from one build to the next. Default `.curtainwall/cache/sources` below `root`. */
  readonly folder?: string;
  /** Asks nobody, and takes what the last build was answered. Default false. */
  readonly offline?: boolean;
  /** Where tokens are. Default: the environment's variables. */
  readonly variables?: Variables;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
  readonly now?: () => number;
}

/**
 * Reads what a contract's sources answer: all of it, checked by their schemas, or an error. An answer is kept only when it was right, so
 * that `offline` can build from the last one that was.
 *
 * @throws {CurtainwallError} `SITE_SOURCE_FAILED`, `SITE_SOURCE_REFUSED`, `SITE_SOURCE_INVALID`, `SITE_SOURCE_OFFLINE`
 */
export async function readSources({
  root,
  contract: { site, environment },
  folder = join(root, ".curtainwall", "cache", "sources"),
  offline = false,
  variables = process.env,
  signal,
  now = Date.now,
}: ReadSourcesOptions): Promise<SourceAnswer[]> {
  if (site === undefined || "dist" in site || site.sources.size === 0) return [];
  const cache = openSourceCache(folder);
  const failure = new AbortController();
  const reads = [...site.sources].map(async ([collection, source]) => {
    const schema = site.collections.get(collection);
    if (schema === undefined) return [];
    const read: SourceRead = { collection, source, schema, cache, now };
    if (offline) return recallAll(read);
    const token = tokenOf(source, environment.private, variables);
    const ends = [
      AbortSignal.timeout(source.timeoutMs),
      failure.signal,
      ...(signal === undefined ? [] : [signal]),
    ];
    return askAll(read, {
      caFile: source.caFile === undefined ? undefined : resolve(root, source.caFile),
      token,
      signal: AbortSignal.any(ends),
    });
  });
  try {
    return (await Promise.all(reads)).flat();
  } catch (reason) {
    failure.abort();
    throw reason;
  }
}

interface SourceRead {
  readonly collection: string;
  readonly source: ContractSource;
  readonly schema: Schema;
  readonly cache: SourceCache;
  readonly now: () => number;
}

/** Answers that lead to a next one, at most: a service that always does must not keep a build for ever. */
const maxAnswers = 200;

/** How a source is asked. */
interface Asking {
  readonly caFile: string | undefined;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

async function askAll(read: SourceRead, asking: Asking): Promise<SourceAnswer[]> {
  const { collection, source, schema, cache } = read;
  const answers: KeptAnswer[] = [];
  const fresh: KeptAnswer[] = [];
  let bytesLeft = source.maxBytes;
  try {
    for (let url: URL | undefined = source.url; url !== undefined;) {
      if (answers.length === maxAnswers)
        throw refused(url, `it goes on for more than ${maxAnswers} answers.`);
      const { answer, isFresh } = await askOne(url, bytesLeft, read, asking);
      if (isFresh) fresh.push(answer);
      bytesLeft -= Buffer.byteLength(answer.text);
      answers.push(answer);
      url = nextOf(answer, source, answers);
    }
  } catch (reason) {
    throw withOfflineHint(reason, read);
  }
  await checkAll(answers, source, schema);
  for (const answer of fresh) cache.keep(collection, answer);
  return answers.map(({ text }) => ({ collection, text }));
}

async function askOne(
  url: URL,
  maxBytes: number,
  { collection, source, cache, now }: SourceRead,
  { caFile, token, signal }: Asking,
): Promise<{ answer: KeptAnswer; isFresh: boolean }> {
  const known = cache.recall(collection, url);
  const validators = known === undefined ? {} : validatorsOf(known);
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const headers = { ...validators, ...authorization };
  const response = await getFromSource(url, { source, caFile, headers, maxBytes, signal });
  if (response.status !== 304) return { answer: keptOf(url, response, now()), isFresh: true };
  if (known === undefined || Object.keys(validators).length === 0)
    throw refused(url, "it answered that nothing changed, and was not asked that.");
  return { answer: known, isFresh: false };
}

function validatorsOf({ etag, lastModified }: KeptAnswer): Record<string, string> {
  return {
    ...(etag === undefined ? {} : { "if-none-match": etag }),
    ...(lastModified === undefined ? {} : { "if-modified-since": lastModified }),
  };
}

function keptOf(url: URL, response: Awaited<ReturnType<typeof getFromSource>>, readAt: number): KeptAnswer {
  const { etag, lastModified, next, body } = response;
  return {
    url: url.href,
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

function nextOf(
  { next }: KeptAnswer,
  { url: { origin } }: ContractSource,
  answers: readonly KeptAnswer[],
): URL | undefined {
  const url = next === undefined ? null : URL.parse(next);
  if (url === null) return undefined;
  if (url.origin !== origin) throw refused(url, "the next part of the answer is at another origin.");
  if (answers.some((answer) => answer.url === url.href))
    throw refused(url, "the parts of the answer lead in a circle.");
  return url;
}

async function recallAll(read: SourceRead): Promise<SourceAnswer[]> {
  const { collection, source, schema, cache } = read;
  const answers: KeptAnswer[] = [];
  for (let url: URL | undefined = source.url; url !== undefined;) {
    const known = cache.recall(collection, url);
    if (known === undefined) {
      throw siteError("SITE_SOURCE_OFFLINE", "no earlier build has kept what it answers.", {
        place: { file: nameOf(url) },
        hint: "Build once without --offline",
      });
    }
    answers.push(known);
    url = nextOf(known, source, answers);
  }
  await checkAll(answers, source, schema);
  return answers.map(({ text }) => ({ collection, text }));
}

async function checkAll(
  answers: readonly KeptAnswer[],
  source: ContractSource,
  schema: Schema,
): Promise<void> {
  let index = 0;
  for (const { text } of answers)
    for (const value of itemsIn(text, source)) await readItem(value, index++, source, schema);
}

/** The failure says what to do until the source is back, if anything can be done. */
function withOfflineHint(reason: unknown, { collection, source, cache }: SourceRead): unknown {
  if (!isCurtainwallError(reason) || reason.code !== "SITE_SOURCE_FAILED") return reason;
  const known = cache.recall(collection, source.url);
  if (known === undefined) return reason;
  const day = new Date(known.readAt).toISOString().slice(0, 16).replace("T", " ");
  const hint = `curtainwall build --offline  takes what it answered on ${day} UTC`;
  return new CurtainwallError(reason.code, reason.message, {
    hint: reason.hint === undefined ? hint : `${reason.hint}; ${hint}`,
    cause: reason,
  });
}

/** A header can hold no more than this; an error must not repeat what it was given. */
function tokenOf(
  { token: name, url }: ContractSource,
  schemas: ReadonlyMap<string, Schema>,
  variables: Variables,
): string | undefined {
  const schema = name === undefined ? undefined : schemas.get(name);
  if (name === undefined || schema === undefined) return undefined;
  const value = z.safeParse(schema, variables[name]);
  const token = value.success ? String(value.data) : "";
  if (/^[\u0021-\u007e]+$/.test(token)) return token;
  throw siteError(
    "SITE_SOURCE_FAILED",
    `its token, the variable ${name}, is not set, or not as privateEnv says.`,
    {
      place: { file: nameOf(url) },
      hint: `Set ${name} where this runs`,
    },
  );
}
