import { join, relative, resolve } from "node:path";
import type { Contract, ContractSource, Schema, Variables } from "../../../contract/index.ts";
import { CurtainwallError, isCurtainwallError } from "../../../shared/index.ts";
import { itemsOf, parseAnswer, readItem } from "../../content/source-entries.ts";
import type { CheckedItem, SourceAnswer } from "../../content/source-entries.ts";
import { readAnswers, recallAnswers } from "./read-answers.ts";
import type { SourceRead } from "./read-answers.ts";
import { readPictures } from "./read-pictures.ts";
import { openSourceCache } from "./source-cache.ts";
import { headersOf } from "./source-headers.ts";

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

/** Sources that are asked at once. */
const sourcesAtOnce = 4;

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
  const ends = signal === undefined ? failure.signal : AbortSignal.any([failure.signal, signal]);
  const answers = new Map<string, SourceAnswer[]>();
  const pictures = { bytes: 0 };
  const prepared = [...site.sources].map(([collection, source]) => {
    const caFile = source.caFile === undefined ? undefined : resolve(root, source.caFile);
    // Before anybody is asked: who lacks one token need not be asked for the others' entries.
    const headers = offline
      ? {}
      : told(source, root, () => headersOf(source, environment.private, variables));
    return { collection, source, cache, now, offline, caFile, headers, signal: ends, pictures };
  });
  const waiting = prepared.values();
  const work = async (): Promise<void> => {
    for (const read of waiting) {
      const schema = site.collections.get(read.collection);
      if (schema === undefined || ends.aborted) continue;
      try {
        answers.set(read.collection, await readOne(read, schema));
      } catch (reason) {
        throw withPlace(reason, read.source, root);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: sourcesAtOnce }, work));
  } catch (reason) {
    failure.abort();
    throw reason;
  }
  // In the contract's order, whoever was first to answer.
  return prepared.flatMap(({ collection }) => answers.get(collection) ?? []);
}

async function readOne(read: SourceRead, schema: Schema): Promise<SourceAnswer[]> {
  const { collection, source, cache } = read;
  const { texts, keep } = read.offline ? recallAnswers(read) : await readAnswers(read);
  const items = await checkAll(texts, source, schema);
  const pictures =
    source.pictures === undefined ? undefined : await readPictures(items, source.pictures, read);
  for (const answer of keep) cache.keep(collection, answer);
  return texts.map((text, at) => ({
    collection,
    text,
    ...(at > 0 || pictures === undefined || pictures.length === 0 ? {} : { pictures }),
  }));
}

async function checkAll(
  texts: readonly string[],
  source: ContractSource,
  schema: Schema,
): Promise<CheckedItem[]> {
  const items: CheckedItem[] = [];
  for (const text of texts)
    for (const value of itemsOf(parseAnswer(text, source), source))
      items.push(await readItem(value, items.length, source, schema));
  return items;
}

function told<T>(source: ContractSource, root: string, run: () => T): T {
  try {
    return run();
  } catch (reason) {
    throw withPlace(reason, source, root);
  }
}

/** An error says where in the contract its source stands. */
function withPlace(reason: unknown, { declaredAt }: ContractSource, root: string): unknown {
  if (declaredAt === undefined || !isCurtainwallError(reason) || !reason.code.startsWith("SITE_"))
    return reason;
  const place = relative(root, declaredAt);
  if (place.startsWith("..")) return reason;
  const where = `It is declared in ${place}`;
  return new CurtainwallError(reason.code, reason.message, {
    hint: reason.hint === undefined ? where : `${reason.hint}. ${where}`,
    cause: reason,
  });
}
