import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { parseLearned, writeLearned } from "../src/harden/index.ts";
import type { AllowedScript } from "../src/harden/index.ts";
import { hardenFolder, learnFolder } from "../src/harden/node.ts";
import type { FetchScript, HardenedFolder, LearnedFolder, TourOptions } from "../src/harden/node.ts";
import { requires } from "./requires.ts";
import { offlineChromium } from "./support/chromium.ts";
import { answersHardened, serveAnswers } from "./support/compare-pages.ts";

// Tag managers and pixels: an inline script that adds a script of another site. What may be added, and nothing beside it.

const { path: executablePath, skip } = requires("chromium");

let browser: Browser;
before(async () => {
  if (skip === false) browser = await chromium.launch({ executablePath, args: [...offlineChromium] });
});
after(() => browser?.close());

/** In the manner of what services hand out. */
const loader = (address: string): string =>
  `(function (w, d, s, u) { var t = d.createElement(s); t.async = true; t.src = u + "?id=" + 1; d.head.append(t); })(window, document, "script", "${address}")`;
const page = (script: string): string =>
  `<!doctype html><html lang="en"><title>x</title><body><script>${script}</script></body></html>`;
const tags = "https://tags.example/tags.js";
const site = {
  "index.html": page(loader(tags)),
  "other.html": page(loader("https://tags.example/other.js")),
  "chain.html": page(loader("https://tags.example/chain.js")),
  "below.html": page(loader("https://parts.example/v2/part.1.js")),
  "beside.html": page(loader("https://parts.example/v3/part.1.js")),
  "quiet.html": page("document.title = 'y'"),
};
/** What the other sites serve: each tells its name, and one adds another. */
const foreign = (url: string): string => {
  const { host, pathname } = new URL(url);
  const more = pathname === "/chain.js" ? loader("https://late.example/late.js") : "";
  return `(globalThis.ran ??= []).push("${host}${pathname}");${more}`;
};

interface Hardened {
  readonly hardened: HardenedFolder;
  /** Opens a page, with markup injected before the end of its body, and tells which scripts of other sites ran. */
  ran(path: string, injected?: string): Promise<readonly string[]>;
}

async function harden(context: TestContext, allowScripts: readonly AllowedScript[]): Promise<Hardened> {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-allow-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "site"));
  for (const [name, text] of Object.entries(site)) writeFileSync(join(root, "site", name), text);
  const blobs = join(root, "blobs");
  const hardened = await hardenFolder({ folder: join(root, "site"), blobs, allowScripts });
  let injection = "";
  const answers = answersHardened(hardened.files, blobs);
  const served = await serveAnswers((path) => {
    const [status, headers, body] = answers(path);
    return [status, headers, Buffer.from(body).toString().replace("</body>", `${injection}</body>`)];
  });
  context.after(() => served.close());
  return {
    hardened,
    async ran(path, injected = "") {
      injection = injected;
      const tab = await browser.newPage();
      try {
        await tab.route(/^https:/, (route) =>
          route.fulfill({ contentType: "text/javascript", body: foreign(route.request().url()) }),
        );
        await tab.goto(served.origin + path, { waitUntil: "networkidle" });
        const names = await tab.evaluate(() => (globalThis as { ran?: string[] }).ran ?? []);
        return names.toSorted();
      } finally {
        await tab.close();
      }
    },
  };
}

const because = "the harbour's tag manager";

test("without leave nothing is added, and the report names what would be", { skip }, async (context) => {
  const { hardened, ran } = await harden(context, []);
  assert.deepEqual(await ran("/index.html"), []);
  assert.deepEqual(hardened.report.notes[`a script seems to add ${tags}, which is blocked`], {
    pages: 1,
    examples: ["/index.html"],
  });
});

test(
  "an allowed script is added on the pages that want it; another path of its host stays blocked, and so does whatever it adds itself",
  { skip },
  async (context) => {
    const allowed = [tags, "https://tags.example/chain.js"].map((address) => ({ address, reason: because }));
    const { hardened, ran } = await harden(context, allowed);
    assert.deepEqual(await ran("/index.html"), ["tags.example/tags.js"]);
    assert.deepEqual(await ran("/other.html"), []);
    assert.deepEqual(await ran("/chain.html"), ["tags.example/chain.js"]);
    assert.deepEqual(await ran("/index.html", '<script src="https://tags.example/evil.js"></script>'), [
      "tags.example/tags.js",
    ]);
    // A page none of whose scripts names the host has no use for it: injected markup can't load it there.
    assert.deepEqual(await ran("/quiet.html", `<script src="${tags}"></script>`), []);
    const { report } = hardened;
    assert.deepEqual(
      report.allowScripts.map(({ address, reason, pages }) => [address, reason, pages]),
      [
        [tags, because, 3],
        ["https://tags.example/chain.js", because, 3],
      ],
    );
    assert.equal(report.weaknesses["added-scripts"]?.pages, 3);
    assert.deepEqual(report.foreign, []);
    const policies = hardened.files.map(({ headers }) => JSON.stringify(headers)).join();
    assert.doesNotMatch(policies, /strict-dynamic|script-src[^;]*https:\/\/tags\.example[ ;"]/);
  },
);

test("what an allowed script adds is added once that is allowed too", { skip }, async (context) => {
  const { ran } = await harden(context, [
    { address: "https://tags.example/chain.js", reason: because },
    { address: "https://late.example/late.js", reason: because },
  ]);
  assert.deepEqual(await ran("/chain.html"), ["late.example/late.js", "tags.example/chain.js"]);
});

test("a folder that is allowed holds all scripts below it and none beside it", { skip }, async (context) => {
  const { ran } = await harden(context, [{ address: "https://parts.example/v2/", reason: because }]);
  assert.deepEqual(await ran("/below.html"), ["parts.example/v2/part.1.js"]);
  assert.deepEqual(await ran("/beside.html"), []);
});

test(
  "what an allowed script needs beside is learned, in rounds that add to each other; a script that is not allowed is never asked for",
  { skip, timeout: 120_000 },
  async (context) => {
    const root = mkdtempSync(join(tmpdir(), "curtainwall-allow-"));
    context.after(() => rmSync(root, { recursive: true, force: true }));
    const folder = join(root, "site");
    mkdirSync(folder);
    writeFileSync(join(folder, "index.html"), page(loader(tags)));
    writeFileSync(join(folder, "other.html"), page("document.title = 'y'"));
    const asked: string[] = [];
    const fetchScript: FetchScript = (url) => {
      asked.push(url);
      const body = `fetch("https://count.example/hit", { mode: "no-cors" }).catch(() => {}); new Image().src = "https://pixel.example/p.gif";
${loader("https://late.example/late.js")}`;
      return Promise.resolve({ contentType: "text/javascript", bytes: Buffer.from(body) });
    };
    const allowScripts = [{ address: tags, reason: because }];
    const learn = (options: Partial<TourOptions>): Promise<LearnedFolder> =>
      learnFolder({ folder, executablePath, ...options });

    const blind = await learn({ allowScripts });
    assert.deepEqual(
      blind.failed.map(({ page: name }) => name),
      ["/index.html"],
    );
    const blocked = await learn({ fetchScript });
    assert.deepEqual(blocked.failed, []);
    assert.deepEqual(asked, []);
    const first = await learn({ fetchScript, allowScripts });
    assert.deepEqual(asked, [`${tags}?id=1`]);
    assert.deepEqual(first.classes[0], {
      pages: ["/index.html"],
      allow: { "connect-src": ["https://count.example"], "img-src": ["https://pixel.example"] },
    });
    const found = (learned: LearnedFolder): string[] => learned.findings.map(({ blocked: what }) => what);
    assert.deepEqual(found(first), ["https://late.example/late.js"]);

    const learned = parseLearned(writeLearned(first));
    const second = await learn({ fetchScript, allowScripts, learned });
    assert.equal(writeLearned(second), writeLearned(first));

    const { report } = await hardenFolder({ folder, blobs: join(root, "blobs"), allowScripts, learned });
    assert.deepEqual(report.learned, {
      pages: 1,
      sources: {
        "connect-src https://count.example": { pages: 1, examples: ["/index.html"] },
        "img-src https://pixel.example": { pages: 1, examples: ["/index.html"] },
      },
      gone: [],
    });
    assert.deepEqual(Object.keys(report.weaknesses), ["added-scripts"]);
  },
);
