import { hash } from "node:crypto";
import type { ContractSourcePictures } from "../../../contract/index.ts";
import { picturesWished } from "../../content/picture-wishes.ts";
import type { PictureWish } from "../../content/picture-wishes.ts";
import type { CheckedItem } from "../../content/source-entries.ts";
import { siteError } from "../../errors.ts";
import { readPicture } from "../../images/picture-facts.ts";
import type { PictureFormat } from "../../images/picture-facts.ts";
import type { SourcePicture } from "../../images/source-pictures.ts";
import { stripMetadata } from "../../images/strip-metadata.ts";
import { nameOf, refused } from "./connect.ts";
import { fetchAnswer } from "./fetch-answer.ts";
import { validatorsOf } from "./read-answers.ts";
import type { SourceRead } from "./read-answers.ts";
import type { KeptAnswer } from "./source-cache.ts";

/** Pictures that are fetched at once. */
const atOnce = 4;
/** What a build holds of all sources' pictures, which travel to the jail in one file. */
const maxTotalBytes = 134_217_728;
/** Of one source. */
const maxPictures = 5000;

/** How pictures end that are published. A document that can hold scripts is none of them. */
const endings: Readonly<Partial<Record<PictureFormat, string>>> = {
  jpeg: "jpg",
  png: "png",
  gif: "gif",
  webp: "webp",
  avif: "avif",
};

/** Fetches the pictures that entries show, or takes those of an earlier build. */
export async function readPictures(
  items: readonly CheckedItem[],
  pictures: ContractSourcePictures,
  read: SourceRead,
): Promise<SourcePicture[]> {
  const { source, signal } = read;
  const wishes = groupByAddress(await picturesWished(items, pictures, source.url));
  if (wishes.length > maxPictures)
    throw refused(source.url, `its entries show ${wishes.length} pictures, and ${maxPictures} are fetched.`);
  const limits = {
    signal: AbortSignal.any([AbortSignal.timeout(pictures.timeoutMs), signal]),
    deadlineMs: performance.now() + pictures.timeoutMs,
  };
  const found: SourcePicture[] = [];
  const waiting = wishes.entries();
  const work = async (): Promise<void> => {
    for (const [at, wish] of waiting) {
      const bytes = read.offline ? recall(wish, read) : await fetchOne(wish, pictures, read, limits);
      read.pictures.bytes += bytes.length;
      if (read.pictures.bytes > maxTotalBytes)
        throw refused(
          source.url,
          `with its pictures, those of all sources are larger than ${maxTotalBytes} bytes.`,
        );
      found[at] = toPicture(wish, bytes, read.collection);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}

interface Wanted {
  readonly url: URL;
  readonly written: readonly string[];
  readonly place: string;
}

function groupByAddress(wishes: readonly PictureWish[]): Wanted[] {
  const wanted = new Map<string, Wanted & { written: string[] }>();
  for (const { url, written, place } of wishes) {
    const known = wanted.get(url.href) ?? { url, written: [url.href], place };
    if (!known.written.includes(written)) known.written.push(written);
    wanted.set(url.href, known);
  }
  return [...wanted.values()];
}

const shelfOf = (collection: string): string => `${collection} pictures`;

function recall({ url, place }: Wanted, { collection, cache }: SourceRead): Uint8Array {
  const known = cache.recall(shelfOf(collection), url.href);
  if (known !== undefined) return Buffer.from(known.text, "base64");
  throw siteError("SITE_SOURCE_OFFLINE", `no earlier build has kept its picture ${nameOf(url)}.`, {
    place: { file: place },
    hint: "Build once without --offline",
  });
}

async function fetchOne(
  { url, place }: Wanted,
  { from, maxBytes }: ContractSourcePictures,
  { collection, source, cache, now, caFile, headers }: SourceRead,
  limits: { readonly signal: AbortSignal; readonly deadlineMs: number },
): Promise<Uint8Array> {
  const shelf = shelfOf(collection);
  const known = cache.recall(shelf, url.href);
  if (known?.freshUntil !== undefined && now() < known.freshUntil) return Buffer.from(known.text, "base64");
  const isOwn = url.origin === source.url.origin;
  const response = await fetchAnswer(
    {
      url,
      body: undefined,
      headers: {
        // A token is the source's own: no other origin is told it.
        ...(isOwn ? headers : {}),
        accept: "image/avif, image/webp, image/png, image/jpeg, image/gif",
        ...(known === undefined ? {} : validatorsOf(known)),
      },
    },
    {
      ...limits,
      allowPrivate: source.allowPrivate,
      caFile,
      anyAuthority: !isOwn,
      // With a token the way leads nowhere else.
      mayFollow: ({ origin }) => (isOwn ? origin === url.origin : from.has(origin)),
      wrongType: (type) =>
        /^image\//i.test(type) || /^(?:application|binary)\/octet-stream\b/i.test(type)
          ? undefined
          : "what it answered is no picture.",
      maxBytes,
      bound: "pictures.maxBytes",
      retries: source.retries,
    },
  );
  if (response.status === 304 && known !== undefined) {
    cache.keep(shelf, withFreshness(known, response.freshSeconds, now()));
    return Buffer.from(known.text, "base64");
  }
  const bytes = bareOf(response.body, url, place);
  const { etag, lastModified } = response;
  const kept: KeptAnswer = {
    url: url.href,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    readAt: now(),
    text: Buffer.from(bytes).toString("base64"),
  };
  cache.keep(shelf, withFreshness(kept, response.freshSeconds, now()));
  return bytes;
}

/** No longer than a day, so that a mistake of the service does not stay for a year. */
const withFreshness = (kept: KeptAnswer, seconds: number, now: number): KeptAnswer => ({
  ...kept,
  freshUntil: now + Math.min(seconds, 86_400) * 1000,
});

/** A picture by its bytes, whatever it was called, without what tells about its owner. */
function bareOf(bytes: Uint8Array, url: URL, place: string): Uint8Array {
  const facts = readPicture(bytes);
  const bare =
    typeof facts === "object" && endings[facts.format] !== undefined
      ? stripMetadata(bytes, facts.format)
      : undefined;
  if (bare !== undefined) return bare;
  throw siteError("SITE_SOURCE_REFUSED", `its picture ${nameOf(url)} is no whole picture.`, {
    place: { file: place },
    hint: "Known are PNG, JPEG, GIF, WebP and AVIF. An SVG is a document: put it into the assets folder",
  });
}

function toPicture({ url, written, place }: Wanted, bytes: Uint8Array, collection: string): SourcePicture {
  const facts = readPicture(bytes);
  const ending = typeof facts === "object" ? endings[facts.format] : undefined;
  if (ending === undefined)
    throw siteError("SITE_SOURCE_REFUSED", `its picture ${nameOf(url)} is no whole picture.`, {
      place: { file: place },
    });
  const path = `pictures/${collection}/${readableName(url)}${hash("sha256", url.href).slice(0, 8)}.${ending}`;
  return { url: url.href, written, path, base64: Buffer.from(bytes).toString("base64") };
}

/** What can be read of a file's name in an address; addresses of the same name differ in what follows. */
function readableName({ pathname }: URL): string {
  const last = pathname.split("/").findLast((part) => part !== "") ?? "";
  const words = last
    .replace(/\.[a-z0-9]+$/i, "")
    .toLowerCase()
    .replaceAll(/%[0-9a-f]{2}|[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
  return words === "" ? "" : `${words}-`;
}
