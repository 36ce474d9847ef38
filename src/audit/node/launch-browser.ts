import type { Browser } from "playwright-core";
import { CurtainwallError, isCurtainwallError } from "../../shared/index.ts";
import { inOwnFolder } from "./browser-folder.ts";
import { watchMemory } from "./browser-memory.ts";

/** Options of {@link launchBrowser}. */
export interface LaunchOptions {
  executablePath: string;
  /** The port on this machine through which all of its connections go. */
  proxyPort: number;
  /** SHA-256 of the target's public key, base64: the one certificate that the browser accepts beyond the system's. */
  spkiSha256: string;
  /** Memory that all of its processes may have together, in bytes. */
  maxBytes: number;
  /** Whether pages are this machine's own, which may be opened where Chromium has no sandbox. Those of others are not, but by root, who never has one. */
  isOwn: boolean;
}

/** Chromium, with a profile of its own. */
export interface LaunchedBrowser {
  readonly browser: Browser;
  /** Whether it took too much memory, and was ended for it. */
  isOver(): boolean;
  close(): Promise<void>;
}

const flags = [
  "--headless",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Neither does it look names up by itself, nor send datagrams, which would go past the proxy.
  "--proxy-bypass-list=<-loopback>",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
  "--webrtc-ip-handling-policy=disable_non_proxied_udp",
];

/**
 * Starts Chromium with one way out, and a bound on its memory.
 *
 * @throws {CurtainwallError} `AUDIT_TARGET_UNREACHABLE` when playwright-core is not installed or the browser does not start.
 */
export async function launchBrowser({
  executablePath,
  proxyPort,
  spkiSha256,
  maxBytes,
  isOwn,
}: LaunchOptions): Promise<LaunchedBrowser> {
  const { chromium } = await import("playwright-core").catch((error: unknown) => {
    throw missing("playwright-core is not installed: npm install --save-dev playwright-core", error);
  });
  const start = (chromiumSandbox: boolean): Promise<Browser> =>
    chromium.launch({
      executablePath,
      chromiumSandbox,
      args: [
        ...flags,
        `--proxy-server=socks5://127.0.0.1:${proxyPort}`,
        `--ignore-certificate-errors-spki-list=${spkiSha256}`,
      ],
      timeout: 30_000,
      // Playwright's own answer to a signal ends the process, before what was made is taken away.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  const { running, remove } = await inOwnFolder(async () => {
    const browser = await start(!isRoot).catch((error: unknown) => {
      if (isRoot || !hasNoSandbox(error)) throw error;
      if (isOwn) return start(false);
      throw missing(
        `the browser at ${executablePath} has no sandbox here, and opens no pages of other machines without: it takes user namespaces, which this system does not let this user have`,
        error,
      );
    });
    return { browser, pid: await pidOf(browser) };
  }).catch((error: unknown) => {
    throw isCurtainwallError(error)
      ? error
      : missing(`the browser at ${executablePath} did not start`, error);
  });
  const { browser, pid } = running;
  const watch = watchMemory(pid, maxBytes);
  return {
    browser,
    isOver: () => watch.isOver(),
    close: () =>
      browser.close().finally(() => {
        watch.stop();
        remove();
      }),
  };
}

/** Chromium has no sandbox for root. */
const isRoot = process.getuid?.() === 0;

/** Chromium's own words, at its end. */
const hasNoSandbox = (error: unknown): boolean => String(error).includes("No usable sandbox");

/** Ends a browser that does not say which process it is: nothing would bound it. */
async function pidOf(browser: Browser): Promise<number> {
  try {
    const devtools = await browser.newBrowserCDPSession();
    const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
    await devtools.detach();
    const own = processInfo.find(({ type }) => type === "browser");
    if (own !== undefined) return own.id;
    throw new Error("it does not say which process it is");
  } catch (error) {
    await browser.close();
    throw error;
  }
}

const missing = (message: string, cause: unknown): CurtainwallError =>
  new CurtainwallError("AUDIT_TARGET_UNREACHABLE", message, { cause });
