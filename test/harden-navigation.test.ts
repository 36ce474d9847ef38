import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { hardenFolder } from "../src/harden/node.ts";
import { requires } from "./requires.ts";
import { offlineChromium } from "./support/chromium.ts";
import { answersHardened, serveAnswers } from "./support/compare-pages.ts";
import { generatorSites } from "./support/generators.ts";

// A client-side router fetches other pages' data and code under the policy of the page that it started on.

const sites = await generatorSites();
const { path: executablePath, skip } = requires("chromium");

let browser: Browser;
before(async () => {
  if (skip === false) browser = await chromium.launch({ executablePath, args: [...offlineChromium] });
});
after(() => browser?.close());

interface Application {
  /** Its pages, with the heading that each shows. */
  readonly pages: Readonly<Record<string, string>>;
  /** Goes to another page without loading it. */
  readonly go: (page: Page, to: string) => Promise<void>;
}

const applications: Readonly<Record<"vitepress" | "next", Application>> = {
  vitepress: {
    pages: { "/": "Rowing club", "/notes.html": "Notes" },
    go: (page, to) => page.locator(`a[href="${to}"]`).first().dispatchEvent("click"),
  },
  next: {
    pages: { "/": "On the water", "/notes/spring/": "spring", "/notes/autumn/": "autumn" },
    go: (page, to) =>
      page.evaluate((path) => {
        const { next } = globalThis as unknown as { next: { router: { push(path: string): void } } };
        next.router.push(path);
      }, to),
  },
};

suite("an application's own navigation works from every page to every page", { skip }, () => {
  for (const [name, { pages, go }] of Object.entries(applications)) {
    const site = sites[name as keyof typeof applications];
    test(`made by ${name}`, { skip: site.skip, timeout: 120_000 }, async (context) => {
      const root = mkdtempSync(join(tmpdir(), "curtainwall-navigation-"));
      context.after(() => rmSync(root, { recursive: true, force: true }));
      const blobs = join(root, "blobs");
      const { files } = await hardenFolder({ folder: site.folder, blobs });
      const served = await serveAnswers(answersHardened(files, blobs));
      context.after(() => served.close());
      for (const from of Object.keys(pages))
        for (const [to, heading] of Object.entries(pages)) {
          if (from === to) continue;
          const page = await browser.newPage();
          page.setDefaultTimeout(30_000);
          const seen: string[] = [];
          page.on("pageerror", (error) => seen.push(error.message));
          page.on("console", (message) => {
            if (/Content Security Policy|blocked|integrity/i.test(message.text())) seen.push(message.text());
          });
          await page.goto(served.origin + from, { waitUntil: "networkidle" });
          await page.evaluate(() => {
            document.documentElement.dataset["stayed"] = "1";
          });
          await go(page, to);
          await page.getByRole("heading", { name: heading, exact: false, level: 1 }).waitFor();
          await page.waitForLoadState("networkidle");
          const stayed = await page.evaluate(() => document.documentElement.dataset["stayed"]);
          assert.deepEqual({ from, to, stayed, seen }, { from, to, stayed: "1", seen: [] });
          await page.close();
        }
    });
  }
});
