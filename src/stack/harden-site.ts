import { isUtf8 } from "node:buffer";
import {
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Header } from "../contract/index.ts";
import type { HardenErrorCode, LeakGate, LeakHit, Review, SiteReport } from "../harden/index.ts";
import { freshFolder, hardenFolder, makeFolder, replaceFolder, written } from "../harden/node.ts";
import type { HardenedFile, HardenedFolder, HardenFolderOptions } from "../harden/node.ts";
import { emitHost, hostLimits } from "../hosts/index.ts";
import type { Emission, HostName, Placement } from "../hosts/index.ts";
import { CurtainwallError } from "../shared/index.ts";
import { compressSite } from "./compress-site.ts";
import type { SiteEncodings } from "./compress-site.ts";
import { assertNoLeaks } from "./leak-gate.ts";
import type { SiteLock } from "./site-lock.ts";
import { assertApproved, recordFirstRun } from "./site-lock.ts";

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

/** Hosts' files name the site. Until it is known, they are for a look on the developer's own machine. */
const trialOrigin = "https://localhost";

/** Marks a folder as one that this command made, and so may replace. */
const manifestName = "curtainwall-site.json";
const manifestFormat = "curtainwall-site 1";

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
    const notes = lay(fresh, hardened, encodings, options);
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

/**
 * Compares the scripts with the lock.
 *
 * @throws {CurtainwallError} `HARDEN_SCRIPT_UNAPPROVED`
 */
export function reviewScripts(
  { folder, lock, plan }: Pick<HardenSiteOptions, "folder" | "lock" | "plan">,
  files: readonly HardenedFile[],
  blobs: string,
): Review | undefined {
  if (lock === undefined) return undefined;
  const review = lock.open.provenance.finish(scriptReader(files, blobs));
  if (plan === true) return review;
  assertApproved(review, { folder, frozen: lock.frozen, words: lock.words });
  if (!lock.frozen) recordFirstRun(lock.open, review, lock.day);
  return review;
}

/** Reads the scripts of a hardened folder by their paths, in the charset that they are sent with. */
export function scriptReader(files: readonly HardenedFile[], blobs: string): (path: string) => string {
  const digests = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  return (path) => {
    const bytes = readFileSync(join(blobs, digests.get(path) ?? ""));
    return new TextDecoder(isUtf8(bytes) ? "utf-8" : "windows-1252").decode(bytes);
  };
}

/**
 * Sends every file through the leak gate. After the hardening, not within: the values that it looks for stay in this thread.
 *
 * @throws {CurtainwallError} `HARDEN_LEAK_FOUND`
 */
export async function inspectAll(
  { gate, onProgress }: Pick<HardenSiteOptions, "gate" | "onProgress">,
  addresses: readonly HardenedFile[],
  blobs: string,
): Promise<void> {
  if (gate === undefined) return;
  const files = uniqueBy(addresses, ({ source }) => source);
  const hits: LeakHit[] = [];
  for (const [index, { source, sha256 }] of files.entries()) {
    hits.push(...gate.inspect({ path: source, bytes: readFileSync(join(blobs, sha256)) }));
    if (index % 64 !== 0) continue;
    onProgress?.("inspecting", index, files.length);
    await setImmediate();
  }
  assertNoLeaks([...hits, ...gate.finish()]);
}

/** Lays the site out as its host wants it; returns what the operator should know. */
function lay(
  fresh: string,
  hardened: HardenedFolder,
  encodings: SiteEncodings,
  { host, origin, place: at }: HardenSiteOptions,
): readonly string[] {
  const digests = new Map(hardened.files.map((file) => [file.path, file.sha256]));
  const blob = (path: string, encoding: Placement["encoding"]): string => {
    const plain = digests.get(path) ?? "";
    const form = encodings.get(plain)?.find((candidate) => candidate.encoding === encoding);
    return join(fresh, "blobs", form?.sha256 ?? plain);
  };
  const emission = host === undefined ? undefined : emit(host, hardened, encodings, { origin, place: at });
  const placements =
    emission?.placements ??
    uniqueBy(hardened.files, ({ source }) => source).map(({ source, path }) => ({
      file: `site/${source}`,
      path,
      encoding: "identity" as const,
    }));
  for (const { file, path, encoding } of placements) {
    const place = join(fresh, file);
    if (place === blob(path, encoding)) continue;
    makeFolder(dirname(place));
    linkOrCopy(blob(path, encoding), place);
  }
  for (const { path, text } of emission?.files ?? []) {
    makeFolder(dirname(join(fresh, path)));
    written(() => writeFileSync(join(fresh, path), text));
  }
  if (!placements.some(({ file }) => file.startsWith("blobs/")))
    rmSync(join(fresh, "blobs"), { recursive: true, force: true });
  written(() => writeManifest(join(fresh, manifestName), hardened, origin));
  return [
    ...(host !== undefined && origin === undefined
      ? [
          `It is written for ${trialOrigin}, to be tried out. For the site's own name say  --origin https://www.example.com`,
        ]
      : []),
    ...(emission?.notes ?? []),
  ];
}

/** Equal bytes lie on the disk once, where the file system knows links. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    written(() => copyFileSync(from, to));
  }
}

function uniqueBy<T>(list: readonly T[], key: (entry: T) => string): T[] {
  return [...new Map(list.map((entry) => [key(entry), entry])).values()];
}

function emit(
  host: HostName,
  { files, notFound }: HardenedFolder,
  encodings: SiteEncodings,
  { origin, place = {} }: Pick<HardenSiteOptions, "origin" | "place">,
): Emission {
  const site = {
    origin: origin ?? trialOrigin,
    files: files.map((file) => ({ ...file, encodings: encodings.get(file.sha256) ?? [] })),
    ...(notFound === undefined ? {} : { notFound }),
  };
  return emitHost(host, site, { nginx: place, caddy: place });
}

/**
 * Writes every address with its digest and headers, an entry a line. Pages share most of their headers: each set stands there once.
 * Line by line, since all of it at once would be the largest thing in memory.
 */
function writeManifest(place: string, { files, notFound }: HardenedFolder, origin: string | undefined): void {
  const sets = new Map<readonly Header[], number>();
  for (const { headers } of files) if (!sets.has(headers)) sets.set(headers, sets.size);
  const fd = openSync(place, "w");
  try {
    const head = JSON.stringify({ format: manifestFormat, origin, notFound }).slice(0, -1);
    writeSync(fd, `${head},\n"headerSets":[`);
    writeEach(fd, sets.keys(), (headers) => headers);
    writeSync(fd, '],\n"files":[');
    writeEach(fd, files, ({ path, source, sha256, bytes, headers }) => ({
      path,
      source,
      sha256,
      bytes,
      headers: sets.get(headers),
    }));
    writeSync(fd, "]}\n");
  } finally {
    closeSync(fd);
  }
}

function writeEach<T>(fd: number, list: Iterable<T>, entry: (value: T) => unknown): void {
  let separator = "\n";
  for (const value of list) {
    writeSync(fd, separator + JSON.stringify(entry(value)));
    separator = ",\n";
  }
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
  const manifest = join(out, manifestName);
  if (existsSync(manifest) && readFileSync(manifest, "utf8").includes(manifestFormat)) return;
  throw refused(
    `${out} holds something that this command did not make.`,
    "It would be replaced as a whole: choose an empty folder with --out",
  );
}

function refused(message: string, hint: string): CurtainwallError<HardenErrorCode> {
  return new CurtainwallError("HARDEN_OUTPUT_REFUSED", message, { hint });
}
