import {
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Header } from "../contract/index.ts";
import type { HardenErrorCode, LeakGate, SiteReport } from "../harden/index.ts";
import { hardenFolder, makeFolder, replaceFolder } from "../harden/node.ts";
import type { HardenedFile, HardenedFolder, HardenFolderOptions } from "../harden/node.ts";
import { emitHost, hostLimits } from "../hosts/index.ts";
import type { Emission, HostName } from "../hosts/index.ts";
import { CurtainwallError } from "../shared/index.ts";
import { assertNoLeaks } from "./leak-gate.ts";

/** Options of {@link hardenSite}. */
export interface HardenSiteOptions {
  /** What a generator wrote. It is only read. */
  readonly folder: string;
  /** Where the result goes, in place of the one before. */
  readonly out: string;
  /** The host that it is for. Without one the result is a plain folder and a manifest of headers. */
  readonly host?: HostName | undefined;
  /** Where the site will be served from: `https://www.example.com`. */
  readonly origin?: string | undefined;
  /** Folders outside of `folder` into which its links may lead. */
  readonly follow?: readonly string[];
  /** What everything must pass that is published. */
  readonly gate?: LeakGate | undefined;
  /** Only say what would be done. Default false. */
  readonly plan?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

/** A site that has been hardened. */
export interface HardenedSite {
  readonly report: SiteReport;
  readonly files: readonly HardenedFile[];
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

/**
 * Hardens the output of any generator and puts the result, whole or not at all, in the place of the one before.
 *
 * @throws {CurtainwallError} one of `HardenErrorCode` or `HostsErrorCode`; `HARDEN_OUTPUT_REFUSED` when `out` holds something else
 */
export async function hardenSite(options: HardenSiteOptions): Promise<HardenedSite> {
  const out = resolve(options.out);
  if (options.plan !== true) assertReplaceable(out, resolve(options.folder));
  const fresh = join(dirname(out), `.${process.pid}.hardening`);
  rmSync(fresh, { recursive: true, force: true });
  try {
    const blobs = join(fresh, "blobs");
    const hardened = await hardenFolder({
      folder: options.folder,
      blobs,
      origin: options.origin,
      budget: budgetOf(options.host),
      ...(options.follow === undefined ? {} : { follow: options.follow }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
    if (options.gate !== undefined) inspectAll(options.gate, hardened.files, blobs);
    const notes = lay(fresh, hardened, options);
    if (options.plan !== true) replaceFolder(fresh, out);
    return { report: hardened.report, files: hardened.files, notes };
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/**
 * Sends every file through the leak gate. After the hardening, not within: the values that it looks for stay in this thread.
 *
 * @throws {CurtainwallError} `HARDEN_LEAK_FOUND`
 */
function inspectAll(gate: LeakGate, files: readonly HardenedFile[], blobs: string): void {
  const hits = uniqueBy(files, ({ source }) => source).flatMap(({ source, sha256 }) =>
    gate.inspect({ path: source, bytes: readFileSync(join(blobs, sha256)) }),
  );
  assertNoLeaks([...hits, ...gate.finish()]);
}

/** Lays the site out as its host wants it; returns what the operator should know. */
function lay(
  fresh: string,
  hardened: HardenedFolder,
  { host, origin }: HardenSiteOptions,
): readonly string[] {
  const digests = new Map(hardened.files.map((file) => [file.path, file.sha256]));
  const blob = (path: string): string => join(fresh, "blobs", digests.get(path) ?? "");
  const emission = host === undefined ? undefined : emit(host, hardened, origin);
  const placements =
    emission?.placements ??
    uniqueBy(hardened.files, ({ source }) => source).map(({ source, path }) => ({
      file: `site/${source}`,
      path,
    }));
  for (const { file, path } of placements) {
    const place = join(fresh, file);
    if (place === blob(path)) continue;
    makeFolder(dirname(place));
    linkOrCopy(blob(path), place);
  }
  for (const { path, text } of emission?.files ?? []) {
    makeFolder(dirname(join(fresh, path)));
    writeFileSync(join(fresh, path), text);
  }
  if (!placements.some(({ file }) => file.startsWith("blobs/")))
    rmSync(join(fresh, "blobs"), { recursive: true, force: true });
  writeFileSync(join(fresh, manifestName), manifestOf(hardened, origin));
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
    copyFileSync(from, to);
  }
}

function uniqueBy<T>(list: readonly T[], key: (entry: T) => string): T[] {
  return [...new Map(list.map((entry) => [key(entry), entry])).values()];
}

function emit(host: HostName, { files, notFound }: HardenedFolder, origin: string | undefined): Emission {
  return emitHost(host, {
    origin: origin ?? trialOrigin,
    files: files.map(({ path, headers, sha256 }) => ({ path, headers, sha256, encodings: [] })),
    ...(notFound === undefined ? {} : { notFound }),
  });
}

/** Every address with its digest and headers. Pages share most of their headers: each set stands there once. */
function manifestOf({ files, notFound }: HardenedFolder, origin: string | undefined): string {
  const sets: (readonly Header[])[] = [];
  const known = new Map<string, number>();
  const setOf = (headers: readonly Header[]): number => {
    const key = JSON.stringify(headers);
    const index = known.get(key) ?? sets.push(headers) - 1;
    known.set(key, index);
    return index;
  };
  const entries = files.map(({ path, source, sha256, bytes, headers }) => ({
    path,
    source,
    sha256,
    bytes,
    headers: setOf(headers),
  }));
  return `${JSON.stringify({ format: "curtainwall-site 1", origin, notFound, headerSets: sets, files: entries }, null, 1)}\n`;
}

/** @throws {CurtainwallError} `HARDEN_OUTPUT_REFUSED` */
function assertReplaceable(out: string, folder: string): void {
  const inside = (inner: string, outer: string): boolean =>
    inner === outer || (!relative(outer, inner).startsWith("..") && !relative(outer, inner).startsWith(sep));
  if (inside(out, folder) || inside(folder, out))
    throw refused(`${out} and ${folder} lie inside each other.`, "Choose another folder with --out");
  if (!existsSync(out) || readdirSync(out).length === 0) return;
  const manifest = join(out, manifestName);
  if (existsSync(manifest) && readFileSync(manifest, "utf8").includes('"curtainwall-site 1"')) return;
  throw refused(
    `${out} holds something that this command did not make.`,
    "It would be replaced as a whole: choose an empty folder with --out",
  );
}

function refused(message: string, hint: string): CurtainwallError<HardenErrorCode> {
  return new CurtainwallError("HARDEN_OUTPUT_REFUSED", message, { hint });
}
