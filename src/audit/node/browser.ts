import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, CDPSession, Page, Response } from "playwright-core";
import { isLoopbackHost } from "../../contract/index.ts";
import type { BrowserProbe, PageRewrite, PageVisit, Visitor } from "../probes/probe.ts";
import { openBrowserProxy } from "./browser-proxy.ts";
import { noteRequests, sendOnce } from "./browser-requests.ts";
import type { NotedRequests } from "./browser-requests.ts";
import { launchBrowser } from "./launch-browser.ts";
import type { LaunchedBrowser } from "./launch-browser.ts";
import { renewBrowser } from "./renewed-browser.ts";

/** Options of {@link openBrowser}. */
export interface BrowserOptions {
  executablePath: string;
  target: URL;
  /** SHA-256 of the target's public key, base64: the one certificate that the browser accepts beyond the system's. */
  spkiSha256: string;
  /** What pages may ask for on this machine and in its networks, beside the target and what is visited. Default: nothing. */
  origins?: readonly string[];
  /** Memory that it may take, in bytes: then it is ended, and started anew for the next visit, three times. Default 1.5 GiB, on Linux alone. */
  maxBytes?: number;
}

/** A {@link BrowserProbe} to close. */
export interface OpenBrowser extends BrowserProbe {
  close(): Promise<void>;
}

const timeoutMs = 15_000;
/** Pages of our examples take a tenth of it. */
const mostBytes = 1536 * 1_048_576;
const maxViolations = 50;

/**
 * Starts Chromium, with a profile of its own and one way out, which leads to nothing of this machine or its networks but what is the target's.
 *
 * @throws {CurtainwallError} `AUDIT_TARGET_UNREACHABLE` when playwright-core is not installed or the browser does not start.
 */
export async function openBrowser({
  executablePath,
  target,
  spkiSha256,
  origins = [],
  maxBytes = mostBytes,
}: BrowserOptions): Promise<OpenBrowser> {
  const proxy = await openBrowserProxy();
  for (const origin of [target.origin, ...origins]) proxy.allow(new URL(origin));
  const start = async (): Promise<Visiting> => {
    const launched = await launchBrowser({
      executablePath,
      proxyPort: proxy.port,
      spkiSha256,
      maxBytes,
      isOwn: isLoopbackHost(target.hostname),
    });
    return { ...launched, plainly: createPlainVisits(launched.browser) };
  };
  const first = await start().catch((error: unknown) => {
    proxy.close();
    throw error;
  });
  const renewed = renewBrowser(first, start, maxBytes);
  return {
    version: `Chromium ${first.browser.version()}`,
    visit: async (path, rewrite, visitor) => {
      const url = new URL(path, target);
      proxy.allow(url);
      const { result, refused } = await proxy.during(() =>
        renewed.use(path, ({ browser, plainly }) =>
          rewrite === undefined && visitor === undefined
            ? plainly(url)
            : visit(
                browser,
                url,
                rewrite,
                url.origin === target.origin ? visitor : { ...visitor, headers: {} },
              ),
        ),
      );
      return { ...result, refused };
    },
    close: () => renewed.close().finally(() => proxy.close()),
  };
}

interface Visiting extends LaunchedBrowser {
  readonly plainly: (url: URL) => Promise<OpenedPage>;
}

/** What is seen of a page beside what the proxy refuses it. */
type OpenedPage = Omit<PageVisit, "refused">;

interface PlainTab {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly devtools: CDPSession;
  readonly violations: string[];
  readonly requests: NotedRequests;
}

/**
 * Visits pages as they are, one after another in one tab: a context for each costs several times what the page does. What an earlier one kept is
 * taken away.
 */
function createPlainVisits(browser: Browser): (url: URL) => Promise<OpenedPage> {
  let tab: Promise<PlainTab> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const go = async (url: URL): Promise<OpenedPage> => {
    const { page, devtools, violations, requests } = await (tab ??= openTab(browser));
    await devtools.send("Storage.clearDataForOrigin", { origin: url.origin, storageTypes: "all" });
    await devtools.send("Network.clearBrowserCache");
    violations.length = 0;
    requests.clear();
    return requests.during(async () => {
      const response = await page.goto(url.href, { waitUntil: "load", timeout: timeoutMs });
      const marks = marksOf(await readMark(devtools, isStill(response) ? stillMs : settleMs));
      return { status: response?.status(), violations: [...violations], marks, asked: [...requests.asked] };
    });
  };
  return (url) => {
    const visited = last.then(() => go(url));
    last = visited.catch(async () => {
      const broken = tab;
      tab = undefined;
      await broken?.then(({ context }) => context.close()).catch(() => undefined);
    });
    return visited;
  };
}

async function openTab(browser: Browser): Promise<PlainTab> {
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  const violations = await listen(devtools);
  await page.addInitScript(marking);
  return { context, page, devtools, violations, requests: await noteRequests(context, devtools) };
}

const marksOf = (text: string): string[] => text.split(" ").filter((name) => name !== "");

/** One page in a context of its own: no cache, no storage of an earlier visit. */
async function visit(
  browser: Browser,
  url: URL,
  rewrite: PageRewrite | undefined,
  { headers = {}, hasSeen, clicks = false }: Visitor = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ serviceWorkers: "block" });
  try {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    const violations = await listen(devtools);
    await page.addInitScript(marking);
    const { asked, during } = await noteRequests(context, devtools);
    if (rewrite !== undefined) await replaceAnswer(page, url, rewrite);
    else if (Object.keys(headers).length > 0) await sendOnce(devtools, url, headers);
    return await during(async () => {
      const response = await page.goto(url.href, { waitUntil: "load", timeout: timeoutMs });
      if (hasSeen !== undefined) await waitUntil(() => hasSeen(asked));
      if (rewrite?.click !== undefined) await clickOn(page, rewrite.click);
      if (clicks) await devtools.send("Runtime.evaluate", { expression: clickScripts });
      const marks = marksOf(await readMark(devtools, isStill(response) ? stillMs : settleMs));
      return { status: response?.status(), violations, marks, asked };
    });
  } finally {
    await context.close();
  }
}

/** What {@link markCall} calls. Frames mark the page that they are in. */
const marking = `globalThis.cwMark = (mark) => {
  let seen = document;
  try { seen = top.document; } catch {}
  seen.documentElement.dataset.curtainwallMark = (seen.documentElement.dataset.curtainwallMark || "") + " " + mark.source;
};`;

/** Says nothing of what the page made of it. */
const clickScripts =
  "try { for (const link of document.querySelectorAll('a[href^=\"javascript:\" i]')) link.click(); } catch {} void 0";

/** How long is waited for what a page does. */
const patienceMs = 3000;

async function waitUntil(isDone: () => boolean): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!isDone() && performance.now() < end) await sleep(25);
}

/** Listens to the browser's own report, which comes for workers and for what runs before any script of ours too. */
async function listen(devtools: CDPSession): Promise<string[]> {
  const violations: string[] = [];
  devtools.on("Audits.issueAdded", ({ issue }) => {
    const details = issue.details.contentSecurityPolicyIssueDetails;
    if (details === undefined || violations.length >= maxViolations) return;
    violations.push(
      `${details.violatedDirective} ${details.blockedURL ?? details.contentSecurityPolicyViolationType}`,
    );
  });
  await devtools.send("Audits.enable");
  return violations;
}

/** A page may write there whatever it likes, as much as it likes. */
const maxMarkLength = 4096;
const markOf = `(document.documentElement.dataset.curtainwallMark ?? "").slice(0, ${maxMarkLength})`;
/** Two frames, so that what an event handler does has happened. */
const markOfSettled = `new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(${markOf}), 20)))`;
/** How long to wait for those frames. */
const settleMs = 2000;
const stillMs = 100;

/** Where scripts are not allowed at all, as in a bare 404, nothing calls back. */
function isStill(response: Response | null): boolean {
  const policy = response?.headers()["content-security-policy"] ?? "";
  return /(?:^|[;,\n])\s{0,9}sandbox(?![^;,\n]{0,500}allow-scripts)/i.test(policy);
}

/** The mark that injected scripts left, once the page has settled, or has had the time to. */
async function readMark(devtools: CDPSession, patience: number): Promise<string> {
  const settled = evaluate(devtools, markOfSettled);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patience);
  });
  // After a time-out nobody waits for it, and it fails when the page is closed.
  settled.catch(() => {});
  try {
    return (await Promise.race([settled, late])) ?? (await evaluate(devtools, markOf));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks the page something through the debugger, which no policy applies to and which therefore adds no violation; beside the page's own scripts, which might have put
 * something else in the place of what is used here.
 */
async function evaluate(devtools: CDPSession, expression: string): Promise<string> {
  const { frameTree } = await devtools.send("Page.getFrameTree");
  const { executionContextId } = await devtools.send("Page.createIsolatedWorld", {
    frameId: frameTree.frame.id,
    worldName: "curtainwall",
  });
  const { result } = await devtools.send("Runtime.evaluate", {
    expression,
    contextId: executionContextId,
    awaitPromise: true,
    returnByValue: true,
  });
  return String(result.value);
}

async function replaceAnswer(page: Page, url: URL, { headers, html }: PageRewrite): Promise<void> {
  const kept = headers.filter(
    ([name]) => !["content-length", "content-encoding", "transfer-encoding"].includes(name),
  );
  const fields: Record<string, string> = {};
  for (const [name, value] of kept)
    fields[name] =
      fields[name] === undefined ? value : `${fields[name]}${name === "set-cookie" ? "\n" : ", "}${value}`;
  // What is asked for has no fragment.
  const address = new URL(url);
  address.hash = "";
  await page.route(address.href, (route) => route.fulfill({ status: 200, headers: fields, body: html }), {
    times: 1,
  });
}

/** Dispatched rather than clicked with the mouse: the target may lie under something. */
async function clickOn(page: Page, selector: string): Promise<void> {
  await page.locator(selector).first().dispatchEvent("click", undefined, { timeout: 2000 });
}
