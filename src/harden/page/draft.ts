import type { Edit, PageFacts } from "../../html/index.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";
import type { ForeignScript, MissingFile, ScriptOccurrence, Weakness } from "./page-report.ts";
import type { Openings } from "../policy/open-policy.ts";
import type { Directive, PolicyBuilder } from "../policy/policy.ts";
import { createPolicyBuilder } from "../policy/policy.ts";
import type { AllowedScript } from "./script-allowed.ts";
import { createAddresses, secureOrigin } from "../site/site-view.ts";
import type { Addresses, SiteFileView, SiteView } from "../site/site-view.ts";

/** What was learned by running a site: sources that its pages use beyond those that can be seen without. */
export type LearnedSources = ReadonlyMap<Directive, readonly string[]>;

/** What a site's owner has decided for all of its pages. */
export interface PageSettings {
  /** Where browsers report what they refuse: a path of the site, or an HTTPS URL. Without one nothing is reported. */
  readonly reportTo?: string | undefined;
  /** Scripts that make code from strings may do so. Default false. */
  readonly evalAllowed?: boolean;
  /** Scripts of other sites that scripts of the pages may add. Default none. */
  readonly allowScripts?: readonly AllowedScript[];
}

/** What the scripts of a page do, told by who makes them: what is not told is blocked, and nothing is left open. */
export interface DeclaredBehaviour {
  /** They call addresses of the site. */
  readonly connects: boolean;
  /** The Trusted Types policies that they make. No other way leads from text to markup. */
  readonly typesPolicies: readonly string[];
}

/** What the draft of a page begins with, beside the page. */
export interface DraftContext {
  readonly view: SiteView;
  /** What running the site has shown. Without it, connections and styles that scripts hide stay open. */
  readonly learned?: LearnedSources | undefined;
  readonly settings?: PageSettings | undefined;
  /** How it was read: `xml` for XHTML. Default `html`. */
  readonly syntax?: "html" | "xml";
  /** What its scripts do. Without it they are read, and what they hide is left open and listed. */
  readonly declared?: DeclaredBehaviour | undefined;
}

/** What is found out about a page, together with the pages in its frames' `srcdoc`, which share its policy. */
export interface PageDraft {
  readonly view: SiteView;
  readonly settings: PageSettings;
  readonly learned: LearnedSources | undefined;
  readonly declared: DeclaredBehaviour | undefined;
  /** In `xml`, what is put into a page would have to be well-formed too: less is rewritten there. */
  readonly syntax: "html" | "xml";
  /** Scripts run somewhere in it, in its frames' `srcdoc` too: those reach the page around them. */
  readonly runsScripts: boolean;
  readonly policy: PolicyBuilder;
  /** What has to stay open until it is learned. */
  readonly open: Openings;
  readonly behaviours: Set<ScriptFacts>;
  readonly weaknesses: Set<Weakness>;
  /** What it may do only because that was learned. */
  readonly needsLearned: Set<string>;
  readonly foreign: Map<string, ForeignScript>;
  readonly missing: Map<string, MissingFile>;
  readonly frames: Set<string>;
  readonly notes: Set<string>;
  readonly scripts: ScriptOccurrence[];
  readonly modules: Map<string, SiteFileView>;
  /** Folders of the site of which any script may be run. */
  readonly opened: Set<string>;
  /** For `Permissions-Policy`: origins by feature, `self` among them. */
  readonly features: Map<string, Set<string>>;
  /** Set once something counted that a page with the same tags may not share: its own address, or text between tags. */
  readonly own: { counted: boolean };
  readonly count: {
    inlineScripts: number;
    externalScripts: number;
    handlers: number;
    styleAttributesKept: number;
    styleAttributesMoved: number;
    scriptUrlsRewritten: number;
    scriptUrlsNeutralised: number;
  };
}

/** One document of a draft: the page itself, or what a frame's `srcdoc` holds. */
export interface DocumentDraft {
  readonly page: PageDraft;
  readonly facts: PageFacts;
  readonly addresses: Addresses;
  readonly edits: Edit[];
  /** It has a place for markup of ours: an XML page without a head has none, because nothing implies one. */
  readonly hasHead: boolean;
  /** Markup to be put first into the head, in this order. */
  readonly headStart: string[];
  /** Markup to be put last into the head. */
  readonly headEnd: string[];
}

/** Begins the draft of a page. */
export function createPageDraft(
  facts: PageFacts,
  { view, learned, declared, syntax = "html", settings = {} }: DraftContext,
): PageDraft {
  return {
    view,
    settings,
    learned,
    declared,
    syntax,
    runsScripts: runsScripts(facts),
    policy: createPolicyBuilder(),
    open: { connections: new Set(), styleElements: false, styleAttributes: false },
    behaviours: new Set(),
    weaknesses: new Set(),
    needsLearned: new Set(),
    foreign: new Map(),
    missing: new Map(),
    frames: new Set(),
    notes: new Set(),
    scripts: [],
    modules: new Map(),
    opened: new Set(),
    features: new Map(),
    own: { counted: false },
    count: {
      inlineScripts: 0,
      externalScripts: 0,
      handlers: 0,
      styleAttributesKept: 0,
      styleAttributesMoved: 0,
      scriptUrlsRewritten: 0,
      scriptUrlsNeutralised: 0,
    },
  };
}

function runsScripts({ scripts, handlers, scriptUrls, nested }: PageFacts): boolean {
  return (
    scripts.some(({ type }) => type === "classic" || type === "module") ||
    handlers.length > 0 ||
    scriptUrls.length > 0 ||
    nested.some(({ page }) => runsScripts(page))
  );
}

/**
 * Begins the draft of one document of a page.
 *
 * @param around the document whose `srcdoc` it is: that one's base counts here too (HTML §2.4.3)
 */
export function createDocumentDraft(
  page: PageDraft,
  facts: PageFacts,
  path: string,
  around?: DocumentDraft,
): DocumentDraft {
  const addresses = createAddresses(page.view.origin, path, facts.base, around?.addresses.base, () => {
    page.own.counted = true;
  });
  const hasHead = around !== undefined || page.syntax === "html" || facts.headStart > 0;
  return { page, facts, addresses, edits: [], hasHead, headStart: [], headEnd: [] };
}

/** Allows another site's origin. What a policy has no words for stays blocked, and is told. */
export function allowOrigin(page: PageDraft, directive: Directive, url: URL): void {
  const origin = secureOrigin(url);
  if (origin === undefined) noteUnnameable(page);
  else page.policy.allow(directive, origin);
}

/** Tells of a file that the page asks for and the site does not have: with what made the page, or with a link in it, something is wrong. */
export function noteMissing({ missing }: PageDraft, kind: MissingFile["kind"], path: string): void {
  missing.set(`${kind} ${path}`, { kind, path });
}

/** Tells that something is blocked because no policy can name its host. */
export function noteUnnameable({ notes }: PageDraft): void {
  notes.add("an address whose host no policy can name is blocked");
}

/** The source expression of a text's hash. */
export function hashSource(hash: string): string {
  return `'sha256-${hash}'`;
}
