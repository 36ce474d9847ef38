import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";

/** An answer of {@link serveAnswers}. */
export type Answer = readonly [
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | string,
];

/** A server on the loopback interface. */
export interface Served {
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves what a function answers to a decoded path. */
export async function serveAnswers(answer: (path: string) => Answer): Promise<Served> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const [status, headers, body] = answer(decodeURIComponent(pathname));
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** A file that a hardened site declares. */
export interface ServedFile {
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly sha256: string;
}

/** Answers as an edge does that sends each file with its declared headers. */
export function answersHardened(files: readonly ServedFile[], blobs: string): (path: string) => Answer {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return (path) => {
    const file = byPath.get(path);
    if (file === undefined) return [404, { "content-type": "text/plain" }, "nothing here"];
    return [200, Object.fromEntries(file.headers), readFileSync(join(blobs, file.sha256))];
  };
}

/** Answers as a plain web server does: the folder's own bytes, the same content types, no policy. */
export function answersPlain(
  files: readonly (ServedFile & { readonly source: string })[],
  folder: string,
): (path: string) => Answer {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return (path) => {
    const file = byPath.get(path);
    if (file === undefined) return [404, { "content-type": "text/plain" }, "nothing here"];
    const type = file.headers.find(([name]) => name === "content-type")?.[1] ?? "";
    // A page may say itself what it is written in.
    const plain = /html/.test(type) ? type.replace(/;.*/, "") : type;
    return [200, { "content-type": plain }, readFileSync(join(folder, file.source))];
  };
}

/** What was seen of one page, twice. */
export interface PageComparison {
  readonly path: string;
  /** Policy violations on the hardened side. */
  readonly violations: readonly string[];
  /** What only one side wrote to the console or threw, `-` before, `+` after. */
  readonly consoleDiffers: readonly string[];
  /** Some screenshot of one side is byte for byte one of the other. */
  readonly samePixels: boolean;
  /** For a look at them when they are not. */
  readonly screenshots: readonly [before: Uint8Array, after: Uint8Array];
}

/** Options of {@link comparePages}. */
export interface ComparePagesOptions {
  readonly browser: Browser;
  /** Origin of the site as it was. */
  readonly before: string;
  /** Origin of the hardened site. */
  readonly after: string;
  readonly paths: readonly string[];
  /** Done on each side before the screenshot: a click, a search. */
  readonly act?: (page: Page) => Promise<void>;
  /** Size of the window. Default 1200 × 1400. */
  readonly viewport?: { readonly width: number; readonly height: number };
}

/**
 * Renders pages as they were and as they are hardened, and compares what a visitor sees, what the console says, and what the policy
 * refuses. Reports of a policy in report-only mode count as violations too.
 */
export async function comparePages(options: ComparePagesOptions): Promise<PageComparison[]> {
  const comparisons: PageComparison[] = [];
  for (const path of options.paths) comparisons.push(await compareOften(options, path));
  return comparisons;
}

/** Looks that may differ by themselves: frames and scripts of a page race. What hardening changed differs in each. */
const maxLooks = 6;

async function compareOften(options: ComparePagesOptions, path: string): Promise<PageComparison> {
  const violations = new Set<string>();
  /** All pictures of each side: a page that draws itself in several ways draws some of them on both. */
  const drawn: readonly [before: Uint8Array[], after: Uint8Array[]] = [[], []];
  for (let looks = 1; ; looks++) {
    const seen = await compareOnce(options, path);
    for (const violation of seen.violations) violations.add(violation);
    for (const [side, picture] of seen.screenshots.entries()) drawn[side]?.push(picture);
    const samePixels = drawn[0].some((before) =>
      drawn[1].some((after) => Buffer.compare(before, after) === 0),
    );
    const isSame = samePixels && seen.consoleDiffers.length === 0;
    if (isSame || looks === maxLooks) return { ...seen, samePixels, violations: [...violations] };
  }
}

async function compareOnce(options: ComparePagesOptions, path: string): Promise<PageComparison> {
  const [before, after] = await Promise.all([
    look(options, options.before, path),
    look(options, options.after, path),
  ]);
  return {
    path,
    violations: after.violations,
    consoleDiffers: [
      ...missingFrom(before.console, after.console).map((line) => `- ${line}`),
      ...missingFrom(after.console, before.console).map((line) => `+ ${line}`),
    ],
    samePixels: Buffer.compare(before.screenshot, after.screenshot) === 0,
    screenshots: [before.screenshot, after.screenshot],
  };
}

interface Sight {
  readonly violations: string[];
  readonly console: string[];
  readonly screenshot: Uint8Array;
}

async function look(
  { browser, act, viewport = { width: 1200, height: 1400 } }: ComparePagesOptions,
  origin: string,
  path: string,
): Promise<Sight> {
  // A context of its own: neither side finds what the other has cached or stored.
  const context = await browser.newContext({ viewport, reducedMotion: "reduce" });
  try {
    const page = await context.newPage();
    const violations: string[] = [];
    const lines: string[] = [];
    const own = (text: string): string => text.replaceAll(origin, "");
    await page.exposeFunction("curtainwallViolation", (text: string) => violations.push(own(text)));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        const { curtainwallViolation } = globalThis as unknown as {
          curtainwallViolation: (text: string) => void;
        };
        curtainwallViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    page.on("console", (message) => {
      // A browser asks for it when it likes, once for all pages of an origin.
      if (message.location().url.endsWith("/favicon.ico")) return;
      lines.push(`${message.type()}: ${own(message.text())}`);
    });
    page.on("pageerror", (error) => lines.push(`thrown: ${own(error.message)}`));
    await page.goto(origin + encodeURI(path), { waitUntil: "networkidle" });
    await act?.(page);
    await page.evaluate(() => document.fonts.ready.then(() => undefined));
    return { violations, console: lines, screenshot: await stillPicture(page) };
  } finally {
    await context.close();
  }
}

/** Pictures that may be taken until two in a row are the same: a page may go on drawing after what it did. */
const maxPictures = 20;

async function stillPicture(page: Page): Promise<Uint8Array> {
  let last = await page.screenshot({ animations: "disabled" });
  for (let taken = 1; taken < maxPictures; taken++) {
    const next = await page.screenshot({ animations: "disabled" });
    if (Buffer.compare(last, next) === 0) break;
    last = next;
  }
  return last;
}

function missingFrom(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
