import { tellOwn } from "./admit-script.ts";
import type { DocumentDraft } from "./draft.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";
import type { RunFiles } from "../inspect/script-workers.ts";

/**
 * Tells of the files that a script runs in workers, and of what those import: `worker-src` allows them by `'self'`, so that only who is
 * told of each can tell that one has changed. Where their addresses can't be seen, every script of the site may be meant.
 *
 * @param from the address that a module's own addresses are relative to; others start from the page's base
 */
export function tellWorkers(draft: DocumentDraft, { workers, runs }: ScriptFacts, from: URL): void {
  if (workers === "none") return;
  const known = new Set<string>();
  tellFiles(draft, runs.starts, [draft.addresses.base, from], known);
}

function tellFiles(
  draft: DocumentDraft,
  { addresses, unknown }: RunFiles,
  bases: readonly URL[],
  known: Set<string>,
): void {
  for (const address of addresses) for (const base of bases) tellFile(draft, address, base, known);
  if (unknown) openAll(draft);
}

/** Workers know no import maps, and import from the site alone: their own policy says so. */
function tellFile(draft: DocumentDraft, address: string, base: URL, known: Set<string>): void {
  const { page } = draft;
  const target = draft.addresses.resolve(address, base);
  const file = target?.kind === "site" ? page.view.find(target.path) : undefined;
  if (target === undefined || file === undefined || known.has(file.path)) return;
  known.add(file.path);
  tellOwn(page, file);
  const { imports, runs } = file.script();
  for (const { specifier } of imports) {
    if (specifier === undefined) openAll(draft);
    else tellFile(draft, specifier, target.url, known);
  }
  tellFiles(draft, runs.importScripts, [target.url], known);
  tellFiles(draft, runs.starts, [target.url], known);
}

function openAll({ page }: DocumentDraft): void {
  page.weaknesses.add("runtime-scripts");
  page.opened.add("/");
}
