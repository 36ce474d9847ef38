import type { ResourceFact } from "../../html/index.ts";
import type { DocumentDraft } from "./draft.ts";
import { allowOrigin, hashSource, noteMissing, noteUnnameable } from "./draft.ts";
import { inspectStyle } from "../inspect/inspect-style.ts";
import type { StyleFacts, StyleLoad } from "../inspect/inspect-style.ts";
import { addIntegrity, integrityHashes, isRefused, isVersioned } from "./integrity.ts";
import { moveStyleAttributes } from "./move-styles.ts";
import { exactSource, secureOrigin } from "../site/site-view.ts";

/** What stylesheets of a few services load from elsewhere; nobody can read them at build time. */
const knownFonts: ReadonlyMap<string, string> = new Map([
  ["https://fonts.googleapis.com", "https://fonts.gstatic.com"],
  ["https://use.typekit.net", "https://use.typekit.net"],
]);

/** Deeper chains of `@import` than this are not followed, and so not allowed. */
const maxImports = 8;

/**
 * Allows the styles of a document: inline ones by hash, linked ones by `'self'` and the `integrity` that they are given (no browser
 * matches hashes with linked styles), those of other sites by exact address; and the pictures and fonts that they load.
 */
export function allowStyles(draft: DocumentDraft): void {
  const sheets: StyleFacts[] = [];
  for (const style of draft.facts.styles) {
    draft.page.policy.allow("style-src", hashSource(draft.page.view.hash(style.text)));
    sheets.push(follow(draft, inspectStyle(style.text), undefined, 0));
  }
  for (const resource of draft.facts.resources)
    if (resource.kind === "style") sheets.push(...allowLinked(draft, resource));
  allowAttributes(draft, sheets);
}

function allowLinked(draft: DocumentDraft, { address, attribute, integrity }: ResourceFact): StyleFacts[] {
  const target = draft.addresses.resolve(address);
  if (target?.kind === "foreign") {
    allowForeign(draft, target.url, integrity);
    return [];
  }
  if (target?.kind === "opaque" && target.url.protocol === "data:")
    draft.page.policy.allow("style-src", "data:");
  if (target?.kind !== "site") return [];
  draft.page.policy.allow("style-src", "'self'");
  const file = draft.page.view.find(target.path);
  if (file === undefined) {
    noteMissing(draft.page, "stylesheet", target.path);
    return [];
  }
  if (isRefused(file, integrity))
    draft.page.notes.add(`the integrity of ${file.path} does not fit the file: browsers refuse it`);
  if (attribute.element === "link" && integrityHashes(integrity).length === 0) {
    draft.edits.push(addIntegrity(draft, attribute, integrity, file.hash()));
  }
  return [follow(draft, file.stylesheet(), target.url, 0)];
}

function allowForeign(draft: DocumentDraft, url: URL, integrity: string | undefined): void {
  const { page } = draft;
  const address = exactSource(url);
  const origin = secureOrigin(url);
  if (address === undefined || origin === undefined) {
    noteUnnameable(page);
    return;
  }
  const hashes = integrityHashes(integrity);
  page.policy.allow("style-src", address);
  page.foreign.set(`style ${address}`, {
    url: address,
    kind: "style",
    integrity: hashes.length > 0 ? hashes.join(" ") : undefined,
    versioned: isVersioned(url),
  });
  const fonts = knownFonts.get(origin);
  if (fonts !== undefined) page.policy.allow("font-src", fonts);
  else {
    // What it loads is unread. Most load their own, a few load others'.
    page.policy.allow("font-src", origin);
    page.policy.allow("img-src", origin);
  }
}

/** Allows what a stylesheet loads, and returns its facts. Without an address of its own it starts from its document's base. */
function follow(draft: DocumentDraft, facts: StyleFacts, from: URL | undefined, depth: number): StyleFacts {
  for (const load of facts.loads) allowLoad(draft, load, from, depth);
  return facts;
}

function allowLoad(
  draft: DocumentDraft,
  { kind, address }: StyleLoad,
  from: URL | undefined,
  depth: number,
): void {
  const { page } = draft;
  const target = draft.addresses.resolve(address, from);
  if (target === undefined) return;
  if (kind === "style") {
    if (target.kind === "foreign") allowForeign(draft, target.url, undefined);
    if (target.kind !== "site") return;
    page.policy.allow("style-src", "'self'");
    const sheet = page.view.find(target.path)?.stylesheet();
    if (sheet === undefined) noteMissing(page, "stylesheet", target.path);
    if (sheet !== undefined && depth < maxImports) follow(draft, sheet, target.url, depth + 1);
    return;
  }
  const directive = kind === "font" ? "font-src" : "img-src";
  if (target.kind === "site") {
    page.policy.allow(directive, "'self'");
    if (page.view.find(target.path) === undefined)
      noteMissing(page, kind === "font" ? "font" : "picture", target.path);
  } else if (target.kind === "foreign") allowOrigin(page, directive, target.url);
  else if (target.url.protocol === "data:") page.policy.allow(directive, "data:");
}

function allowAttributes(draft: DocumentDraft, sheets: readonly StyleFacts[]): void {
  const { page, facts } = draft;
  if (facts.styleAttributes.length === 0) return;
  for (const { value } of facts.styleAttributes)
    if (/[(\\]/.test(value)) follow(draft, inspectStyle(value), undefined, 0);
  if (moveStyleAttributes(draft, sheets)) {
    page.count.styleAttributesMoved += facts.styleAttributes.length;
    return;
  }
  page.count.styleAttributesKept += facts.styleAttributes.length;
  page.weaknesses.add("style-attributes");
  const hashes = new Set(facts.styleAttributes.map(({ value }) => page.view.hash(value)));
  page.policy.allow("style-src-attr", "'unsafe-hashes'", ...[...hashes].map(hashSource));
}
