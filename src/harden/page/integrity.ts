import type { AttributeFact, Edit } from "../../html/index.ts";
import type { DocumentDraft } from "./draft.ts";
import type { SiteFileView } from "../site/site-view.ts";

const token = /^(sha(?:256|384|512)-[A-Za-z0-9+/_-]+={0,2})(?:\?.*)?$/;

/** The hashes in an `integrity` that browsers understand, without options. Others are ignored by them, and so are they here. */
export function integrityHashes(integrity: string | undefined): readonly string[] {
  return (integrity ?? "").split(/[\t\n\f\r ]+/).flatMap((part) => token.exec(part)?.[1] ?? []);
}

const strongestFirst = ["sha512", "sha384", "sha256"] as const;

/**
 * Tells whether browsers refuse a file for its `integrity`: of several hashes they ask for the strongest only (SRI §3.3.4).
 *
 * @returns false also if that can't be told
 */
export function isRefused(file: SiteFileView, integrity: string | undefined): boolean {
  const hashes = integrityHashes(integrity);
  const algorithm = strongestFirst.find((name) => hashes.some((hash) => hash.startsWith(name)));
  const digest = algorithm === undefined ? undefined : file.digest(algorithm);
  if (digest === undefined) return false;
  return !hashes.some((hash) => asBase64(hash) === asBase64(`${algorithm}-${digest}`));
}

/** Browsers take both alphabets (CSP 3 §6.7.2.3). */
const asBase64 = (hash: string): string => hash.replaceAll("-", "+").replaceAll("_", "/");

/** Tells whether an address names a version or a hash of its file, so that its bytes should not change. */
export function isVersioned(url: URL): boolean {
  return /[@/-]v?\d+\.\d+\.\d+|[./_-][0-9a-f]{8,}(?=[./_-]|$)/i.test(url.pathname);
}

/**
 * Gives an element an `integrity`, behind its address. One that no browser understands and that stays must not come first: then ours
 * stands before all others, where it wins over any of its name. XML knows no such order, so it is left alone there.
 */
export function addIntegrity(
  { page }: DocumentDraft,
  { span, tag, element }: AttributeFact,
  existing: string | undefined,
  hash: string,
): Edit {
  const replacement = ` integrity="sha256-${hash}"`;
  if (existing === undefined) return { span: { from: span.to, to: span.to }, replacement };
  const at = tag.from + 1 + element.length;
  return { span: { from: at, to: at }, replacement: page.syntax === "xml" ? "" : replacement };
}
