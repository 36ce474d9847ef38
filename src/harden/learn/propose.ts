import { isLoopbackHost } from "../../contract/index.ts";
import { hashSource } from "../page/draft.ts";
import type { Directive } from "../policy/policy.ts";
import { isExactOrigin } from "./exact-source.ts";
import type { Observation } from "./observation.ts";

/** Pages that need the same. */
export interface LearnedClass {
  /** Their files, sorted: `/guide/index.html`. */
  readonly pages: readonly string[];
  /** What they may do beyond what can be seen without running them. */
  readonly allow: Readonly<Partial<Record<Directive, readonly string[]>>>;
}

/** Something that was seen and must not be allowed for that alone: it stays blocked until somebody changes the site. */
export interface Finding {
  readonly directive: string;
  readonly blocked: string;
  readonly reason: string;
  readonly sample: string;
  readonly pages: readonly string[];
}

/** A finding, while pages are still added to it. */
type OpenFinding = Omit<Finding, "pages"> & { readonly pages: Set<string> };

/** What a site's run comes to. */
export interface Proposal {
  readonly classes: readonly LearnedClass[];
  readonly findings: readonly Finding[];
}

/** What a page may load by an address that was seen. Never scripts: seeing one run is no reason to let it. */
const byAddress: ReadonlySet<string> = new Set<Directive>([
  "connect-src",
  "img-src",
  "font-src",
  "media-src",
  "frame-src",
  "worker-src",
  "manifest-src",
  "style-src",
]);

/** Addresses without an origin that hold no code and no page. */
const harmlessSchemes: Readonly<Record<string, readonly string[]>> = {
  "connect-src": ["data:", "blob:"],
  "img-src": ["data:", "blob:"],
  "font-src": ["data:", "blob:"],
  "media-src": ["data:", "blob:"],
};

/** More different styles than this on one page: they change with each run, and no list of hashes will hold them. */
const maxStylesOfPage = 50;

/**
 * Turns what was seen into what may be allowed: exact origins and exact hashes, page by page; pages that need the same are one class.
 * Whatever would run code (inline scripts, `eval`, `javascript:`, scripts and workers from elsewhere) is a finding instead.
 *
 * @param visited files of the pages that were run
 * @param origin that the site had while it ran
 */
export function proposeLearned(
  observations: readonly Observation[],
  visited: readonly string[],
  origin: string,
): Proposal {
  const pages = new Map(visited.map((page) => [page, new Map<Directive, Set<string>>()]));
  const findings = new Map<string, OpenFinding>();
  for (const observation of observations) {
    const verdict = judge(observation, origin);
    const page = pages.get(observation.page);
    if ("reason" in verdict || page === undefined)
      note(
        findings,
        observation,
        "reason" in verdict ? verdict.reason : "the page was not to be run",
        origin,
      );
    else {
      const sources = page.get(verdict.directive) ?? new Set();
      page.set(verdict.directive, sources);
      for (const source of verdict.sources) sources.add(source);
    }
  }
  for (const [page, allow] of pages) withdrawChanging(page, allow, findings, origin);
  return { classes: classesOf(pages), findings: sortFindings(findings) };
}

type Verdict =
  | { readonly directive: Directive; readonly sources: readonly string[] }
  | { readonly reason: string };

function judge({ directive, blocked, hash }: Observation, origin: string): Verdict {
  if (directive === "style-src-attr" || (directive.startsWith("style-src") && blocked === "inline"))
    return judgeStyle(directive, hash);
  const name = directive === "style-src-elem" ? "style-src" : directive;
  if (!byAddress.has(name)) return { reason: reasonOf(directive, blocked) };
  const source = sourceOf(blocked, name, origin);
  return typeof source === "string" ? { directive: name as Directive, sources: [source] } : source;
}

function judgeStyle(directive: string, hash: string | undefined): Verdict {
  if (hash === undefined) return { reason: "the style's text could not be read, so it has no hash" };
  return directive === "style-src-attr"
    ? { directive: "style-src-attr", sources: ["'unsafe-hashes'", hashSource(hash)] }
    : { directive: "style-src", sources: [hashSource(hash)] };
}

/** The narrowest source that lets an address through. */
function sourceOf(blocked: string, directive: string, origin: string): string | { reason: string } {
  const scheme = /^[a-z][a-z0-9+.-]*:?$/.test(blocked) ? `${blocked.replace(/:$/, "")}:` : undefined;
  const url = URL.parse(blocked);
  const opaque =
    scheme ?? (url !== null && url.origin === "null" && !isWeb(url.protocol) ? url.protocol : undefined);
  if (opaque !== undefined)
    return harmlessSchemes[directive]?.includes(opaque) === true
      ? opaque
      : { reason: `${opaque} addresses can hold code of their own` };
  if (url === null) return { reason: "this is no address" };
  // WebSockets of the site itself have its host, and another scheme.
  if (url.origin === origin || webOrigin(url) === origin) return "'self'";
  if (directive === "worker-src")
    return { reason: "a worker of another site runs whatever its owner serves" };
  if (isLoopbackHost(url.hostname)) return { reason: "this address is on the machine that ran it" };
  // The policies upgrade requests, so that this is what browsers will ask for.
  const source = `${url.protocol.replace(/^(http|ws):$/, "$1s:")}//${url.host}`;
  return isExactOrigin(source) ? source : { reason: "a policy has no words for this address" };
}

const isWeb = (protocol: string): boolean => /^(?:https?|wss?):$/.test(protocol);
const webOrigin = (url: URL): string => `${url.protocol.replace(/^ws/, "http")}//${url.host}`;

function reasonOf(directive: string, blocked: string): string {
  if (directive === "require-trusted-types-for" || directive === "trusted-types")
    return "a text became markup or code in a place where Trusted Types forbid it";
  if (blocked === "inline") return "an inline script that is not in the page's file";
  if (blocked === "eval" || blocked === "wasm-eval") return "a script made code from a text";
  if (directive.startsWith("script-src")) return "a script that is not named in the page's file";
  return "running a page is no reason to allow this";
}

function note(
  findings: Map<string, OpenFinding>,
  { page, directive, blocked, sample }: Pick<Observation, "page" | "directive" | "blocked" | "sample">,
  reason: string,
  origin: string,
): void {
  const shown = withoutQuery(blocked, origin);
  const key = JSON.stringify([directive, shown, reason, sample]);
  const known = findings.get(key);
  if (known === undefined)
    findings.set(key, { directive, blocked: shown, reason, sample, pages: new Set([page]) });
  else known.pages.add(page);
}

/** The site ran at an address that nobody else has, and a query may differ each time. */
function withoutQuery(blocked: string, origin: string): string {
  const url = URL.parse(blocked);
  if (url === null || !isWeb(url.protocol)) return blocked;
  return url.origin === origin ? url.pathname : url.origin + url.pathname;
}

function withdrawChanging(
  page: string,
  allow: Map<Directive, Set<string>>,
  findings: Map<string, OpenFinding>,
  origin: string,
): void {
  for (const directive of ["style-src", "style-src-attr"] as const) {
    if ((allow.get(directive)?.size ?? 0) <= maxStylesOfPage) continue;
    allow.delete(directive);
    const seen = { page, directive, blocked: "inline", sample: "" };
    note(findings, seen, `more than ${maxStylesOfPage} different styles on one page`, origin);
  }
}

/** Pages that need the same, together; in an order that depends on nothing else. */
export function classesOf(
  pages: ReadonlyMap<string, ReadonlyMap<Directive, ReadonlySet<string>>>,
): LearnedClass[] {
  const classes = new Map<string, LearnedClass & { pages: string[] }>();
  for (const page of [...pages.keys()].sort()) {
    const sorted = [...(pages.get(page) ?? [])]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([directive, sources]) => [directive, [...sources].sort()] as const);
    const key = JSON.stringify(sorted);
    const known = classes.get(key);
    if (known === undefined) classes.set(key, { pages: [page], allow: Object.fromEntries(sorted) });
    else known.pages.push(page);
  }
  return [...classes.values()];
}

/** Findings by their keys, sorted, and each with its pages sorted. */
export function sortFindings(findings: ReadonlyMap<string, OpenFinding>): Finding[] {
  return [...findings]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, { pages, ...finding }]) => Object.assign(finding, { pages: [...pages].sort() }));
}
