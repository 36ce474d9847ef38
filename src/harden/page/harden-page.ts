import { escapeAttribute, replaceAttribute, splice } from "../../html/index.ts";
import type { Edit, PageFacts } from "../../html/index.ts";
import { allowBehaviour } from "./allow-behaviour.ts";
import { allowResources } from "./allow-resources.ts";
import { allowScripts } from "./allow-scripts.ts";
import { allowStyles } from "./allow-styles.ts";
import { tellWorkers } from "./allow-workers.ts";
import { createDocumentDraft, createPageDraft, hashSource } from "./draft.ts";
import type { DocumentDraft, DraftContext, PageDraft } from "./draft.ts";
import { inspectInline } from "./inline-cache.ts";
import { openPolicy, reportOnlyPolicy } from "../policy/open-policy.ts";
import type { PageReport } from "./page-report.ts";
import type { PagePolicy } from "../policy/policy.ts";
import { serializePolicy } from "../policy/policy.ts";
import { rewriteScriptUrls } from "./rewrite-script-urls.ts";
import { splitPolicy } from "../policy/split-policy.ts";
import type { PolicyBudget } from "../policy/split-policy.ts";

/** Where a page stands, and what limits its policy. */
export interface PageContext extends DraftContext {
  /** Its address: an absolute path, decoded. */
  readonly path: string;
  /** What the host can send in a header. Without it the header carries the whole policy. */
  readonly budget?: PolicyBudget | undefined;
}

/** A page that has been hardened. */
export interface HardenedPage {
  /** In UTF-8. */
  readonly bytes: Uint8Array;
  /** The whole policy; `frame-ancestors` is the site's business, since it depends on other pages. */
  readonly policy: PagePolicy;
  /** The part of it that the response header carries: all of it, unless a `<meta>` in `bytes` carries the rest. */
  readonly header: PagePolicy;
  /** The same as the header's value. */
  readonly headerText: string;
  /** What is told and not stopped, as far as the header can carry it; undefined without `reportTo`, or if all is enforced. */
  readonly reportOnly: PagePolicy | undefined;
  readonly headers: PageNeeds;
  readonly report: PageReport;
}

/** What the other headers of a page have to leave possible. */
export interface PageNeeds {
  /** For `Permissions-Policy`: origins by feature, `self` among them. */
  readonly features: readonly (readonly [feature: string, origins: readonly string[]])[];
  /** It frames another site, which may want to know where it is framed. */
  readonly foreignFrames: boolean;
  /** It opens windows, or runs code of other sites that may. */
  readonly otherWindows: boolean;
}

/**
 * Hardens one page: finds the strictest policy under which it still works, and makes the changes that need be for it. Nothing that a
 * visitor sees changes.
 *
 * Pure: the same page on the same site gives the same bytes.
 *
 * @param facts the page as `readPage` read it
 * @see Content Security Policy Level 3; Subresource Integrity
 */
export function hardenPage(facts: PageFacts, context: PageContext): HardenedPage {
  const { edits, headStart, headEnd, result } = planPage(facts, context);
  return { bytes: splice(facts.bytes, [...edits, ...inserted(facts, headStart, headEnd)]), ...result };
}

/** What hardening does with a page: what it changes there, and all else that it gives. */
export interface PagePlan {
  /** Changes of tags. */
  readonly edits: readonly Edit[];
  /** Markup to be put first into the head, and last. */
  readonly headStart: string;
  readonly headEnd: string;
  readonly result: Omit<HardenedPage, "bytes">;
  /** It holds for every page of the same folder that has the same tags, in other places. */
  readonly isShared: boolean;
}

/** Finds out what {@link hardenPage} is to do. */
export function planPage(facts: PageFacts, context: PageContext): PagePlan {
  const page = createPageDraft(facts, context);
  const document = hardenDocument(page, facts, context.path);
  const reasons = allowBehaviour(page, document.addresses);
  page.policy.allow("frame-ancestors");
  page.policy.allow("upgrade-insecure-requests");
  allowReports(page);
  const strict = page.policy.build();
  const policy = openPolicy(strict, page.open);
  // A page without a place for a <meta> has its policy in the header, however long it is: a host that can't send it must say so.
  const { header, meta } =
    context.budget === undefined || !document.hasHead
      ? { header: policy, meta: undefined }
      : splitPolicy(policy, context.budget);
  const reportOnly = reportOnlyOf(page, strict, policy, context.budget);
  if (meta !== undefined) document.headStart.unshift(metaOf(meta, page.syntax));
  return {
    edits: document.edits,
    headStart: document.headStart.join(""),
    headEnd: document.headEnd.join(""),
    result: {
      policy,
      header,
      headerText: serializePolicy(header),
      reportOnly,
      headers: needsOf(page, policy),
      report: reportOf(page, facts, reasons),
    },
    isShared: !page.own.counted,
  };
}

/** The name of the endpoint. Not `default`, which would get every kind of report. */
const endpoint = "csp";

/** @see CSP 3 §6.5: `report-to` is what browsers do today, `report-uri` what older ones do. */
function allowReports({ policy, settings }: PageDraft): void {
  if (settings.reportTo === undefined) return;
  policy.allow("report-to", endpoint);
  policy.allow("report-uri", settings.reportTo);
}

/** A `<meta>` can't be report-only, and of one header for all pages no page has its own. */
function reportOnlyOf(
  { settings, notes }: PageDraft,
  strict: PagePolicy,
  enforced: PagePolicy,
  budget: PolicyBudget | undefined,
): PagePolicy | undefined {
  const policy = settings.reportTo === undefined ? undefined : reportOnlyPolicy(strict, enforced);
  if (policy === undefined || budget === undefined) return policy;
  if (budget.shared !== true && serializePolicy(policy).length <= budget.maxBytes) return policy;
  notes.add("its host has no room for what is only reported");
  return undefined;
}

function hardenDocument(
  page: PageDraft,
  facts: PageFacts,
  path: string,
  around?: DocumentDraft,
): DocumentDraft {
  const document = createDocumentDraft(page, facts, path, around);
  allowScripts(document);
  rewriteScriptUrls(document);
  allowHandlers(document);
  allowStyles(document);
  allowResources(document);
  for (const { attribute, page: nested } of facts.nested) {
    const inner = hardenDocument(page, nested, path, document);
    const around = inserted(nested, inner.headStart.join(""), inner.headEnd.join(""));
    const bytes = splice(nested.bytes, [...inner.edits, ...around]);
    if (bytes === nested.bytes) continue;
    document.edits.push(replaceAttribute(attribute, new TextDecoder().decode(bytes)));
  }
  if (facts.encoding !== "utf-8") {
    for (const attribute of facts.charsets)
      document.edits.push(
        replaceAttribute(attribute, attribute.name === "charset" ? "utf-8" : "text/html; charset=utf-8"),
      );
  }
  return document;
}

/** Event handlers in attributes are allowed one by one, and only there. */
function allowHandlers(document: DocumentDraft): void {
  const { page, facts } = document;
  if (facts.handlers.length === 0) return;
  page.count.handlers += facts.handlers.length;
  page.weaknesses.add("handlers");
  page.policy.allow("script-src-attr", "'unsafe-hashes'");
  for (const { value } of facts.handlers) {
    const hash = page.view.hash(value);
    page.policy.allow("script-src-attr", hashSource(hash));
    page.scripts.push({ kind: "handler", hash, text: value });
    if (page.declared !== undefined) continue;
    const behaviour = inspectInline(hash, value, false);
    page.behaviours.add(behaviour);
    tellWorkers(document, behaviour, document.addresses.base);
  }
}

/** A policy that stands in the page, with the page's encoding before it: it may push what else says so out of the first 1024 bytes. */
function metaOf(policy: PagePolicy, syntax: PageDraft["syntax"]): string {
  const content = escapeAttribute(serializePolicy(policy));
  // In XML the head may have a prefix, and what is put into it would be in no namespace without its own.
  const [open, close] = syntax === "xml" ? [`<meta xmlns="${xhtml}"`, "/>"] : ["<meta", ">"];
  return `${open} charset="utf-8"${close}${open} http-equiv="Content-Security-Policy" content="${content}"${close}`;
}

const xhtml = "http://www.w3.org/1999/xhtml";

/** The edits that put markup into a head. */
export function inserted(
  head: Pick<PageFacts, "headStart" | "headEnd">,
  atStart: string,
  atEnd: string,
): readonly Edit[] {
  const edits: Edit[] = [];
  const insert = (at: number, replacement: string): void => {
    if (replacement !== "") edits.push({ span: { from: at, to: at }, replacement });
  };
  insert(head.headStart, atStart);
  insert(head.headEnd, atEnd);
  return edits;
}

function needsOf(page: PageDraft, policy: PagePolicy): PageNeeds {
  const foreignScripts = [...page.foreign.values()].some(({ kind }) => kind === "script");
  return {
    features: [...page.features]
      .map(([feature, origins]) => [feature, [...origins].sort()] as const)
      .sort(([left], [right]) => (left < right ? -1 : 1)),
    foreignFrames: (policy.get("frame-src") ?? []).some((source) => source.startsWith("https:")),
    otherWindows: foreignScripts || [...page.behaviours].some(({ usesOtherWindows }) => usesOtherWindows),
  };
}

function reportOf(page: PageDraft, facts: PageFacts, reasons: readonly string[]): PageReport {
  const { count } = page;
  return {
    inlineScripts: count.inlineScripts,
    externalScripts: count.externalScripts,
    modules: page.modules.size,
    handlers: count.handlers,
    styleAttributes: { kept: count.styleAttributesKept, moved: count.styleAttributesMoved },
    scriptUrls: { rewritten: count.scriptUrlsRewritten, neutralised: count.scriptUrlsNeutralised },
    weaknesses: [...page.weaknesses].sort(),
    learned: [...page.needsLearned].sort(),
    trustedTypes: reasons.length === 0 ? "enforced" : "report-only",
    trustedTypesReasons: reasons,
    foreign: [...page.foreign.values()],
    missing: [...page.missing.values()].sort((left, right) => (left.path < right.path ? -1 : 1)),
    frames: [...page.frames].sort(),
    notes: [...page.notes].sort(),
    scripts: page.scripts,
    opened: [...page.opened].sort(),
    transcodedFrom: facts.encoding === "utf-8" ? undefined : facts.encoding,
    slow: facts.fallback !== undefined,
  };
}
