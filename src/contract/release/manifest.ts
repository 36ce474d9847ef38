import { printable } from "../../shared/index.ts";
import type { Header } from "../headers/security-headers.ts";
import { encodings, invalidRelease, unshared } from "./format.ts";
import type {
  Encoding,
  ReleaseExtras,
  ReleaseFile,
  ReleaseManifest,
  ReleaseRedirect,
  ReleaseVariant,
} from "./format.ts";

/** Index of a blob by encoding. */
export type BlobsByEncoding = Readonly<Partial<Record<Encoding, number>>>;

/**
 * A manifest as it is written. Blobs lie one behind the other in this order, so that no byte of the body is nobody's; header lines
 * and sets of them stand once, however many thousand pages share them.
 */
interface WrittenManifest {
  format: 2;
  notFound?: string;
  encoders: Partial<Record<Encoding, string>>;
  blobs: (readonly [sha256: string, length: number])[];
  lines: Header[];
  /** Each a list of indices of `lines`. */
  headers: (readonly number[])[];
  /** Each with the index of its headers. */
  files: (readonly [path: string, headers: number, blobs: BlobsByEncoding])[];
  redirects: (readonly [path: string, to: string, status: number])[];
}

/** Collects what a manifest says, and writes it. */
export interface ManifestBuilder {
  /** Adds a blob, or finds the one that is there already; says whether it is new. */
  addBlob(sha256: string, length: number): { index: number; isNew: boolean };
  /** @throws {CurtainwallError} `RELEASE_FORMAT_INVALID` for what could not be read again */
  addFile(path: string, headers: readonly Header[], blobs: BlobsByEncoding): void;
  /** The same files, in the same order, give the same text. */
  finish(extras: ReleaseExtras): Uint8Array;
}

/** Creates a {@link ManifestBuilder}. It keeps some hundred bytes a file, and none of its contents. */
export function createManifestBuilder(): ManifestBuilder {
  const blobs: WrittenManifest["blobs"] = [];
  const blobIndex = new Map<string, number>();
  const lines = createTable<Header>();
  const sets = createTable<readonly number[]>();
  const files = new Map<string, WrittenManifest["files"][number]>();

  return {
    addBlob(sha256, length) {
      const known = blobIndex.get(sha256);
      if (known !== undefined) return { index: known, isNew: false };
      blobIndex.set(sha256, blobs.length);
      return { index: blobs.push([sha256, length]) - 1, isNew: true };
    },
    addFile(path, headers, byEncoding) {
      if (!isPath(path) || files.has(path) || !headers.every(isHeader) || byEncoding.identity === undefined)
        throw invalidRelease(
          `the file ${printable(JSON.stringify(path)).slice(0, 80)} is malformed, or there twice`,
        );
      const set = headers.map(([name, value]) => lines.indexOf(`${name}: ${value}`, [name, value]));
      files.set(path, [path, sets.indexOf(set.join(), set), byEncoding]);
    },
    finish({ notFound, encoders = {}, redirects = [] }) {
      const written: WrittenManifest = {
        format: 2,
        ...(notFound === undefined ? {} : { notFound }),
        encoders,
        blobs,
        lines: lines.rows,
        headers: sets.rows,
        files: [...files.values()].sort(([left], [right]) => (left < right ? -1 : 1)),
        redirects: redirects
          .map(({ path, to, status }) => [path, to, status] as const)
          .sort(([left], [right]) => (left < right ? -1 : 1)),
      };
      return new TextEncoder().encode(JSON.stringify(written));
    },
  };
}

/** Rows that stand once, found by a key. */
function createTable<Row>(): { rows: Row[]; indexOf: (key: string, row: Row) => number } {
  const rows: Row[] = [];
  const indices = new Map<string, number>();
  return {
    rows,
    indexOf(key, row) {
      const known = indices.get(key);
      if (known !== undefined) return known;
      indices.set(key, rows.length);
      return rows.push(row) - 1;
    },
  };
}

/**
 * Reads a manifest, trusting nothing in it.
 *
 * @param bodyLength what its blobs must add up to
 * @throws {CurtainwallError} `RELEASE_FORMAT_INVALID`
 */
export function parseManifest(
  json: Uint8Array,
  bodyLength: number,
): { manifest: ReleaseManifest; blobs: readonly Blob[] } {
  const written = parseJson(json);
  const blobs = readBlobs(written.blobs, bodyLength);
  const headers = readHeaders(written.lines, written.headers);
  const paths = new Set<string>();
  const files = list(written.files).map((entry): ReleaseFile => {
    const [path, set, byEncoding] = list(entry);
    const file = isPath(path) && !paths.has(path) && readFile(path, at(headers, set), byEncoding, blobs);
    if (file === false || file === undefined) throw malformed("entry", path);
    paths.add(file.path);
    return file;
  });
  const redirects = list(written.redirects).map((entry) => readRedirect(entry, paths));
  const { notFound } = written;
  if (
    notFound !== undefined &&
    (typeof notFound !== "string" || !files.some(({ path }) => path === notFound))
  )
    throw invalidRelease("its manifest names a 404 page that it does not hold");
  const named = notFound === undefined ? {} : { notFound };
  const manifest: ReleaseManifest = {
    format: 2,
    files,
    redirects,
    encoders: readEncoders(written.encoders),
    ...named,
  };
  return { manifest, blobs };
}

function parseJson(json: Uint8Array): Partial<Record<keyof WrittenManifest, unknown>> {
  let value: Partial<Record<keyof WrittenManifest, unknown>>;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(unshared(json)));
  } catch {
    throw invalidRelease("its manifest is not JSON");
  }
  if (value?.format !== 2)
    throw invalidRelease(
      "its manifest has another format",
      "Build it with this version: npx curtainwall build",
    );
  return value;
}

/** A stretch of the body. */
export type Blob = Omit<ReleaseVariant, "encoding">;

function readBlobs(value: unknown, bodyLength: number): Blob[] {
  let offset = 0;
  const blobs = list(value).map((entry): Blob => {
    const [sha256, length] = list(entry);
    if (typeof sha256 !== "string" || !isDigest.test(sha256) || !isCount(length))
      throw malformed("blob", sha256);
    const blob = { offset, length, sha256 };
    offset += length;
    return blob;
  });
  if (offset > bodyLength) throw invalidRelease("it is cut short");
  if (offset < bodyLength) throw invalidRelease("it goes on after the last file that its manifest names");
  return blobs;
}

function readHeaders(lines: unknown, sets: unknown): (readonly Header[])[] {
  const known = list(lines).map((line) => {
    if (!isHeader(line)) throw malformed("header", Array.isArray(line) ? line[0] : line);
    return line;
  });
  return list(sets).map((set) =>
    list(set).map((index) => at(known, index) ?? fail("a file has a header that its manifest does not hold")),
  );
}

function readFile(
  path: string,
  headers: readonly Header[] | undefined,
  byEncoding: unknown,
  blobs: readonly Blob[],
): ReleaseFile | undefined {
  if (headers === undefined || typeof byEncoding !== "object" || byEncoding === null) return undefined;
  const given = byEncoding as Record<string, unknown>;
  if (!Object.keys(given).every((name) => (encodings as readonly string[]).includes(name))) return undefined;
  const variants: ReleaseVariant[] = [];
  for (const encoding of encodings) {
    if (!Object.hasOwn(given, encoding)) continue;
    const blob = at(blobs, given[encoding]);
    if (blob === undefined) return undefined;
    variants.push({ encoding, ...blob });
  }
  return variants[0]?.encoding === "identity" ? { path, headers, variants } : undefined;
}

const redirectStatuses: ReadonlySet<unknown> = new Set([301, 302, 307, 308]);

/** Where a redirect may lead: a path here, which no browser takes for another host, or an https URL. Nothing that ends a header line. */
const isTarget = /^(?:\/(?![/\\])|https:\/\/[^/\\?#])[\u0021-\u005b\u005d-\u007e]*$/;

function readRedirect(entry: unknown, paths: Set<string>): ReleaseRedirect {
  const [path, to, status] = list(entry);
  const fits = isPath(path) && !paths.has(path) && redirectStatuses.has(status);
  if (!fits || typeof to !== "string" || !isTarget.test(to)) throw malformed("redirect", path);
  paths.add(path);
  return { path, to, status: status as ReleaseRedirect["status"] };
}

function readEncoders(value: unknown): ReleaseManifest["encoders"] {
  const given = typeof value === "object" && value !== null ? value : {};
  const known = encodings.flatMap((encoding) => {
    const text = (given as Record<string, unknown>)[encoding];
    return typeof text === "string" ? [[encoding, text.slice(0, 200)] as const] : [];
  });
  return Object.fromEntries(known);
}

const isDigest = /^[0-9a-f]{64}$/;
const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isPath = (value: unknown): value is string =>
  typeof value === "string" && value.startsWith("/") && value.isWellFormed();
/** A field name, in lower case (RFC 9110 §5.1). */
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** A field value without control characters (RFC 9110 §5.5). */
const headerValue = /^[\u0020-\u007e\u0080-\u00ff]*$/;

function isHeader(value: unknown): value is Header {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [name, text] = value as unknown[];
  return (
    typeof name === "string" && headerName.test(name) && typeof text === "string" && headerValue.test(text)
  );
}

/** The row of an index that somebody else wrote. */
const at = <Row>(rows: readonly Row[], index: unknown): Row | undefined =>
  isCount(index) ? rows[index] : undefined;

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : fail("its manifest is malformed");
}

function fail(what: string): never {
  throw invalidRelease(what);
}

function malformed(what: string, name: unknown): Error {
  return invalidRelease(
    `its manifest's ${what} ${printable(JSON.stringify(name) ?? "").slice(0, 80)} is malformed`,
  );
}
