import { noteUnnameable } from "./draft.ts";
import type { PageDraft } from "./draft.ts";
import { integrityHashes, isVersioned } from "./integrity.ts";
import type { AllowedScript } from "./script-allowed.ts";
import type { SiteFileView } from "../site/site-view.ts";
import { exactSource } from "../site/site-view.ts";

// What lets a file run also says so: nothing gets into a page's script-src here without the occurrence that the lock is asked about.

/** Of nothing. A script that does not exist is asked for by it: the request fails as it did, and no file put there later runs. */
const emptyHash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/**
 * Allows a script file of the site by the hash of its bytes.
 *
 * @returns the hash, which is that of nothing if there is no such file
 */
export function admitOwn(page: PageDraft, path: string, file: SiteFileView | undefined): string {
  const hash = file?.hash() ?? emptyHash;
  page.policy.allow("script-src", `'sha256-${hash}'`);
  page.scripts.push({ kind: "external", hash: file?.hash(), text: file?.path ?? path });
  return hash;
}

/** Tells of a script file of the site that the policy allows by an address, or that a worker runs. */
export function tellOwn(page: PageDraft, file: SiteFileView): void {
  page.scripts.push({ kind: "external", hash: file.hash(), text: file.path });
}

/** Allows a script of another site by its `integrity`, of which browsers want every hash among the sources (CSP 3 §8.4); else by its address. */
export function admitForeign(page: PageDraft, url: URL, integrity: string | undefined): void {
  const address = exactSource(url);
  if (address === undefined) {
    noteUnnameable(page);
    return;
  }
  const hashes = integrityHashes(integrity);
  const pinned = hashes.length > 0 ? hashes.join(" ") : undefined;
  if (pinned === undefined) allowAddress(page, address);
  else page.policy.allow("script-src", ...hashes.map((hash) => `'${hash}'`));
  page.foreign.set(`script ${address}`, {
    url: address,
    kind: "script",
    integrity: pinned,
    versioned: isVersioned(url),
  });
  page.scripts.push({ kind: "external", hash: undefined, text: withoutFragment(url), integrity: pinned });
}

/** Allows a script of another site that scripts of the page add: by its address, since nobody knows its bytes here. */
export function admitAdded(page: PageDraft, { address, reason }: AllowedScript): void {
  const url = new URL(address);
  const exact = exactSource(url);
  if (exact === undefined) return noteUnnameable(page);
  page.policy.allow("script-src", url.pathname === "/" ? url.origin : exact);
  page.weaknesses.add("added-scripts");
  page.foreign.set(`added ${exact}`, {
    url: exact,
    kind: "script",
    integrity: undefined,
    versioned: false,
    reason,
  });
  page.scripts.push({ kind: "added", hash: undefined, text: exact });
}

function allowAddress(page: PageDraft, address: string): void {
  page.policy.allow("script-src", address);
  // CSP 3 §6.7.2.12: nothing says "this address and no other" of one that ends so. Chromium decodes paths before it compares them.
  if (/(?:\/|%2f)$/i.test(address))
    page.notes.add("a script's address at another site ends in /, so a policy allows all scripts below it");
}

/** The query stays: some sites choose by it which program they send. */
function withoutFragment(url: URL): string {
  return url.href.slice(0, url.href.length - url.hash.length);
}
