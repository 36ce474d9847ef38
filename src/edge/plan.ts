import { completeHeaders, createNearest, notFoundPages } from "../contract/index.ts";
import type {
  Encoding,
  Header,
  Release,
  ReleaseFile,
  ReleaseRedirect,
  ReleaseVariant,
} from "../contract/index.ts";
import { CurtainwallError } from "../shared/index.ts";
import { encodingPreferences } from "./accept-encoding.ts";
import { planLasting } from "./answer.ts";
import type { PlannedAnswer } from "./answer.ts";
import { entityTag } from "./entity-tag.ts";
import type { EdgeErrorCode } from "./errors.ts";
import { decodePath, encodePath } from "./target.ts";

/** One encoding of a file, ready to be sent. */
export interface PlannedVariant {
  readonly tag: string;
  readonly ok: PlannedAnswer;
  readonly notModified: PlannedAnswer;
}

/** What a path of the release leads to. */
export interface PlannedFile {
  /** Its answers, once somebody has asked for it: see {@link Plan.prepare}. */
  ready: Choices<PlannedVariant> | undefined;
  /** Undefined for what only leads elsewhere. */
  readonly file: ReleaseFile | undefined;
  /** Where to go instead, as browsers write it; undefined: here. */
  readonly movedTo: string | undefined;
  readonly moveStatus: ReleaseRedirect["status"];
}

/** A release, ready to be sent. */
export interface Plan {
  /**
   * Puts a file's answers together. They take ten times what the manifest says of it, so that a thread keeps those of the files that
   * were asked for last.
   */
  readonly prepare: (planned: PlannedFile) => Choices<PlannedVariant>;
  /** By path as browsers send it: one look-up for nearly every request. */
  readonly byTarget: ReadonlyMap<string, PlannedFile>;
  /** By decoded path: for the other ways to write one. */
  readonly byPath: ReadonlyMap<string, PlannedFile>;
  /** The 404 page for a decoded path, that of its nearest folder; chosen like a file's variants. */
  readonly notFoundFor: (path: string) => Choices<PlannedAnswer> | undefined;
}

/** Headers that say how an answer is framed or cached: the edge's to set, never the release's. */
const ownHeaders = new Set([
  "accept-ranges",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "date",
  "etag",
  "keep-alive",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** Headers that tell about the bytes, which a 304 doesn't carry. */
const bodyHeaders = new Set(["accept-ranges", "content-type", "content-encoding", "content-language"]);
const noCaching: Header = ["cache-control", "no-cache"];

/** Files whose answers are kept. */
const maxReady = 4096;

/**
 * Looks a release through before a request comes: nothing of it can be refused later. The bytes are not copied.
 *
 * @param toBody wraps a view of the release's bytes into what the server sends fastest
 * @throws {CurtainwallError} `EDGE_RELEASE_REFUSED` for a path that no request can name or a header that is the edge's own.
 */
export function planRelease(release: Release, toBody: (bytes: Uint8Array) => Uint8Array): Plan {
  const byPath = new Map<string, PlannedFile>();
  const headersOf = createHeaders();
  for (const file of release.manifest.files) {
    assertFile(file);
    headersOf(file);
    byPath.set(file.path, { ready: undefined, file, movedTo: undefined, moveStatus: 308 });
  }
  for (const path of byPath.keys()) {
    const bare = path.slice(0, -1);
    if (path.endsWith("/") && bare !== "" && !byPath.has(bare)) byPath.set(bare, planMove(path));
  }
  for (const redirect of release.manifest.redirects) byPath.set(redirect.path, planRedirect(redirect));
  const byTarget = new Map([...byPath].map(([path, file]) => [encodePath(path), file]));
  const { files, notFound } = release.manifest;
  const missing = [...notFoundPages(files, notFound)].map(
    ([folder, file]) => [folder, planNotFound(file, headersOf, release.body, toBody)] as const,
  );
  return {
    byPath,
    byTarget,
    notFoundFor: createNearest(new Map(missing)),
    prepare: createPreparation((file) => planVariants(file, headersOf(file), release.body, toBody)),
  };
}

type FileHeaders = (file: ReleaseFile) => readonly Header[];

/** Remembers what {@link fileHeaders} makes: a site's pages have few sets of headers. */
function createHeaders(): FileHeaders {
  const known = [new Map<readonly Header[], Header[]>(), new Map<readonly Header[], Header[]>()] as const;
  return (file) => {
    const among = known[file.variants.length > 1 ? 1 : 0];
    const headers = among.get(file.headers) ?? fileHeaders(file);
    among.set(file.headers, headers);
    return headers;
  };
}

function createPreparation(planVariantsOf: (file: ReleaseFile) => Choices<PlannedVariant>): Plan["prepare"] {
  const kept: PlannedFile[] = [];
  let next = 0;
  return (planned) => {
    if (planned.file === undefined) return nothingToSend;
    const ready = planVariantsOf(planned.file);
    const forgotten = kept[next];
    if (forgotten !== undefined) forgotten.ready = undefined;
    kept[next] = planned;
    next = (next + 1) % maxReady;
    planned.ready = ready;
    return ready;
  };
}

function planVariants(
  file: ReleaseFile,
  common: readonly Header[],
  bytes: Uint8Array,
  toBody: (bytes: Uint8Array) => Uint8Array,
): Choices<PlannedVariant> {
  const planned = new Map<Encoding, PlannedVariant>();
  for (const variant of file.variants) {
    const headers = variantHeaders(common, variant);
    const tag = entityTag(variant.sha256);
    const tagged: Header[] = [...headers, ["etag", tag]];
    // What has compressed forms is sent whole to nearly everybody: there the header would be noise.
    if (file.variants.length === 1) tagged.push(["accept-ranges", "bytes"]);
    const divisible = variant.encoding === "identity" ? { tag, headers: tagged } : undefined;
    const body = toBody(bytes.subarray(variant.offset, variant.offset + variant.length));
    const kept = tagged.filter(([name]) => !bodyHeaders.has(name));
    planned.set(variant.encoding, {
      tag,
      ok: planLasting(200, tagged, body, divisible),
      notModified: planLasting(304, kept, undefined),
    });
  }
  return byPreference(planned);
}

function assertFile({ path, variants }: ReleaseFile): void {
  assertRequestable(path);
  if (!variants.some(({ encoding }) => encoding === "identity"))
    throw refused("a file has no identity variant");
}

function assertRequestable(path: string): void {
  if (decodePath(encodePath(path)) === path) return;
  throw refused(`its path ${JSON.stringify(path)} can't be requested`);
}

/** The file's own headers, checked, and those that it must have and does not. */
function fileHeaders(file: ReleaseFile): Header[] {
  const names = new Set<string>();
  for (const [name] of file.headers) {
    if (ownHeaders.has(name)) throw refused(`${file.path} sets the header ${name}, which is the edge's own`);
    if (names.has(name)) throw refused(`${file.path} sets the header ${name} twice`);
    names.add(name);
  }
  return completeHeaders(file.headers, file.variants.length > 1);
}

function variantHeaders(common: readonly Header[], { encoding }: ReleaseVariant): readonly Header[] {
  return encoding === "identity" ? common : [...common, ["content-encoding", encoding]];
}

/** The forms of an answer, and which is sent to whom. */
export interface Choices<Variant> {
  readonly variants: readonly Variant[];
  /** Which of them, by index of `encodingPreferences`. Files with the same encodings share it. */
  readonly choice: Uint8Array;
}

/** Turns variants by encoding into a choice by preference. Identity is sent to who wants nothing that there is. */
function byPreference<Variant>(planned: ReadonlyMap<Encoding, Variant>): Choices<Variant> {
  return { variants: [...planned.values()], choice: choiceAmong([...planned.keys()]) };
}

/** One row for each set of encodings that occurs, not one for each of ten thousand files. */
const choices = new Map<string, Uint8Array>();

function choiceAmong(encodings: readonly Encoding[]): Uint8Array {
  const key = encodings.join();
  const known = choices.get(key);
  if (known !== undefined) return known;
  const choice = Uint8Array.from(encodingPreferences, (order) => {
    const best = order.find((encoding) => encodings.includes(encoding)) ?? "identity";
    return encodings.indexOf(best);
  });
  choices.set(key, choice);
  return choice;
}

const nothingToSend: Choices<PlannedVariant> = { variants: [], choice: new Uint8Array(0) };

function planMove(path: string): PlannedFile {
  return { ready: undefined, file: undefined, movedTo: encodePath(path), moveStatus: 308 };
}

function planRedirect({ path, to, status }: ReleaseRedirect): PlannedFile {
  assertRequestable(path);
  return { ready: undefined, file: undefined, movedTo: to, moveStatus: status };
}

function planNotFound(
  file: ReleaseFile,
  headersOf: FileHeaders,
  bytes: Uint8Array,
  toBody: (bytes: Uint8Array) => Uint8Array,
): Choices<PlannedAnswer> {
  const planned = new Map<Encoding, PlannedAnswer>();
  const common = headersOf(file);
  for (const variant of file.variants) {
    const headers = variantHeaders(common, variant).filter(([name]) => name !== "cache-control");
    const body = toBody(bytes.subarray(variant.offset, variant.offset + variant.length));
    planned.set(variant.encoding, planLasting(404, [...headers, noCaching], body));
  }
  return byPreference(planned);
}

function refused(what: string): CurtainwallError<EdgeErrorCode> {
  return new CurtainwallError("EDGE_RELEASE_REFUSED", `The release can't be served: ${what}.`, {
    hint: "Build it again with this version: npx curtainwall build",
  });
}
