import { sha256, toHex } from "../../shared/index.ts";
import type { Envelope } from "./envelope.ts";
import type { ReleaseManifest } from "./format.ts";
import type { Program } from "./program.ts";

/** What the release key signs: that this content, under this program, is the site's from now on. */
export interface ReleaseStatement {
  readonly format: 1;
  /** The site's origin. */
  readonly site: string;
  /** The release's name: SHA-256 of its manifest, hexadecimal. */
  readonly digest: string;
  /** Of paths, headers and uncompressed bytes alone, by {@link identityDigest}: the same whatever compressed them. */
  readonly identity: string;
  /** Grows with each statement of a site. An edge takes none below the last one it took. */
  readonly sequence: number;
  /** When it was made, and until when it may be taken into use; ISO 8601. */
  readonly created: string;
  readonly expires: string;
  /** SHA-256 of the program's document, hexadecimal. */
  readonly program: string;
}

/** What travels with a release, or lies beside it. */
export interface ReleaseSignatures {
  /** Holds a {@link ReleaseStatement}. */
  readonly release: Envelope;
  /** Holds a {@link Program}. */
  readonly program: Envelope;
}

/** SHA-256 of what a visitor gets whatever his browser can decompress: paths, headers and identity bytes. */
export async function identityDigest({ files, redirects, notFound }: ReleaseManifest): Promise<string> {
  const content = files.map(({ path, headers, variants }) => [path, headers, variants[0]?.sha256]);
  return toHex(await sha256(JSON.stringify([content, redirects, notFound])));
}

/** Names a program by the document that was signed. */
export async function programDigest(document: string): Promise<string> {
  return toHex(await sha256(document));
}

/** Reads a statement that was signed. Undefined if it is none: signed nonsense is still nonsense. */
export function parseStatement(document: string): ReleaseStatement | undefined {
  const value = parseObject(document);
  const { format, site, digest, identity, sequence, created, expires, program } = value ?? {};
  const isSound =
    format === 1 &&
    [site, digest, identity, program].every((text) => typeof text === "string") &&
    [created, expires].every((time) => typeof time === "string" && Number.isFinite(Date.parse(time))) &&
    Number.isSafeInteger(sequence) &&
    (sequence as number) > 0;
  return isSound ? (value as unknown as ReleaseStatement) : undefined;
}

/** Reads a program that was signed. */
export function parseProgram(document: string): Program | undefined {
  const value = parseObject(document);
  if (value === undefined) return undefined;
  const { format, site, contract, policy, code, headers, functions } = value;
  const isSound =
    format === 1 &&
    typeof site === "string" &&
    typeof contract === "string" &&
    isList(policy, (entry) => isList(entry, isTexts) && (entry as unknown[]).length === 2) &&
    isTexts(code) &&
    isList(headers, isTexts) &&
    isTexts(functions);
  return isSound ? (value as unknown as Program) : undefined;
}

/** Reads signatures as they travel. Undefined if they are not there, or not both. */
export function parseSignatures(text: string): ReleaseSignatures | undefined {
  const value = parseObject(text);
  const isThere = (part: unknown): boolean => typeof part === "object" && part !== null;
  return isThere(value?.release) && isThere(value?.program)
    ? (value as unknown as ReleaseSignatures)
    : undefined;
}

const isList = (value: unknown, test: (entry: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(test);
const isTexts = (value: unknown): boolean => isList(value, (entry) => typeof entry === "string");

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
