import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { Observation } from "../../learn/observation.ts";
import type { LearnedSite } from "../../learn/learned-site.ts";
import { mergeLearned } from "../../learn/merge-learned.ts";
import { proposeLearned } from "../../learn/propose.ts";
import type { Proposal } from "../../learn/propose.ts";
import { isAllowedAddress } from "../../page/script-allowed.ts";
import type { AllowedScript } from "../../page/script-allowed.ts";
import { encodePath } from "../../site/site-view.ts";
import { hardenError } from "../harden-error.ts";
import { hardenFolder } from "../harden-folder.ts";
import type { HardenedFile, HardenedFolder } from "../harden-folder.ts";
import type { FetchScript } from "./fetch-script.ts";
import { openChromium } from "./open-chromium.ts";
import { visitPage } from "./visit.ts";
import type { Act, SearchForm } from "./visit.ts";
import { serveWatched } from "./watched-server.ts";
import type { FileReport, SiteBehind, WatchedServer } from "./watched-server.ts";

/** Options of {@link learnFolder}. */
export interface LearnFolderOptions extends TourOptions {
  /** What a generator wrote. It is only read. */
  readonly folder: string;
  /** Folders outside of `folder` into which its links may lead. Default none. */
  readonly follow?: readonly string[];
}

/** How a site is visited. */
export interface TourOptions {
  /** Path of Chromium. */
  readonly executablePath: string;
  /** Done on each page beside what every visitor does. */
  readonly act?: Act | undefined;
  /** Pages visited, at least 1; of more, every n-th. Default 1 000. */
  readonly maxPages?: number;
  /** Time for all visits, in seconds, at least 1. Default 900. */
  readonly maxSeconds?: number;
  /** Pages open at once, at least 1. Default 3. */
  readonly concurrency?: number;
  /** What earlier runs have shown: it is added to, and what it allows already is not seen again. Default nothing. */
  readonly learned?: LearnedSite | undefined;
  /** Scripts of other sites that scripts of the pages may add. Default none. */
  readonly allowScripts?: readonly AllowedScript[] | undefined;
  /**
   * Gets the scripts of other sites that pages load, so that it is seen what they do. Default: nothing is asked for, and pages that load one
   * are not learned.
   */
  readonly fetchScript?: FetchScript | undefined;
  readonly onProgress?: (step: "reading" | "hardening" | "visiting", done: number, total: number) => void;
}

/** What was learned of a folder. */
export interface LearnedFolder extends Proposal {
  /** Pages of the site. */
  readonly pages: number;
  readonly visited: number;
  /** Pages that could not be visited, whose time was up, or of which a script of another site could not be loaded. They are not learned. */
  readonly failed: readonly { readonly page: string; readonly reason: string }[];
}

/** Browsers ask for it by themselves, when they like: no page needs it, and a page that wants it says so. */
const ownIcon = "/favicon.ico";

const visitTimeoutMs = 30_000;
const maxSearches = 10;

/**
 * Runs a site in Chromium under the policies that it would have if nothing were left open, and tells what they would have refused:
 * as exact sources where that may be allowed, as findings where not. Nothing that the site does leaves this machine.
 *
 * @throws {CurtainwallError} `HARDEN_BROWSER_MISSING`, `HARDEN_LEARN_FAILED` when no page could be visited, or one of the codes of
 *   `hardenFolder`
 */
export async function learnFolder(options: LearnFolderOptions): Promise<LearnedFolder> {
  return withScratch((scratch) => learnIn(scratch, options.folder, options, options.follow));
}

/** Runs something with a folder that is gone afterwards, even if whoever interrupts it ends this program where it stands. */
export async function withScratch<T>(run: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = mkdtempSync(join(tmpdir(), "curtainwall-learn-"));
  const clean = (): void => rmSync(scratch, { recursive: true, force: true });
  process.once("exit", clean);
  try {
    return await run(scratch);
  } finally {
    process.removeListener("exit", clean);
    clean();
  }
}

/** Hardens a folder as if nothing were left open, and visits it. */
export async function learnIn(
  scratch: string,
  folder: string,
  options: TourOptions,
  follow?: readonly string[],
  behind?: SiteBehind,
): Promise<LearnedFolder> {
  const blobs = join(scratch, "blobs");
  const hardened = await hardenFolder({
    folder,
    blobs,
    ...(follow === undefined ? {} : { follow }),
    learned: { pages: options.learned?.pages ?? new Map(), others: new Map() },
    allowScripts: options.allowScripts,
    onProgress: (done, total) => options.onProgress?.("hardening", done, total),
  });
  return learnHardened(hardened, blobs, options, behind);
}

async function learnHardened(
  hardened: HardenedFolder,
  blobs: string,
  options: TourOptions,
  behind: SiteBehind | undefined,
): Promise<LearnedFolder> {
  const observations: Observation[] = [];
  const onReport = (report: FileReport): void => {
    // Pages tell of their styles themselves, and know the text.
    if (report.blocked !== "inline") observations.push({ ...report, page: report.file, hash: undefined });
  };
  const server = await serveWatched(hardened, blobs, onReport, behind);
  let browser: Browser | undefined;
  try {
    browser = await openChromium(options.executablePath, server.port);
    const all = pagesOf(hardened, behind?.addresses);
    const isAwaited = createIsAwaited(hardened, options);
    const tour = await makeTour(browser, server, everyNth(all, options.maxPages ?? 1_000), {
      ...options,
      isAwaited,
      fetchScript: fetchAwaited(options.fetchScript, isAwaited),
    });
    const seen = [...observations, ...tour.observations]
      .map((observation) => asOwn(observation, behind?.site.origin, server.origin))
      .filter(({ blocked }) => blocked !== server.origin + ownIcon);
    const proposal = merge(proposeLearned(seen, tour.visited, server.origin), all, options);
    return { ...proposal, pages: all.length, visited: tour.visited.length, failed: tour.failed };
  } finally {
    await browser?.close();
    await server.close();
  }
}

function merge(now: Proposal, pages: readonly PagePath[], { learned, allowScripts }: TourOptions): Proposal {
  if (learned === undefined) return now;
  const files = new Set(pages.map(({ file }) => file));
  return mergeLearned(learned, now, files, (url) => isAllowedAddress(allowScripts ?? [], url));
}

/** A running site names itself by its origin, and runs here at another. */
function asOwn(observation: Observation, origin: string | undefined, here: string): Observation {
  const url = origin === undefined ? null : URL.parse(observation.blocked);
  if (url === null || url.origin !== origin) return observation;
  return { ...observation, blocked: here + url.pathname + url.search };
}

/** Scripts of other sites that policies let run: the rest is blocked, whether it arrives or not. */
function createIsAwaited(
  { report }: HardenedFolder,
  { allowScripts = [] }: TourOptions,
): (url: string) => boolean {
  const named = report.foreign.filter(({ kind }) => kind === "script").map(({ url }) => ({ address: url }));
  const all = [...named, ...allowScripts];
  return (url) => isAllowedAddress(all, url);
}

/** Only what a policy lets run is asked for, once each. */
function fetchAwaited(
  fetchScript: FetchScript | undefined,
  isAwaited: (url: string) => boolean,
): FetchScript | undefined {
  if (fetchScript === undefined) return undefined;
  const answers = new Map<string, ReturnType<FetchScript>>();
  return async (url) => {
    const known = answers.get(url);
    if (known !== undefined) return known;
    if (!isAwaited(url) || answers.size >= maxFetched) return undefined;
    const answer = fetchScript(url);
    answers.set(url, answer);
    return answer;
  };
}

/** Addresses of one tour. */
const maxFetched = 200;

/** A page's file and the path under which visitors know it. */
interface PagePath {
  readonly file: string;
  readonly path: string;
}

function pagesOf({ files }: HardenedFolder, addresses: ReadonlyMap<string, string> = new Map()): PagePath[] {
  const isPage = ({ headers }: HardenedFile): boolean =>
    headers.some(([name, value]) => name === "content-type" && /html/.test(value));
  const byFile = new Map<string, PagePath>();
  for (const file of files.filter(isPage)) {
    const known = byFile.get(file.source);
    if (known === undefined || file.path.endsWith("/"))
      byFile.set(file.source, { file: `/${file.source}`, path: file.path });
  }
  for (const [file, path] of addresses)
    if (byFile.has(file.slice(1))) byFile.set(file.slice(1), { file, path });
  return [...byFile.values()].sort((left, right) => (left.file < right.file ? -1 : 1));
}

/** A sample that is the same each time, and of all parts of the site. */
function everyNth<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, index) => list[Math.floor((index * list.length) / most)] as T);
}

interface TourPlan extends TourOptions {
  readonly isAwaited: (url: string) => boolean;
}

interface Tour {
  readonly observations: Observation[];
  readonly visited: string[];
  readonly failed: { readonly page: string; readonly reason: string }[];
}

async function makeTour(
  browser: Browser,
  server: WatchedServer,
  pages: readonly PagePath[],
  { act, fetchScript, isAwaited, maxSeconds = 900, concurrency = 3, onProgress }: TourPlan,
): Promise<Tour> {
  const deadline = performance.now() + maxSeconds * 1_000;
  const observations: Observation[] = [];
  const visited = new Set<string>();
  const failed = new Map<string, string>();
  const searches = new Map<string, SearchForm & { readonly from: string; readonly word: string }>();
  let done = 0;

  async function visit({ file, path }: PagePath): Promise<void> {
    if (performance.now() > deadline) return void failed.set(file, "the time was up");
    try {
      const url = server.origin + path;
      const seen = await visitPage({
        browser,
        url,
        act,
        fetchScript,
        fileOf: server.fileOf,
        timeoutMs: visitTimeoutMs,
      });
      observations.push(...seen.observations);
      visited.add(file);
      const lost = seen.lostScripts.find(isAwaited);
      if (lost !== undefined) failed.set(file, `not learned: a script could not be loaded: ${lost}`);
      for (const form of seen.searches) {
        const key = JSON.stringify([form.path, form.name]);
        const known = searches.get(key);
        if (known === undefined || file < known.from)
          searches.set(key, { ...form, from: file, word: seen.word });
      }
    } catch (error) {
      // A browser that is gone will visit nothing more.
      if (!browser.isConnected()) throw failure("The browser ended", error);
      failed.set(file, firstLine(error));
    }
    onProgress?.("visiting", ++done, pages.length);
  }

  await inTurns(
    pages.map(({ file, path }) => ({ file, path: encodePath(path) })),
    concurrency,
    visit,
  );
  if (visited.size === 0 && pages.length > 0)
    throw failure("No page could be visited", [...failed.values()][0]);
  // The addresses that the site's own searches lead to. The forms themselves are never sent.
  const asked = [...searches].sort(([left], [right]) => (left < right ? -1 : 1)).slice(0, maxSearches);
  const results = asked.flatMap(([, { path, name, word }]): PagePath[] => {
    const file = server.fileOf(path);
    return file === undefined
      ? []
      : [{ file, path: `${path}?${new URLSearchParams({ [name]: word }).toString()}` }];
  });
  await inTurns(results, concurrency, visit);
  return {
    observations,
    visited: [...visited].filter((file) => !failed.has(file)).sort(),
    failed: [...failed]
      .map(([page, reason]) => ({ page, reason }))
      .sort((left, right) => (left.page < right.page ? -1 : 1)),
  };
}

async function inTurns<T>(
  list: readonly T[],
  width: number,
  work: (entry: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < list.length) await work(list[next++] as T);
  };
  await Promise.all(Array.from({ length: Math.min(width, list.length) }, lane));
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";

function failure(what: string, error: unknown): Error {
  return hardenError("HARDEN_LEARN_FAILED", `${what}: ${firstLine(error)}.`, {
    hint: "Try the browser by itself, or name another:  --browser /usr/bin/chromium",
    cause: error,
  });
}
