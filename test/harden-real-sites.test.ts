import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { hardenFolder } from "../src/harden/node.ts";
import type { HardenedFolder } from "../src/harden/node.ts";
import { requires } from "./requires.ts";
import { offlineChromium } from "./support/chromium.ts";
import { answersHardened, answersPlain, comparePages, serveAnswers } from "./support/compare-pages.ts";
import { debianDocs, debianDocsFolder } from "./support/debian-docs.ts";
import { generatorSites, generators } from "./support/generators.ts";
import type { Generator } from "./support/generators.ts";

// Sites that nobody here wrote: what a visitor sees and what the console says must be the same before and after, and the policies
// must never be in the way.

const sites = await generatorSites();
const { path: executablePath, skip } = requires("chromium");

let browser: Browser;
before(async () => {
  if (skip === false) browser = await chromium.launch({ executablePath, args: [...offlineChromium] });
});
after(() => browser?.close());

/** Pages of each package that are looked at, evenly spread over their names. */
const sampleSize = 4;

/** What a visitor does on a generator's site; ends when the page has answered. */
const acts: Readonly<Partial<Record<Generator, (page: Page) => Promise<void>>>> = {
  next: async (page) => {
    const button = page.locator("#seats");
    if ((await button.count()) === 0) return;
    await button.click();
    await page.getByText("5 seats").waitFor();
  },
  astro: async (page) => {
    await page.getByRole("button").click();
    await page.getByText("around 6:20").waitFor();
  },
  vitepress: async (page) => {
    const notes = page.getByRole("link", { name: "Notes" }).first();
    if (!(await notes.isVisible())) return;
    await notes.click();
    await page.getByRole("heading", { name: "Notes" }).waitFor();
  },
};

suite("real sites look and behave the same after hardening, without one violation", { skip }, () => {
  for (const name of generators) {
    const site = sites[name];
    test(`a site made by ${name}`, { skip: site.skip }, async (context) => {
      const hardened = await harden(context, site.folder);
      await assertSame(context, site.folder, hardened, pagesOf(hardened), acts[name]);
    });
  }

  for (const [name, folder] of Object.entries(debianDocs)) {
    const docs = debianDocsFolder(name, folder);
    test(`Debian's ${name}`, { skip: docs.skip }, async (context) => {
      const hardened = await harden(context, docs.folder);
      const pages = pagesOf(hardened);
      assert.ok(pages.length > sampleSize, `${pages.length} pages`);
      const step = Math.floor(pages.length / sampleSize);
      await assertSame(
        context,
        docs.folder,
        hardened,
        pages.filter((_, index) => index % step === 0).slice(0, sampleSize),
      );
    });
  }
});

interface HardenedHere extends HardenedFolder {
  readonly blobs: string;
}

async function harden(context: TestContext, folder: string): Promise<HardenedHere> {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-real-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const blobs = join(root, "blobs");
  return { ...(await hardenFolder({ folder, blobs })), blobs };
}

/** One address a page: a page and its folder are the same bytes. */
function pagesOf({ files }: HardenedFolder): string[] {
  return files
    .filter(
      ({ path, headers }) =>
        !path.endsWith("/") && headers.some(([name, value]) => name === "content-type" && /html/.test(value)),
    )
    .map(({ path }) => path)
    .sort();
}

async function assertSame(
  context: TestContext,
  folder: string,
  hardened: HardenedHere,
  paths: readonly string[],
  act?: (page: Page) => Promise<void>,
): Promise<void> {
  const plain = await serveAnswers(answersPlain(hardened.files, folder));
  context.after(() => plain.close());
  const strict = await serveAnswers(answersHardened(hardened.files, hardened.blobs));
  context.after(() => strict.close());
  const comparisons = await comparePages({
    browser,
    before: plain.origin,
    after: strict.origin,
    paths,
    ...(act === undefined ? {} : { act }),
  });
  assert.deepEqual(
    comparisons
      .filter((page) => !page.samePixels || page.violations.length > 0 || page.consoleDiffers.length > 0)
      .map(({ path, violations, consoleDiffers, samePixels }) => ({
        path,
        violations,
        consoleDiffers,
        samePixels,
      })),
    [],
  );
}
