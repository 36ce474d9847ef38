import { hash } from "node:crypto";
import { resolve } from "node:path";
import type { Header } from "../../contract/index.ts";
import { classify, isNamedByHash } from "../site/classify.ts";
import { fileHeaders } from "../policy/headers.ts";
import type { FileForHeaders } from "../policy/headers.ts";
import type { PageNeeds } from "../page/harden-page.ts";
import type { LearnedSite } from "../learn/learned-site.ts";
import type { ScriptOccurrence } from "../page/page-report.ts";
import { assertAllowedScripts } from "../page/script-allowed.ts";
import type { AllowedScript } from "../page/script-allowed.ts";
import { reportSite } from "../site/site-report.ts";
import type { PageSummary, SiteReport } from "../site/site-report.ts";
import type { PolicyBudget } from "../policy/split-policy.ts";
import { makeFolder } from "./blob-store.ts";
import { processAll } from "./crew.ts";
import type { ProcessedFile, ProcessedPage } from "./process-file.ts";
import { hardenError, shown } from "./harden-error.ts";
import type { SiteSettings } from "./messages.ts";
import { walk } from "./walk.ts";

/** Options of {@link hardenFolder}. */
export interface HardenFolderOptions {
  /** What a generator wrote. It is only read. */
  readonly folder: string;
  /** Where the bytes go, each under its SHA-256. Made by this call; it must not exist. */
  readonly blobs: string;
  /** Where the site will be served from, if that is known: `https://www.example.com`. */
  readonly origin?: string | undefined;
  /** What the host can send in a header; may depend on the number of pages. Default: everything. */
  readonly budget?: PolicyBudget | ((pages: number) => PolicyBudget) | undefined;
  /** Folders outside of `folder` into which its links may lead. Default none. */
  readonly follow?: readonly string[];
  /** At least 1. Default: one a core, if the site is so large that it pays. */
  readonly threads?: number;
  /** What running the site has shown. */
  readonly learned?: LearnedSite | undefined;
  /** Where browsers report what they refuse: a path of the site, or an HTTPS URL. Default: nowhere. */
  readonly reportTo?: string | undefined;
  /** Why scripts may make code from strings, on the pages where they do. Without a reason they may not. */
  readonly insecureEval?: string | undefined;
  /** Scripts of other sites that scripts of the pages may add, where they seem to. Default none. */
  readonly allowScripts?: readonly AllowedScript[] | undefined;
  /** The charset that the site's pages and texts were served with until now, if their content-type headers named one. */
  readonly charset?: string | undefined;
  /** Told of every script in every page, page by page, in no particular order. */
  readonly onScript?: (path: string, script: ScriptOccurrence) => void;
  readonly onProgress?: (done: number, total: number) => void;
}

/** One address of a hardened site. */
export interface HardenedFile {
  /** Absolute, decoded. `/guide/` and `/guide/index.html` are two, with the same bytes. */
  readonly path: string;
  /** The file that it came from, relative to the folder. */
  readonly source: string;
  readonly headers: readonly Header[];
  /** Of the bytes, hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** Compressed forms: none here, hosts and releases make their own. */
  readonly encodings: readonly never[];
}

/** A folder that has been hardened. */
export interface HardenedFolder {
  /** Sorted by path. */
  readonly files: readonly HardenedFile[];
  /** The page that is sent with a 404, if there is one. */
  readonly notFound: string | undefined;
  readonly report: SiteReport;
}

/** What is kept of a file until all are done: only then is known what is framed. */
interface Kept {
  readonly file: Omit<ProcessedFile, "page">;
  readonly page?: {
    readonly headerPolicy: string;
    readonly reportOnly: string | undefined;
    readonly needs: PageNeeds;
    readonly summary: PageSummary;
  };
}

/**
 * Hardens what any generator wrote: every page gets the strictest policy under which it works, every file its headers. The same folder
 * gives the same result, on however many threads; memory grows only by about a kilobyte a page.
 *
 * @throws {CurtainwallError} one of {@link HardenErrorCode}. `blobs` may then hold a part: remove it.
 */
export async function hardenFolder(options: HardenFolderOptions): Promise<HardenedFolder> {
  const { origin, learned, reportTo, insecureEval, charset, onScript, onProgress } = options;
  if (reportTo !== undefined) assertReportTo(reportTo);
  if (insecureEval?.trim() === "")
    throw hardenError("HARDEN_OPTION_INVALID", "Code from strings is allowed only with a reason.", {
      hint: 'Say why, like  --insecure-eval "the search compiles its templates"',
    });
  const { allowScripts = [] } = options;
  assertAllowedScripts(allowScripts);
  const settings = { reportTo, charset, evalAllowed: insecureEval !== undefined, allowScripts };
  const { files, skipped } = walk(options.folder, options.follow);
  const pages = files.filter(({ path }) => classify(path).kind.endsWith("html")).length;
  const budget = typeof options.budget === "function" ? options.budget(pages) : options.budget;
  makeFolder(options.blobs);
  const kept: Kept[] = [];
  const framed = new Set<string>();
  const opened = new Map<string, string[]>();
  const remember = createRememberer();
  const task = { files, origin, blobs: resolve(options.blobs), budget, learned, settings };
  const keep = (processed: readonly ProcessedFile[]): void => {
    for (const { page, ...file } of processed) {
      for (const path of page?.report.frames ?? []) framed.add(path);
      const { scripts = [], opened: folders = [] } = page?.report ?? {};
      for (const script of scripts) if (!isToldLater(script, folders)) onScript?.(file.path, script);
      for (const folder of page?.report.opened ?? []) addTo(opened, folder, file.path);
      kept.push({ file, ...(page === undefined ? {} : { page: remember(page) }) });
    }
    onProgress?.(kept.length, files.length);
  };
  await processAll(task, keep, options.threads);
  kept.sort((left, right) => (left.file.path < right.file.path ? -1 : 1));
  if (onScript !== undefined) tellOpened(opened, kept, onScript);
  const share = createSharer();
  const addresses = kept.flatMap((entry) => publish(entry, framed, settings, share));
  return {
    files: addresses.sort((left, right) => (left.path < right.path ? -1 : 1)),
    notFound: files.some(({ path }) => path === "/404.html") ? "/404.html" : undefined,
    report: reportSite(summaries(kept), {
      files: kept.length,
      bytes: kept.reduce((sum, { file }) => sum + file.bytes, 0),
      skipped,
      allowScripts,
      learnedPages: [...(learned?.pages.keys() ?? [])],
      ...(insecureEval === undefined ? {} : { insecureEval }),
    }),
  };
}

function addTo(pages: Map<string, string[]>, folder: string, page: string): void {
  const known = pages.get(folder);
  if (known === undefined) pages.set(folder, [page]);
  else known.push(page);
}

/** Tells whether a script lies in a folder that its page may run all scripts of: it is told with those, once. */
function isToldLater({ kind, hash: digest, text }: ScriptOccurrence, folders: readonly string[]): boolean {
  return (
    kind === "external" &&
    digest !== undefined &&
    classify(text).kind === "script" &&
    folders.some((folder) => text.startsWith(folder))
  );
}

/** What lies in a folder whose every script a page may run counts as that page's: none may be put there or changed unseen. */
function tellOpened(
  opened: ReadonlyMap<string, readonly string[]>,
  kept: readonly Kept[],
  onScript: NonNullable<HardenFolderOptions["onScript"]>,
): void {
  for (const { file } of kept) {
    if (file.classified.kind !== "script") continue;
    const folders = [...opened].filter(([folder]) => file.path.startsWith(folder));
    const digest = Buffer.from(file.sha256, "hex").toString("base64");
    for (const page of new Set(folders.flatMap(([, pages]) => pages)))
      onScript(page, { kind: "external", hash: digest, text: file.path });
  }
}

function* summaries(kept: readonly Kept[]): Generator<readonly [string, PageSummary]> {
  for (const { file, page } of kept) if (page !== undefined) yield [file.path, page.summary];
}

/** What stands in a policy and in a header can't hold what they read as their own. */
function assertReportTo(to: string): void {
  const path = /^\/(?![/\\])[\w/.~%?=&-]*$/.test(to);
  const url = /^https:\/\/[\w/.~%?=&:-]+$/.test(to) && URL.canParse(to);
  if (path || url) return;
  throw hardenError("HARDEN_OPTION_INVALID", `Reports can't be sent to ${shown(to)}.`, {
    hint: "Name a path of the site like /_reports, or an https:// URL",
  });
}

/** Pages repeat each other: what is equal is kept once. */
function createRememberer(): (page: ProcessedPage) => NonNullable<Kept["page"]> {
  const known = new Map<string, NonNullable<Kept["page"]>>();
  return ({ headerPolicy, reportOnly, needs, report, split }) => {
    const { scripts: _scripts, frames: _frames, opened: _opened, ...rest } = report;
    const page = { headerPolicy, reportOnly, needs, summary: { ...rest, split } };
    // A page that has its own policy is kept once, not twice.
    const key = hash("sha256", JSON.stringify(page), "base64");
    const same = known.get(key);
    if (same !== undefined) return same;
    known.set(key, page);
    return page;
  };
}

type Share = (file: FileForHeaders, page: Kept["page"]) => readonly Header[];

/** Files repeat each other's headers: what is equal is made once, as far as one can tell before, and kept once. */
function createSharer(): Share {
  const byPage = new Map<Kept["page"], Map<string, readonly Header[]>>();
  const known = new Map<string, readonly Header[]>();
  const make = (file: FileForHeaders): readonly Header[] => {
    const headers = fileHeaders(file);
    const key = JSON.stringify(headers);
    const same = known.get(key);
    if (same === undefined) known.set(key, headers);
    return same ?? headers;
  };
  return (file, page) => {
    if (file.script !== undefined) return make(file);
    const ofPage = byPage.get(page) ?? new Map<string, readonly Header[]>();
    byPage.set(page, ofPage);
    const { kind, type, text } = file.classified;
    const key = [kind, type, text, file.charset, file.framed, isNamedByHash(file.path)].join(" ");
    const headers = ofPage.get(key) ?? make(file);
    ofPage.set(key, headers);
    return headers;
  };
}

const noEncodings: readonly never[] = [];

function publish(
  { file, page }: Kept,
  framed: ReadonlySet<string>,
  settings: SiteSettings,
  share: Share,
): HardenedFile[] {
  const index = /\/index\.x?html?$/.test(file.path) ? file.path.replace(/[^/]*$/, "") : undefined;
  const declared: FileForHeaders = {
    path: file.path,
    classified: file.classified,
    charset: file.charset,
    framed: framed.has(file.path) || (index !== undefined && framed.has(index)),
    settings,
    ...(page === undefined
      ? {}
      : { policy: page.headerPolicy, reportOnly: page.reportOnly, needs: page.needs }),
    ...(file.script === undefined ? {} : { script: file.script }),
  };
  const headers = share(declared, page);
  const address = (path: string): HardenedFile => ({
    path,
    source: file.path.slice(1),
    headers,
    sha256: file.sha256,
    bytes: file.bytes,
    encodings: noEncodings,
  });
  return index === undefined ? [address(file.path)] : [address(file.path), address(index)];
}
