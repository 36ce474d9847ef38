import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import type { HardenErrorCode, LeakGate, Review, SiteReport } from "../../harden/index.ts";
import { freshFolder, hardenFolder, replaceFolder } from "../../harden/node.ts";
import type { HardenedFile, HardenFolderOptions } from "../../harden/node.ts";
import { hostLimits } from "../../hosts/index.ts";
import type { HostName } from "../../hosts/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { compressSite } from "../releases/compress-site.ts";
import type { SiteEncodings } from "../releases/compress-site.ts";
import { inspectAll } from "../inspect/inspect-files.ts";
import { layOutSite } from "../releases/lay-out-site.ts";
import type { SiteLock } from "../lock/site-lock.ts";
import { reviewScripts } from "./review-scripts.ts";
import { isHardened } from "./write-site-manifest.ts";

/** Options of {@link hardenSite}. */
export interface HardenSiteOptions {
  /** What a generator wrote. It is only read. */
  readonly folder: string;
  /** Where the result goes, in place of the one before. */
  readonly out: string;
  /** The host that it is for. Without one the result is a plain folder and a manifest of headers. */
  readonly host?: HostName | undefined;
  /** Where it will lie on a server of one's own, and what that one's certificate is. Default: as the host's emitter says. */
  readonly place?: HostPlace | undefined;
  /** Where the site will be served from: `https://www.example.com`. */
  readonly origin?: string | undefined;
  /** Folders outside of `folder` into which its links may lead. */
  readonly follow?: readonly string[];
  /** Told of every script in every page, page by page, in no particular order. What it throws ends the hardening. */
  readonly onScript?: HardenFolderOptions["onScript"];
  /** What running the site has shown. */
  readonly learned?: HardenFolderOptions["learned"];
  /** Where browsers report what a page's policy refused: a path of the site, or an `https:` address. Default: nowhere. */
  readonly reports?: string | undefined;
  /** Why scripts may make code from strings, on the pages where they do. Without a reason they may not. */
  readonly insecureEval?: HardenFolderOptions["insecureEval"];
  /** Scripts of other sites that scripts of the pages may add. */
  readonly allowScripts?: HardenFolderOptions["allowScripts"];
  /** The charset that pages were served with until now, if their content-type headers named one. */
  readonly charset?: HardenFolderOptions["charset"];
  /** Where compressed forms are kept from one run to the next. Without one none are made; only nginx and Caddy send them. */
  readonly compressed?: string | undefined;
  /** What everything must pass that is published. */
  readonly gate?: LeakGate | undefined;
  /** Which scripts may run. A site that it does not know is recorded there, unless `frozen`. Without one, whatever the folder holds. */
  readonly lock?:
    | { readonly open: SiteLock; readonly frozen: boolean; readonly day: string; readonly words: string }
    | undefined;
  /** Only say what would be done. Default false. */
  readonly plan?: boolean;
  readonly onProgress?: (step: "hardening" | "inspecting" | "packing", done: number, total: number) => void;
}

/** Where a site lies on a server that runs nginx or Caddy. */
export interface HostPlace {
  /** Absolute. Default `/srv/curtainwall`. */
  readonly folder?: string;
  /** Absolute. Default: nginx finds it in `/etc/curtainwall`, Caddy gets one by itself. */
  readonly certificate?: { readonly chainFile: string; readonly keyFile: string };
}

/** A site that has been hardened. */
export interface HardenedSite {
  readonly report: SiteReport;
  readonly files: readonly HardenedFile[];
  /** Its scripts beside the lock's; undefined without one. */
  readonly review: Review | undefined;
  /** What the host's operator should know, a sentence each. */
  readonly notes: readonly string[];
}

/** What a host's headers can carry. Where it knows too few rules for one a page, all pages share the same header. */
function budgetOf(host: HostName | undefined): HardenFolderOptions["budget"] {
  if (host === undefined) return undefined;
  const { prudentValueLength, perPath, maxRules } = hostLimits[host];
  // A page and its folder are two rules, and other files need some too.
  return (pages) => ({ maxBytes: prudentValueLength, shared: !perPath || pages * 3 > maxRules });
}

/**
 * Hardens the output of any generator and puts the result, whole or not at all, in the place of the one before.
 *
 * @throws {CurtainwallError} one of `HardenErrorCode` or `HostsErrorCode`; `HARDEN_OUTPUT_REFUSED` when `out` holds something else
 */
export async function hardenSite(options: HardenSiteOptions): Promise<HardenedSite> {
  const out = resolve(options.out);
  if (options.plan !== true) assertReplaceable(out, resolve(options.folder));
  const fresh = freshFolder(out);
  try {
    const blobs = join(fresh, "blobs");
    const hardened = await hardenFolder({
      folder: options.folder,
      blobs,
      origin: options.origin,
      budget: budgetOf(options.host),
      ...(options.follow === undefined ? {} : { follow: options.follow }),
      learned: options.learned,
      reportTo: options.reports,
      insecureEval: options.insecureEval,
      allowScripts: options.allowScripts,
      charset: options.charset,
      onScript: (path, script) => {
        options.lock?.open.onScript(path, script);
        options.onScript?.(path, script);
      },
      onProgress: (done, total) => options.onProgress?.("hardening", done, total),
    });
    if (hardened.files.length === 0) throw nothingThere(options.folder);
    await inspectAll(options, hardened.files, blobs);
    const review = reviewScripts(options, hardened.files, blobs);
    const encodings = await compressFor(options, hardened.files, blobs);
    const notes = layOutSite(fresh, hardened, encodings, { ...options, out });
    if (options.plan !== true) replaceFolder(fresh, out);
    return { report: hardened.report, files: hardened.files, review, notes };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** A build that wrote nothing must not take the place of a site. */
function nothingThere(folder: string): CurtainwallError<HardenErrorCode> {
  return new CurtainwallError(
    "HARDEN_FOLDER_INVALID",
    `There is no file in ${folder} that would be published.`,
    {
      hint: "Did the build write elsewhere, or fail? Files and folders that begin with a dot are left out",
    },
  );
}

/** Only where the host sends forms that were made before: others compress themselves, and count files. */
async function compressFor(
  { host, compressed, plan, onProgress }: HardenSiteOptions,
  files: readonly HardenedFile[],
  blobs: string,
): Promise<SiteEncodings> {
  if (compressed === undefined || plan === true || (host !== "nginx" && host !== "caddy")) return new Map();
  return compressSite(files, blobs, compressed, (done, total) => onProgress?.("packing", done, total));
}

/** @throws {CurtainwallError} `HARDEN_OUTPUT_REFUSED` */
function assertReplaceable(out: string, folder: string): void {
  const inside = (inner: string, outer: string): boolean =>
    inner === outer || (!relative(outer, inner).startsWith("..") && !relative(outer, inner).startsWith(sep));
  if (inside(out, folder) || inside(folder, out))
    throw refused(`${out} and ${folder} lie inside each other.`, "Choose another folder with --out");
  if (!existsSync(out)) return;
  if (!statSync(out).isDirectory()) throw refused(`${out} is not a folder.`, "Choose another with --out");
  if (readdirSync(out).length === 0) return;
  if (isHardened(out)) return;
  throw refused(
    `${out} holds something that this command did not make.`,
    "It would be replaced as a whole: choose an empty folder with --out",
  );
}

function refused(message: string, hint: string): CurtainwallError<HardenErrorCode> {
  return new CurtainwallError("HARDEN_OUTPUT_REFUSED", message, { hint });
}
