import { isUtf8 } from "node:buffer";
import { outlinePage } from "../../html/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { classify } from "../site/classify.ts";
import type { Classified } from "../site/classify.ts";
import { hardenOutline } from "../page/harden-outline.ts";
import type { HardenedPage } from "../page/harden-page.ts";
import type { PageNeeds } from "../page/harden-page.ts";
import { learnedOf } from "../learn/learned-site.ts";
import type { LearnedSite } from "../learn/learned-site.ts";
import { inspectScript } from "../inspect/inspect-script.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";
import type { PageReport } from "../page/page-report.ts";
import { serializePolicy } from "../policy/policy.ts";
import type { SiteView } from "../site/site-view.ts";
import type { PolicyBudget } from "../policy/split-policy.ts";
import type { SiteSettings } from "./messages.ts";
import type { BlobStore } from "./blob-store.ts";
import { hardenError, shown } from "./harden-error.ts";
import { maxWholeBytes, readUnchanged } from "./read-file.ts";
import type { ListedFile } from "./walk.ts";

/** What is the same for every file of a site. */
export interface Workbench {
  readonly view: SiteView;
  readonly store: BlobStore;
  readonly budget: PolicyBudget | undefined;
  readonly learned: LearnedSite | undefined;
  readonly settings: SiteSettings;
  /** Looks at the bytes that are about to be published. */
  readonly inspect?: ((path: string, bytes: Uint8Array) => void) | undefined;
}

/** What became of a file. */
export interface ProcessedFile {
  readonly path: string;
  /** Of what is published, hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  readonly classified: Classified;
  readonly charset: string;
  readonly page?: ProcessedPage;
  readonly script?: ScriptFacts;
}

/** What became of a page. */
export interface ProcessedPage {
  /** As the header carries it; `frame-ancestors` says `'none'`. */
  readonly headerPolicy: string;
  /** What is reported and not stopped. */
  readonly reportOnly: string | undefined;
  /** A `<meta>` carries the rest. */
  readonly split: boolean;
  readonly needs: PageNeeds;
  readonly report: PageReport;
}

/** Hardens one file, and stores what is published of it. */
export function processFile(file: ListedFile, bench: Workbench): ProcessedFile {
  const classified = classify(file.path);
  if (classified.kind === "html" || classified.kind === "xhtml") return processPage(file, classified, bench);
  if (file.size > maxWholeBytes) {
    return {
      path: file.path,
      sha256: bench.store.copy(file),
      bytes: file.size,
      classified,
      charset: "utf-8",
    };
  }
  const bytes = readUnchanged(file);
  bench.inspect?.(file.path, bytes);
  const seen = classified.type === "application/octet-stream" && isText(bytes) ? plainText : classified;
  return {
    path: file.path,
    sha256: bench.store.put(bytes),
    bytes: bytes.length,
    classified: seen,
    // What is no UTF-8 was made when everything was windows-1252; a page's own encoding no longer says so.
    charset: !seen.text || isUtf8(bytes) ? "utf-8" : (bench.settings.charset ?? "windows-1252"),
    ...(seen.kind === "script" && mayBeWorker(bytes)
      ? { script: inspectScript(bytes.toString("latin1"), false) }
      : {}),
  };
}

const plainText: Classified = { kind: "other", type: "text/plain", text: true };

/** A file whose name says nothing, like `Makefile`: text if it is UTF-8 without control characters. */
function isText(bytes: Buffer): boolean {
  const start = bytes.subarray(0, 4_096);
  return (
    isUtf8(bytes) &&
    !start.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c)
  );
}

function mayBeWorker(bytes: Buffer): boolean {
  return ["importScripts", "onmessage", "postMessage", '"message"', "'message'", "clients.claim"].some(
    (sign) => bytes.includes(sign),
  );
}

/** Where pages are read, one after another: a buffer for each would fill the memory until somebody collects them. */
const pageBuffer = Buffer.allocUnsafeSlow(262_144);
/** Where they are put together again, each until it is stored. */
const hardenedBuffer = Buffer.allocUnsafeSlow(262_144);

function processPage(file: ListedFile, classified: Classified, bench: Workbench): ProcessedFile {
  const source = readUnchanged(file, pageBuffer);
  const hardened = harden(file, source, classified, bench);
  if (hardened === undefined) {
    // A browser shows an error in its place: nothing of it runs.
    return {
      path: file.path,
      sha256: bench.store.put(source),
      bytes: source.length,
      classified,
      charset: "utf-8",
    };
  }
  const { bytes, header, headerText, policy, reportOnly, headers, report } = hardened;
  bench.inspect?.(file.path, bytes);
  return {
    path: file.path,
    sha256: bench.store.put(bytes),
    bytes: bytes.length,
    classified,
    charset: "utf-8",
    page: {
      headerPolicy: headerText,
      reportOnly: reportOnly === undefined ? undefined : serializePolicy(reportOnly),
      split: header !== policy,
      needs: headers,
      report,
    },
  };
}

/** Undefined for XML that is none. */
function harden(
  file: ListedFile,
  source: Buffer,
  { kind }: Classified,
  { view, budget, learned, settings }: Workbench,
): HardenedPage | undefined {
  const syntax = kind === "xhtml" ? "xml" : "html";
  const { charset } = settings;
  const context = {
    path: file.path.replace(/\/index\.html$/, "/"),
    view,
    budget,
    learned: learnedOf(learned, file.path),
    settings,
    syntax,
  } as const;
  try {
    const options = { syntax, links: false, ...(charset === undefined ? {} : { charset }) } as const;
    return hardenOutline(outlinePage(source, options), context, hardenedBuffer);
  } catch (cause) {
    if (isCurtainwallError(cause, "HTML_XML_MALFORMED")) return undefined;
    if (!isCurtainwallError(cause) || !cause.code.startsWith("HTML_")) throw cause;
    const hint = cause.hint ?? "Look at the file, or leave it out";
    const message = `${shown(file.path)} can't be read as a page: ${cause.message}`;
    throw hardenError("HARDEN_PAGE_UNREADABLE", message, { hint, cause });
  }
}
