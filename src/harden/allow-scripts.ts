import { cutAttribute } from "../html/index.ts";
import type { AttributeFact, ResourceFact, ScriptFact } from "../html/index.ts";
import type { DocumentDraft } from "./draft.ts";
import { hashSource } from "./draft.ts";
import { inspectInline } from "./inline-cache.ts";
import { addIntegrity, integrityHashes, isVersioned } from "./integrity.ts";
import { createModuleGraph } from "./module-graph.ts";
import type { ModuleGraph } from "./module-graph.ts";
import { exactSource } from "./site-view.ts";

/** Of nothing. A script that does not exist is asked for by it: the request fails as it did, and no file put there later runs. */
const emptyHash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/**
 * Allows the scripts of a document: inline ones and those of the site by the hash of their bytes, which linked ones then carry as
 * `integrity`; modules that they import by an import map's `integrity`; those of other sites by their `integrity`, else by their
 * exact address.
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
    return;
  }
  if (target.kind === "foreign") {
    allowForeign(draft, target.url, integrity?.value);
    return;
  }
  const file = page.view.find(target.path);
  const hash = file?.hash() ?? emptyHash;
  allowIntegrity(draft, attribute, integrity, hash);
  page.scripts.push({ kind: "external", hash: file?.hash(), text: target.path });
  if (file === undefined) {
    page.missing.add(target.path);
    return;
  }
  if (page.declared !== undefined) return;
  page.behaviours.add(file.script());
  graph.follow(file.script(), target.url, () => file.scriptsNamed(), file);
}

function allowPreload(draft: DocumentDraft, { attribute, address, integrity }: ResourceFact): void {
  const target = draft.addresses.resolve(address);
  if (target?.kind === "foreign") {
    allowForeign(draft, target.url, integrity);
  } else if (target?.kind === "site") {
    const existing = integrityHashes(integrity);
    const hash = draft.page.view.find(target.path)?.hash() ?? emptyHash;
    if (existing.length === 0) draft.edits.push(addIntegrity(draft, attribute, integrity, hash));
    allowHashes(draft, existing.length === 0 ? [`sha256-${hash}`] : existing);
  }
}

/** Gives an element the `integrity` of the file that it loads. One that its author gave it stays, and is what is allowed. */
function allowIntegrity(
  draft: DocumentDraft,
  address: AttributeFact,
  integrity: AttributeFact | undefined,
  hash: string,
): void {
  const existing = integrityHashes(integrity?.value);
  if (existing.length === 0) {
    // Cut with its duplicates: one of them would begin to count, and before ours.
    if (integrity !== undefined) draft.edits.push(...cutAttribute(integrity));
    draft.edits.push(addIntegrity(draft, address, undefined, hash));
  }
  allowHashes(draft, existing.length === 0 ? [`sha256-${hash}`] : existing);
}

/** Browsers want every hash of an `integrity` among the sources (CSP 3 §8.4). */
function allowHashes(draft: DocumentDraft, hashes: readonly string[]): void {
  draft.page.policy.allow("script-src", ...hashes.map((hash) => `'${hash}'`));
}

function allowForeign(draft: DocumentDraft, url: URL, integrity: string | undefined): void {
  const { page } = draft;
  const hashes = integrityHashes(integrity);
  if (hashes.length > 0) allowHashes(draft, hashes);
  else page.policy.allow("script-src", exactSource(url));
  const address = exactSource(url);
  page.foreign.set(`script ${address}`, {
    url: address,
    kind: "script",
    integrity: hashes.length > 0 ? hashes.join(" ") : undefined,
    versioned: isVersioned(url),
  });
  const pinned = hashes.length > 0 ? hashes.join(" ") : undefined;
  page.scripts.push({ kind: "external", hash: undefined, text: withoutFragment(url), integrity: pinned });
}

/** The query stays: some sites choose by it which program they send. */
function withoutFragment(url: URL): string {
  return url.href.slice(0, url.href.length - url.hash.length);
}
