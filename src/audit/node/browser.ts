import type { Browser, CDPSession, Page } from "playwright-core";
import { CurtainwallError } from "../../shared/index.ts";
import type { BrowserProbe, PageRewrite, PageVisit } from "../probe.ts";

/** Options of {@link openBrowser}. */
export interface BrowserOptions {
  executablePath: string;
  target: URL;
  /** SHA-256 of the target's public key, base64: the one certificate that the browser accepts beyond the system's. */
  spkiSha256: string;
}

/** A {@link BrowserProbe} to close. */
export interface OpenBrowser extends BrowserProbe {
  close(): Promise<void>;
}

const timeoutMs = 15_000;
const maxViolations = 50;

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts Chromium, with a profile of its own.
 *
 * @throws {CurtainwallError} `AUDIT_TARGET_UNREACHABLE` when playwright-core is not installed or the browser does not start.
 */
export async function openBrowser({
  executablePath,
  target,
  spkiSha256,
}: BrowserOptions): Promise<OpenBrowser> {
  const { chromium } = await import("playwright-core").catch((error: unknown) => {
    throw missing("playwright-core is not installed: npm install --save-dev playwright-core", error);
  });
  const browser = await chromium
    .launch({
      executablePath,
      args: [...flags, `--ignore-certificate-errors-spki-list=${spkiSha256}`],
      timeout: 30_000,
    })
    .catch((error: unknown) => {
      throw missing(`the browser at ${executablePath} did not start`, error);
    });
  return {
    version: `Chromium ${browser.version()}`,
    visit: (path, rewrite) => visit(browser, new URL(path, target), rewrite),
    close: () => browser.close(),
  };
}

const missing = (message: string, cause: unknown): CurtainwallError =>
  new CurtainwallError("AUDIT_TARGET_UNREACHABLE", message, { cause });

/** One page in a context of its own: no cache, no storage of an earlier visit. */
async function visit(browser: Browser, url: URL, rewrite: PageRewrite | undefined): Promise<PageVisit> {
  const context = await browser.newContext({ serviceWorkers: "block" });
  try {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    const violations = await listen(devtools);
    if (rewrite !== undefined) await replaceAnswer(page, url, rewrite);
    const response = await page.goto(url.href, { waitUntil: "load", timeout: timeoutMs });
    if (rewrite?.click !== undefined) await clickOn(page, rewrite.click);
    const mark = await readMark(devtools);
    return { status: response?.status(), violations, marks: mark.split(" ").filter((name) => name !== "") };
  } finally {
    await context.close();
  }
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

const markOf = "document.documentElement.dataset.curtainwallMark ?? ''";
/** Two frames, so that what an event handler does has happened. */
const markOfSettled = `new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(${markOf}), 20)))`;
/** How long to wait for those frames. */
const settleMs = 2000;

/** The mark that injected scripts left. A page in a sandbox without scripts, as a bare 404 is, calls nothing back: it is asked at once. */
async function readMark(devtools: CDPSession): Promise<string> {
  const settled = evaluate(devtools, markOfSettled);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), settleMs);
  });
  // After a time-out nobody waits for it, and it fails when the page is closed.
  settled.catch(() => {});
  try {
    return (await Promise.race([settled, late])) ?? (await evaluate(devtools, markOf));
  } finally {
    clearTimeout(timer);
  }
}

/** Asks the page something through the debugger, which no policy applies to and which therefore adds no violation. */
async function evaluate(devtools: CDPSession, expression: string): Promise<string> {
  const { result } = await devtools.send("Runtime.evaluate", {
    expression,
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
  await page.route(url.href, (route) => route.fulfill({ status: 200, headers: fields, body: html }), {
    times: 1,
  });
}

/** Dispatched rather than clicked with the mouse: the target may lie under something. */
async function clickOn(page: Page, selector: string): Promise<void> {
  await page.locator(selector).first().dispatchEvent("click", undefined, { timeout: 2000 });
}
