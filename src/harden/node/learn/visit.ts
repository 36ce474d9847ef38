import { createHash, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import type { Observation } from "../../learn/observation.ts";
import { actScript, bindingName, followScript, formsScript, watchScript, wordScript } from "./in-page.ts";
import type { FetchScript } from "./fetch-script.ts";
import { collectStyleHashes, withStyleHashes } from "./style-hashes.ts";

/** What a visitor of the site's own making does on a page: clicks, fills in, waits. */
export type Act = (visit: { readonly page: Page; readonly path: string }) => Promise<void>;

/** A visit to make. */
export interface VisitOptions {
  readonly browser: Browser;
  readonly url: string;
  readonly act: Act | undefined;
  /** Gets the scripts of other sites that the page loads. Undefined: they don't arrive. */
  readonly fetchScript: FetchScript | undefined;
  /** The file that a path leads to. */
  readonly fileOf: (pathname: string) => string | undefined;
  readonly timeoutMs: number;
}

/** A search of the site: an address that takes a word. */
export interface SearchForm {
  readonly path: string;
  readonly name: string;
}

/** What a visit showed. */
export interface Visit {
  readonly observations: readonly Observation[];
  readonly searches: readonly SearchForm[];
  readonly word: string;
  /** Addresses of scripts of other sites that did not arrive, so that nobody saw what the page does with them. */
  readonly lostScripts: readonly string[];
}

const maxObservations = 2_000;

/** Opens a page as a first-time visitor, does what a visitor does, and tells what its policy would have refused. */
export async function visitPage(options: VisitOptions): Promise<Visit> {
  const { browser, timeoutMs } = options;
  const context = await browser.newContext({ acceptDownloads: false, reducedMotion: "reduce" });
  const gone = new AbortController();
  const late = pause(timeoutMs, undefined, { signal: gone.signal }).then(
    () => Promise.reject(new Error(`it took longer than ${timeoutMs / 1000} seconds`)),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([look(context, options), late]);
  } finally {
    gone.abort();
    await context.close();
  }
}

async function look(context: BrowserContext, options: VisitOptions): Promise<Visit> {
  const { url, act, fetchScript, fileOf, timeoutMs } = options;
  const observations: Observation[] = [];
  const token = randomUUID();
  await context.exposeBinding(bindingName, (_, seen: unknown) => {
    const observation = read(seen, token, fileOf);
    if (observation !== undefined && observations.length < maxObservations) observations.push(observation);
  });
  await context.addInitScript(watchScript(token));
  if (fetchScript !== undefined) await answerScripts(context, new URL(url).origin, fetchScript);
  const quiet = createQuiet(context);
  const page = await context.newPage();
  const styles = collectStyleHashes(page, fileOf);
  const lost = collectLostScripts(page, new URL(url).origin);
  context.on("page", (other) => void other.close().catch(() => undefined));
  page.on("dialog", (dialog) => void dialog.dismiss().catch(() => undefined));
  await page.goto(url, { waitUntil: "load", timeout: timeoutMs });
  await quiet();
  const searches = (await step(page.evaluate<SearchForm[]>(formsScript))) ?? [];
  const word = (await step(page.evaluate<string>(wordScript))) ?? "";
  await step(page.evaluate(actScript));
  await act?.({ page, path: new URL(url).pathname });
  await quiet();
  await followLinks(page, quiet);
  return {
    observations: withStyleHashes(observations, styles),
    searches,
    word,
    lostScripts: [...lost].sort(),
  };
}

/** Hands out scripts of other sites that were got from there. Everything else goes the way it went: to the proxy, which refuses it. */
async function answerScripts(context: BrowserContext, own: string, fetchScript: FetchScript): Promise<void> {
  await context.route(
    (url) => url.origin !== own,
    async (route) => {
      const request = route.request();
      const isScript = request.resourceType() === "script" && request.method() === "GET";
      const script = isScript ? await fetchScript(request.url()) : undefined;
      if (script === undefined) return route.continue();
      return route.fulfill({
        contentType: script.contentType,
        headers: { "access-control-allow-origin": "*" },
        body: Buffer.from(script.bytes),
      });
    },
  );
}

const maxLost = 20;

/**
 * Nothing leaves this machine while a site is learned: what a script of another site would have done is not seen. What was asked for once
 * the document had given way to another is that one's, whenever it fails.
 */
function collectLostScripts(page: Page, origin: string): ReadonlySet<string> {
  const lost = new Set<string>();
  const own = new WeakSet<Request>();
  let documents = 0;
  let isComing = false;
  page.on("framenavigated", (frame) => {
    if (frame !== page.mainFrame() || !isComing) return;
    isComing = false;
    documents++;
  });
  page.on("request", (request) => {
    isComing ||= request.isNavigationRequest() && request.frame() === page.mainFrame();
    if (documents <= 1) own.add(request);
  });
  const take = (request: Request): void => {
    const isForeign = request.resourceType() === "script" && URL.parse(request.url())?.origin !== origin;
    if (isForeign && own.has(request) && lost.size < maxLost) lost.add(request.url().slice(0, 200));
  };
  page.on("requestfailed", take);
  page.on("response", (response) => {
    if (response.status() >= 400) take(response.request());
  });
  return lost;
}

const maxFollowed = 8;

/**
 * Follows a link; and more of them as long as the document stays: an application changes by script what it shows, under the policy of the
 * page that it began with.
 */
async function followLinks(page: Page, quiet: () => Promise<void>): Promise<void> {
  let isLeft = false;
  page.on("request", (request) => {
    isLeft ||= request.isNavigationRequest() && request.frame() === page.mainFrame();
  });
  const seen = [new URL(page.url()).pathname];
  while (!isLeft && seen.length <= maxFollowed) {
    const path = await step(page.evaluate<string | undefined>(followScript(seen)));
    if (path === undefined) return;
    seen.push(path);
    await quiet();
  }
}

/** A page may leave while it is acted upon. */
async function step<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (/context was destroyed|navigation|closed/i.test(String(error))) return undefined;
    throw error;
  });
}

const quietMs = 150;
const longestQuietMs = 4_000;

/** Waits until no request was under way for a moment; a page that never rests is not waited for. */
function createQuiet(context: BrowserContext): () => Promise<void> {
  let under = 0;
  let since = performance.now();
  const count = (by: number) => (): void => {
    under = Math.max(0, under + by);
    since = performance.now();
  };
  context.on("request", count(1));
  context.on("requestfinished", count(-1));
  context.on("requestfailed", count(-1));
  return async () => {
    const began = performance.now();
    since = began;
    while (performance.now() - began < longestQuietMs && (under > 0 || performance.now() - since < quietMs))
      await pause(25);
  };
}

/** What a page says is checked like anything from outside. */
function read(seen: unknown, token: string, fileOf: VisitOptions["fileOf"]): Observation | undefined {
  if (typeof seen !== "object" || seen === null || !("token" in seen) || seen.token !== token)
    return undefined;
  const { loaded, directive, blocked, sample, style } = seen as Readonly<Record<string, unknown>>;
  if (typeof loaded !== "string" || typeof directive !== "string" || typeof blocked !== "string")
    return undefined;
  const page = fileOf(loaded);
  if (page === undefined) return undefined;
  return {
    page,
    directive,
    blocked,
    hash: typeof style === "string" ? createHash("sha256").update(style).digest("base64") : undefined,
    sample: typeof sample === "string" ? sample.slice(0, 40) : "",
  };
}
