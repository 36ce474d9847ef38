import { cutAttribute } from "../../html/index.ts";
import type { AttributeFact, ResourceFact, ScriptFact } from "../../html/index.ts";
import { admitForeign, admitOwn } from "./admit-script.ts";
import type { DocumentDraft, PageDraft } from "./draft.ts";
import { hashSource, noteMissing } from "./draft.ts";
import { inspectInline } from "./inline-cache.ts";
import { addIntegrity, integrityHashes, isRefused } from "./integrity.ts";
import { createModuleGraph } from "./module-graph.ts";
import type { ModuleGraph } from "./module-graph.ts";
import type { SiteFileView } from "../site/site-view.ts";

/**
 * Allows the scripts of a document: inline ones and those of the site by the hash of their bytes, which linked ones then carry as
 * `integrity`; modules that they import by an import map's `integrity`; those of other sites by their `integrity`, else by their
 * exact address. A hash that only the page claims allows nothing.
 */
export function allowScripts(draft: DocumentDraft): void {
  const graph = createModuleGraph(draft);
  for (const script of draft.facts.scripts) {
    if (script.type === "data") continue;
    if (script.type === "importmap" && script.src === undefined) continue;
    if (script.src === undefined) allowInline(draft, graph, script);
    else allowLinked(draft, graph, script, script.src);
  }
  for (const resource of draft.facts.resources)
    if (resource.kind === "script" && resource.attribute.element === "link") allowPreload(draft, resource);
  graph.finish();
}

function allowInline(draft: DocumentDraft, graph: ModuleGraph, script: ScriptFact): void {
  const { page } = draft;
  const hash = page.view.hash(script.text);
  page.policy.allow("script-src", hashSource(hash));
  page.count.inlineScripts++;
  if (script.type !== "data")
    page.scripts.push({ kind: "inline", hash, text: script.text, type: script.type });
  if ((script.type !== "classic" && script.type !== "module") || page.declared !== undefined) return;
  const facts = inspectInline(hash, script.text, script.type === "module");
  page.behaviours.add(facts);
  graph.follow(facts, draft.addresses.base, () => page.view.scriptsNamedIn(script.text));
}

function allowLinked(draft: DocumentDraft, graph: ModuleGraph, script: ScriptFact, src: string): void {
  const { page } = draft;
  page.count.externalScripts++;
  const target = draft.addresses.resolve(src);
  const attribute = script.attributes.find(
    ({ name }) => name === "src" || name === "href" || name === "xlink:href",
  );
  const integrity = script.attributes.find(({ name }) => name === "integrity");
  if (target === undefined || attribute === undefined || src.trim() === "") return;
  if (target.kind === "opaque") {
    if (target.url.protocol !== "file:")
      page.notes.add(`a script with a ${target.url.protocol} address is blocked`);
    // A browser would run it if its hash is that of any script of the page.
    if (integrity !== undefined) draft.edits.push(...cutAttribute(integrity));
    return;
  }
  if (target.kind === "foreign") {
    admitForeign(page, target.url, integrity?.value);
    return;
  }
  const file = page.view.find(target.path);
  noteRefused(page, file, integrity?.value);
  setIntegrity(draft, attribute, integrity, admitOwn(page, target.path, file));
  if (file === undefined) {
    noteMissing(page, "script", target.path);
    return;
  }
  if (page.declared !== undefined) return;
  page.behaviours.add(file.script());
  graph.follow(file.script(), target.url, () => file.scriptsNamed(), file);
}

function allowPreload(draft: DocumentDraft, { attribute, address, integrity }: ResourceFact): void {
  const target = draft.addresses.resolve(address);
  if (target?.kind === "foreign") admitForeign(draft.page, target.url, integrity);
  if (target?.kind !== "site") return;
  const file = draft.page.view.find(target.path);
  noteRefused(draft.page, file, integrity);
  const hash = admitOwn(draft.page, target.path, file);
  if (isIntegrityOf(integrity, hash)) return;
  draft.edits.push(addIntegrity(draft, attribute, integrity, hash));
}

/** Gives an element the `integrity` of the file that it loads, in place of any other. */
function setIntegrity(
  draft: DocumentDraft,
  address: AttributeFact,
  integrity: AttributeFact | undefined,
  hash: string,
): void {
  if (isIntegrityOf(integrity?.value, hash)) return;
  // Cut with its duplicates: one of them would begin to count, and before ours.
  if (integrity !== undefined) draft.edits.push(...cutAttribute(integrity));
  draft.edits.push(addIntegrity(draft, address, undefined, hash));
}

/** Tells whether an `integrity` is what we would write. What its author wrote is believed in nothing else: the file is here. */
function isIntegrityOf(integrity: string | undefined, hash: string): boolean {
  const hashes = integrityHashes(integrity);
  return hashes.length === 1 && hashes[0] === `sha256-${hash}`;
}

function noteRefused(page: PageDraft, file: SiteFileView | undefined, integrity: string | undefined): void {
  if (file !== undefined && isRefused(file, integrity))
    page.notes.add(
      `the integrity of ${file.path} did not fit the file, which browsers refused: it was replaced`,
    );
}
