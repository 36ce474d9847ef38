import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { hardenFolder } from "../src/harden/node.ts";
import { hardenSite } from "../src/stack/hardening/harden-site.ts";
import type { HardenedSite } from "../src/stack/hardening/harden-site.ts";
import { approveScripts, openSiteLock, saveLock } from "../src/stack/lock/site-lock.ts";
import { requires } from "./requires.ts";
import { offlineChromium } from "./support/chromium.ts";
import { answersHardened, serveAnswers } from "./support/compare-pages.ts";

// Pages that an attacker wrote into a site whose scripts are all approved: either the lock refuses them, or nothing of theirs runs.

type Files = Readonly<Record<string, string>>;

const { path: executablePath, skip } = requires("chromium");
const day = "2026-11-22";
const sha256 = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`;
const evil = "globalThis.hit=1";

interface Project {
  readonly root: string;
  readonly folder: string;
  write(files: Files): void;
  /** Hardens as CI does: whatever is not approved is refused. */
  frozen(origin?: string): Promise<HardenedSite>;
}

/** A site with everything in it approved. */
async function approved(context: TestContext, files: Files): Promise<Project> {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-attack-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const [folder, file, out] = [join(root, "dist"), join(root, "curtainwall.lock.json"), join(root, "out")];
  const write: Project["write"] = (more) => {
    for (const [name, content] of Object.entries(more)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
  };
  write(files);
  const run = (frozen: boolean, origin?: string): Promise<HardenedSite> => {
    const open = openSiteLock({ file, folder });
    return hardenSite({ folder, out, origin, lock: { open, frozen, day, words: "" } });
  };
  const { review } = await run(false);
  assert.ok(review !== undefined);
  const names = [...review.added, ...review.unreviewed].map(({ id }) => id);
  saveLock(
    file,
    approveScripts(openSiteLock({ file, folder }), review, { names, allShared: false, reason: "meant", day }),
  );
  return { root, folder, write, frozen: (origin) => run(true, origin) };
}

function policyOf({ files }: HardenedSite, path: string): string {
  const headers = files.find((file) => file.path === path)?.headers ?? [];
  return headers.find(([name]) => name === "content-security-policy")?.[1] ?? "";
}

const site = {
  "index.html": '<!doctype html><title>x</title><script src="/site.js"></script>',
  "site.js": 'document.documentElement.dataset.site = "1"',
};

suite("a site whose scripts are all approved, with pages that an attacker wrote", () => {
  test("its own scripts pass, and so do new words on its pages", async (context) => {
    const { write, frozen } = await approved(context, site);
    write({ "index.html": `${site["index.html"]}<p>news</p>` });
    assert.equal((await frozen()).report.weakened, 0);
  });

  test("a file that is only preloaded is a script of the page, and refused", async (context) => {
    for (const link of [
      '<link rel="preload" as="script" href="/img/notes.txt">',
      '<link rel="modulepreload" href="/img/notes.txt">',
    ]) {
      const { write, frozen } = await approved(context, site);
      write({ "index.html": link + site["index.html"], "img/notes.txt": evil });
      await assert.rejects(frozen(), { code: "HARDEN_SCRIPT_UNAPPROVED" }, link);
    }
  });

  test("an integrity that the page claims for a file of the site allows nothing", async (context) => {
    const { write, frozen } = await approved(context, site);
    for (const claim of [
      `<link rel="modulepreload" href="/site.js" integrity="${sha256(evil)}">`,
      `<link rel="preload" as="script" href="/missing.js" integrity="${sha256(evil)}">`,
      `<script src="/missing.js" integrity="${sha256(evil)}"></script>`,
      `<script src="/site.js" integrity="${sha256(evil)}"></script>`,
      `<script src="data:text/javascript,${evil}" integrity="${sha256(evil)}" crossorigin></script>`,
    ]) {
      write({ "index.html": claim + site["index.html"] });
      assert.doesNotMatch(policyOf(await frozen(), "/"), new RegExp(RegExp.escape(sha256(evil))), claim);
    }
  });

  test("an approved import map's integrity writes no keyword and no hash into the policy", async (context) => {
    const map = (integrity: string): string =>
      `<!doctype html><script type="importmap">{"imports":{"row":"/row.js"}${integrity}}</script><script type="module">import "row"</script>`;
    const { write, frozen } = await approved(context, { "index.html": map(""), "row.js": "1" });
    const before = policyOf(await frozen(), "/");
    for (const [key, value] of [
      ["/nowhere.js", `${sha256(evil)} unsafe-eval strict-dynamic unsafe-hashes`],
      ["/row.js", `unsafe-eval' 'unsafe-inline ${sha256(evil)}`],
      ["data:text/javascript,1", sha256(evil)],
      ["row", sha256(evil)],
    ] as const) {
      write({ "index.html": map(`,"integrity":${JSON.stringify({ [key]: value })}`) });
      const policy = policyOf(await frozen(), "/");
      assert.doesNotMatch(policy, /unsafe|strict-dynamic/, key);
      assert.ok(!policy.includes(sha256(evil)), key);
      assert.equal(policy.split(" ").length, before.split(" ").length, key);
    }
    write({ "index.html": map(`,"integrity":{"https://cdn.example/x.js":"${sha256(evil)}"}`) });
    await assert.rejects(frozen(), { code: "HARDEN_SCRIPT_UNAPPROVED" }, "another site's counts as pinned");
    write({ "index.html": map(',"integrity":{"/other.js":"x"}'), "other.js": evil });
    await assert.rejects(frozen(), { code: "HARDEN_SCRIPT_UNAPPROVED" }, "a file of the site counts as one");
  });

  for (const [what, page, files, changed] of [
    ["a worker", 'new Worker("/worker.js")', { "worker.js": "1" }, "worker.js"],
    [
      "a worker beside its module",
      'new Worker(new URL("./a/w.js", import.meta.url))',
      { "a/w.js": "1" },
      "a/w.js",
    ],
    ["a shared worker", 'const at="/w.js"; new SharedWorker(at)', { "w.js": "1" }, "w.js"],
    ["a service worker", 'navigator.serviceWorker?.register("sw.js")', { "sw.js": "1" }, "sw.js"],
    [
      "what a worker imports",
      'new Worker("/w.js")',
      { "w.js": 'importScripts("/a.js", "b.js")', "a.js": "1", "b.js": "1" },
      "b.js",
    ],
    [
      "what a module in a worker imports",
      'new Worker("/w/w.js",{type:"module"})',
      { "w/w.js": 'import "./m.js"', "w/m.js": 'import("./n.js")', "w/n.js": "1" },
      "w/n.js",
    ],
    ["a worker whose name is computed", "new Worker(`/${name}.js`)", { "any.js": "1" }, "any.js"],
    [
      "a script that another puts into the page",
      's=document.createElement("script");s.src="/plugin.js";document.head.append(s)',
      { "plugin.js": "1" },
      "plugin.js",
    ],
    [
      "a script that no one names, where any may be put into the page",
      'webpackChunk;s=document.createElement("script");s.src=x+".js"',
      { "chunk.js": "1" },
      "chunk.js",
    ],
  ] as const satisfies readonly (readonly [string, string, Files, string])[])
    test(`${what} is approved by what it holds`, async (context) => {
      const { write, frozen } = await approved(context, {
        "index.html": '<!doctype html><title>x</title><script type="module" src="/site.js"></script>',
        "site.js": page,
        ...files,
      });
      for (const origin of [undefined, "https://www.example.com"]) await frozen(origin);
      write({ [changed]: evil });
      for (const origin of [undefined, "https://www.example.com"])
        await assert.rejects(frozen(origin), { code: "HARDEN_SCRIPT_UNAPPROVED" });
    });

  test("a host that holds a directive or stands for all is blocked and told, and the rest of the page is not", async (context) => {
    const { write, frozen } = await approved(context, site);
    for (const host of ["a;script-src-elem", "*", "*.example", "a'b", 'a"b', "a,b"]) {
      const at = `https://${host}/`;
      write({
        "index.html": `${site["index.html"]}<iframe src='${at.replaceAll("'", "&#39;")}' allow=fullscreen></iframe><img src="https://i.example/x.png"><form action='${at.replaceAll("'", "&#39;")}'></form><link rel=stylesheet href='${at.replaceAll("'", "&#39;")}'><base href='${at.replaceAll("'", "&#39;")}'>`,
      });
      const hardened = await frozen();
      const page = hardened.files.find(({ path }) => path === "/");
      const headers = JSON.stringify(page?.headers.filter(([name]) => /policy/.test(name)));
      assert.doesNotMatch(headers, /\*|script-src-elem|https:\/\/a/, host);
      assert.match(headers, /img-src https:\/\/i\.example;/, host);
      if (URL.canParse(at))
        assert.equal(
          hardened.report.notes["an address whose host no policy can name is blocked"]?.pages,
          1,
          host,
        );
    }
  });
});

suite("the same pages in Chromium", { skip, timeout: 120_000 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath, args: [...offlineChromium] });
  });
  after(() => browser.close());

  /** What the page at `/` says after it was hardened and opened. */
  async function seen(context: TestContext, files: Files): Promise<unknown> {
    const root = mkdtempSync(join(tmpdir(), "curtainwall-attack-"));
    context.after(() => rmSync(root, { recursive: true, force: true }));
    const [folder, blobs] = [join(root, "site"), join(root, "blobs")];
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const hardened = await hardenFolder({ folder, blobs });
    const served = await serveAnswers(answersHardened(hardened.files, blobs));
    context.after(() => served.close());
    const page = await browser.newPage();
    context.after(() => page.close());
    await page.goto(`${served.origin}/`, { waitUntil: "networkidle" });
    const hits = await Promise.all(
      page
        .frames()
        .map((frame) => frame.evaluate(() => (globalThis as { hit?: unknown }).hit).catch(() => undefined)),
    );
    return {
      hits: hits.filter(Boolean).length,
      site: await page.evaluate(() => document.documentElement.dataset["site"]),
    };
  }

  test("a data: script does not run by the hash that the page claims for another", async (context) => {
    const claim = `<link rel="modulepreload" href="/site.js" integrity="${sha256(evil)}">`;
    const attack = `<script src="data:text/javascript,${evil}" integrity="${sha256(evil)}" crossorigin></script>`;
    assert.deepEqual(await seen(context, { ...site, "index.html": site["index.html"] + claim + attack }), {
      hits: 0,
      site: "1",
    });
  });

  test("nor by the hash of a script that is approved in the same page", async (context) => {
    const text = 'document.documentElement.dataset.site = "1"';
    const page = `<!doctype html><title>x</title><script src="data:text/javascript,${encodeURIComponent(text)}" integrity="${sha256(text)}" crossorigin></script>`;
    const shown = await seen(context, {
      "index.html": `${page}<link rel="preload" as="script" href="/site.js">`,
      "site.js": text,
    });
    assert.deepEqual(shown, { hits: 0, site: undefined });
  });

  test("a page in a data: frame runs nothing by a hash that is claimed", async (context) => {
    const claim = `<script src="/missing.js" integrity="${sha256(evil)}"></script>`;
    const frame = `<iframe src="data:text/html,<script>${evil}</script>"></iframe>`;
    assert.deepEqual(await seen(context, { ...site, "index.html": site["index.html"] + claim + frame }), {
      hits: 0,
      site: "1",
    });
  });

  test("modules that an import map pins run when they are the site's own, whatever it claims", async (context) => {
    const map = `<!doctype html><title>x</title><script type="importmap">{"imports":{"a/":"/m/"},"integrity":{"/m/row.js":"${sha256(evil)} x","/m/late.js":"${sha256("2")}"}}</script>`;
    const shown = await seen(context, {
      "index.html": `${map}<script type="module">import "a/row.js"; const at = () => "/m/la" + "te.js"; await import(at())</script>`,
      "m/row.js": "document.documentElement.dataset.site = 1",
      "m/late.js": "document.documentElement.dataset.site += 1",
    });
    assert.deepEqual(shown, { hits: 0, site: "11" });
  });
});
