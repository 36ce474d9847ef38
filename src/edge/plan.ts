import { baseSecurityHeaders, inertPolicy } from "../contract/index.ts";
import type { Encoding, Header, Release, ReleaseFile, ReleaseVariant } from "../contract/index.ts";
import { CurtainwallError } from "../shared/index.ts";
import { encodingPreferences } from "./accept-encoding.ts";
import { planAnswer } from "./answer.ts";
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
  /** By index of `encodingPreferences`; of one element when there is but one variant. */
  readonly choices: readonly PlannedVariant[];
  /** Where to go instead, as browsers write it; undefined: here. */
  readonly movedTo: string | undefined;
}

/** A release, ready to be sent. */
export interface Plan {
  /** By path as browsers send it: one look-up for nearly every request. */
  readonly byTarget: ReadonlyMap<string, PlannedFile>;
  /** By decoded path: for the other ways to write one. */
  readonly byPath: ReadonlyMap<string, PlannedFile>;
  /** The site's 404 page by index of `encodingPreferences`. */
  readonly notFound: readonly PlannedAnswer[] | undefined;
}

/** Headers that say how an answer is framed or cached: the edge's to set, never the release's. */
const ownHeaders = new Set([
  "connection",
  "content-encoding",
  "content-length",
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
const bodyHeaders = new Set(["content-type", "content-encoding", "content-language"]);
const noCaching: Header = ["cache-control", "no-cache"];

/**
 * Resolves everything that can be known about a release before a request comes. The bytes are not copied.
 *
 * @param toBody wraps a view of the release's bytes into what the server sends fastest
 * @throws {CurtainwallError} `EDGE_RELEASE_REFUSED` for a path that no request can name or a header that is the edge's own.
 */
export function planRelease(release: Release, toBody: (bytes: Uint8Array) => Uint8Array): Plan {
  const byPath = new Map<string, PlannedFile>();
  for (const file of release.manifest.files) byPath.set(file.path, planFile(file, release.body, toBody));
  for (const path of byPath.keys()) {
    const bare = path.slice(0, -1);
    if (path.endsWith("/") && bare !== "" && !byPath.has(bare)) byPath.set(bare, planMove(path));
  }
  const byTarget = new Map([...byPath].map(([path, file]) => [encodePath(path), file]));
  const notFound = release.manifest.files.find((file) => file.path === release.manifest.notFound);
  return {
    byPath,
    byTarget,
    notFound: notFound === undefined ? undefined : planNotFound(notFound, release.body, toBody),
  };
}

function planFile(
  file: ReleaseFile,
  bytes: Uint8Array,
  toBody: (bytes: Uint8Array) => Uint8Array,
): PlannedFile {
  if (decodePath(encodePath(file.path)) !== file.path) {
    throw refused(`its path ${JSON.stringify(file.path)} can't be requested`);
  }
  const planned = new Map<Encoding, PlannedVariant>();
  const common = fileHeaders(file);
  for (const variant of file.variants) {
    const headers = variantHeaders(common, variant);
    const tag = entityTag(variant.sha256);
    const tagged: Header[] = [...headers, ["etag", tag]];
    const body = toBody(bytes.subarray(variant.offset, variant.offset + variant.length));
    const kept = tagged.filter(([name]) => !bodyHeaders.has(name));
    planned.set(variant.encoding, {
      tag,
      ok: planAnswer(200, tagged, body),
      notModified: planAnswer(304, kept, undefined),
    });
  }
  return { choices: byPreference(planned), movedTo: undefined };
}

/** The file's own headers, checked, and those that it must have and does not. */
function fileHeaders(file: ReleaseFile): Header[] {
  const names = new Set<string>();
  for (const [name] of file.headers) {
    if (ownHeaders.has(name)) throw refused(`${file.path} sets the header ${name}, which is the edge's own`);
    if (names.has(name)) throw refused(`${file.path} sets the header ${name} twice`);
    names.add(name);
  }
  const headers: Header[] = [...file.headers];
  if (!names.has("content-security-policy")) headers.push(["content-security-policy", inertPolicy]);
  headers.push(...baseSecurityHeaders.filter(([name]) => !names.has(name)));
  if (file.variants.length > 1) varyByEncoding(headers);
  return headers;
}

function variantHeaders(common: readonly Header[], { encoding }: ReleaseVariant): readonly Header[] {
  return encoding === "identity" ? common : [...common, ["content-encoding", encoding]];
}

function varyByEncoding(headers: Header[]): void {
  const at = headers.findIndex(([name]) => name === "vary");
  const value = headers[at]?.[1];
  if (value === undefined) headers.push(["vary", "accept-encoding"]);
  else if (!/accept-encoding|\*/i.test(value)) headers[at] = ["vary", `${value}, accept-encoding`];
}

/** Turns variants by encoding into variants by preference. Identity is sent to who wants nothing that there is. */
function byPreference<Variant>(variants: ReadonlyMap<Encoding, Variant>): Variant[] {
  const identity = variants.get("identity");
  if (identity === undefined) throw refused("a file has no identity variant");
  if (variants.size === 1) return [identity];
  return encodingPreferences.map((order) => {
    const best = order.find((encoding) => variants.has(encoding));
    return (best === undefined ? undefined : variants.get(best)) ?? identity;
  });
}

function planMove(path: string): PlannedFile {
  return { choices: [], movedTo: encodePath(path) };
}

function planNotFound(
  file: ReleaseFile,
  bytes: Uint8Array,
  toBody: (bytes: Uint8Array) => Uint8Array,
): PlannedAnswer[] {
  const planned = new Map<Encoding, PlannedAnswer>();
  const common = fileHeaders(file);
  for (const variant of file.variants) {
    const headers = variantHeaders(common, variant).filter(([name]) => name !== "cache-control");
    const body = toBody(bytes.subarray(variant.offset, variant.offset + variant.length));
    planned.set(variant.encoding, planAnswer(404, [...headers, noCaching], body));
  }
  return byPreference(planned);
}

function refused(what: string): CurtainwallError<EdgeErrorCode> {
  return new CurtainwallError("EDGE_RELEASE_REFUSED", `The release can't be served: ${what}.`, {
    hint: "Build it again with this version: npx curtainwall build",
  });
}
