import { allowOrigin, hashSource } from "./draft.ts";
import type { DeclaredBehaviour, PageDraft } from "./draft.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";
import { allowAddedScripts } from "./script-allowed.ts";
import { exactSource } from "../site/site-view.ts";
import type { Addresses } from "../site/site-view.ts";

/** What Trusted Types would refuse, and why they can't be enforced; nothing if they can. */
export type TrustedTypesReasons = readonly string[];

/**
 * Allows what the scripts of a page do while they run, as far as they show it. Connections and styles that they don't show are left
 * open, and the page is listed, until somebody has learned them by running the site; everything else that they don't show is blocked.
 *
 * @returns why Trusted Types can't be enforced
 */
export function allowBehaviour(page: PageDraft, addresses: Addresses): TrustedTypesReasons {
  if (page.declared !== undefined) return allowDeclared(page, page.declared);
  const scripts = [...page.behaviours];
  allowAddedScripts(page, scripts);
  const unread = [...page.foreign.values()].some(({ kind }) => kind === "script");
  if (scripts.length > 0) page.policy.allow("img-src", "'self'");
  allowConnections(page, addresses, scripts, unread);
  allowRuntimeStyles(page, scripts);
  allowParts(page, scripts);
  const isAdding = noteAdded(page, addresses, scripts);
  for (const { features } of scripts)
    for (const feature of features)
      page.features.set(feature, (page.features.get(feature) ?? new Set()).add("self"));
  allowLearned(page);
  // A worker was seen to start, and by its name alone nobody can tell that its file has changed since.
  if (page.learned?.has("worker-src") === true) page.opened.add("/");
  const reasons = new Set(scripts.flatMap(({ sinks }) => sinks));
  // Blocked it is either way; Trusted Types would end the script that tries.
  if (isAdding) reasons.add("a script element");
  if (unread) reasons.add("scripts of other sites, which nobody can read here");
  if (reasons.size === 0) {
    page.policy.allow("require-trusted-types-for", "'script'");
    page.policy.allow("trusted-types");
  }
  return [...reasons].sort();
}

/** Allows what running the page has shown, and tells of what nothing else allows. */
function allowLearned({ learned, policy, needsLearned }: PageDraft): void {
  if (learned === undefined || learned.size === 0) return;
  const before = policy.build();
  for (const [directive, sources] of learned) {
    policy.allow(directive, ...sources);
    for (const source of sources)
      if (source !== "'unsafe-hashes'" && before.get(directive)?.includes(source) !== true)
        needsLearned.add(`${directive} ${source.startsWith("'sha256-") ? "by hash" : source}`);
  }
}

/** Nothing is found out, so nothing stays open. */
function allowDeclared(
  { policy }: PageDraft,
  { connects, typesPolicies }: DeclaredBehaviour,
): TrustedTypesReasons {
  if (connects) policy.allow("connect-src", "'self'");
  policy.allow("require-trusted-types-for", "'script'");
  policy.allow("trusted-types", ...typesPolicies);
  return [];
}

const fetching = new Set(["fetch", "XMLHttpRequest", "sendBeacon", "EventSource", "WebTransport"]);

function allowConnections(
  page: PageDraft,
  addresses: Addresses,
  scripts: readonly ScriptFacts[],
  unread: boolean,
): void {
  const used = new Set<string>();
  const unknown = new Set<string>(unread ? ["a script of another site"] : []);
  for (const { connections } of scripts) {
    for (const way of connections.unknown) unknown.add(way);
    for (const address of connections.addresses) {
      const target = addresses.resolve(address);
      if (target?.kind === "site") used.add("'self'");
      else if (target?.kind === "foreign") allowOrigin(page, "connect-src", target.url);
      else if (target?.url.protocol === "data:" || target?.url.protocol === "blob:")
        used.add(target.url.protocol);
    }
  }
  if (used.size > 0) page.policy.allow("connect-src", ...used);
  if (unknown.size === 0 || page.learned !== undefined) return;
  page.weaknesses.add("runtime-connections");
  page.open.connections.add("'self'").add("https:");
  // What only fetches opens no sockets.
  if ([...unknown].some((way) => !fetching.has(way))) page.open.connections.add("wss:");
}

function allowRuntimeStyles(page: PageDraft, scripts: readonly ScriptFacts[]): void {
  const values = new Set(scripts.flatMap(({ styles }) => styles.attributes));
  if (values.size > 0) {
    page.weaknesses.add("style-attributes");
    const hashes = [...values].map((value) => hashSource(page.view.hash(value)));
    page.policy.allow("style-src-attr", "'unsafe-hashes'", ...hashes);
  }
  if (page.learned !== undefined) return;
  page.open.styleElements = scripts.some(({ styles }) => styles.unknownElements);
  page.open.styleAttributes = scripts.some(({ styles }) => styles.unknownAttributes);
  if (page.open.styleElements || page.open.styleAttributes) page.weaknesses.add("runtime-styles");
}

/**
 * Tells of what scripts would add to the page from other sites: nothing allows it, unless it stands in the page as an element too, or its
 * owner allows it.
 *
 * @returns whether there is any
 */
function noteAdded(page: PageDraft, addresses: Addresses, scripts: readonly ScriptFacts[]): boolean {
  const blocked = new Set<string>();
  for (const { adds } of scripts)
    for (const address of adds) {
      const target = addresses.resolve(address);
      if (target?.kind !== "foreign") continue;
      const source = exactSource(target.url);
      if (source !== undefined && !isAdmitted(page, source)) blocked.add(source);
    }
  for (const source of blocked) page.notes.add(addedNote(source));
  return blocked.size > 0;
}

/** Tells whether a script at an address, of which perhaps only the beginning is known, is allowed. */
function isAdmitted({ foreign }: PageDraft, source: string): boolean {
  return [...foreign.values()].some(
    ({ kind, url }) =>
      kind === "script" && (url.startsWith(source) || (url.endsWith("/") && source.startsWith(url))),
  );
}

const addedStart = "a script seems to add ";
const addedEnd = ", which is blocked";

/** What is said of an address from which a script seems to add something. */
const addedNote = (source: string): string =>
  addedStart + source + (source.endsWith("/") ? "…" : "") + addedEnd;

/** The address that a note of {@link hardenPage}'s report is about, if it tells of something that a script would add. */
export function addedAddress(note: string): string | undefined {
  return note.startsWith(addedStart) && note.endsWith(addedEnd)
    ? note.slice(addedStart.length, -addedEnd.length)
    : undefined;
}

/** Told of applications. Which of the site's pages they will show, and what those need, only running them shows. */
export const applicationNote =
  "its scripts show other pages without loading them: what only those need is blocked there, until it is learned";

function allowParts(
  { policy, weaknesses, notes, settings, learned, opened }: PageDraft,
  scripts: readonly ScriptFacts[],
): void {
  // Scripts of an opened folder are not read: they may start any other of the site where one is started at all.
  if (opened.size > 0 && scripts.some(({ workers }) => workers !== "none")) opened.add("/");
  for (const script of scripts) {
    if (script.makes.has("image")) policy.allow("img-src", "'self'", "data:");
    if (script.makes.has("frame")) policy.allow("frame-src", "'self'");
    if (script.makes.has("media")) policy.allow("media-src", "'self'");
    if (script.makes.has("form")) policy.allow("form-action", "'self'");
    if (script.workers !== "none") policy.allow("worker-src", "'self'");
    if (script.workers === "blob") policy.allow("worker-src", "blob:");
    if (script.usesWebAssembly) {
      policy.allow("script-src", "'wasm-unsafe-eval'");
      weaknesses.add("webassembly");
    }
    if (script.changesPages && learned === undefined) notes.add(applicationNote);
    if (!script.makesCode) continue;
    if (settings.evalAllowed) {
      policy.allow("script-src", "'unsafe-eval'");
      weaknesses.add("code-from-strings");
    } else notes.add("a script makes code from strings, which is blocked");
  }
}
