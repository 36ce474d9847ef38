import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import type { PolicyBudget } from "../src/harden/index.ts";
import { hardenFolder } from "../src/harden/node.ts";
import type { HardenedFolder, HardenFolderOptions } from "../src/harden/node.ts";
import { requires } from "./requires.ts";
import { offlineChromium } from "./support/chromium.ts";
import { answersHardened, answersPlain, comparePages, serveAnswers } from "./support/compare-pages.ts";
import type { Answer } from "./support/compare-pages.ts";

const { path: executablePath, skip } = requires("chromium");

let browser: Browser;
before(async () => {
  if (skip === false) browser = await chromium.launch({ executablePath, args: [...offlineChromium] });
});
after(() => browser?.close());

interface Site {
  readonly folder: string;
  readonly blobs: string;
  readonly hardened: HardenedFolder;
}

/** Writes a site and hardens it. */
async function harden(
  context: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
  budget?: PolicyBudget,
  more: Partial<HardenFolderOptions> = {},
): Promise<Site> {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-harden-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, "site");
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const blobs = join(root, "blobs");
  return { folder, blobs, hardened: await hardenFolder({ folder, blobs, budget, ...more }) };
}

interface Seen {
  readonly violations: string[];
  readonly errors: string[];
}

/** Serves a hardened site, opens a page of it, and hands over what was seen. */
async function open(
  context: TestContext,
  { hardened, blobs }: Site,
  path: string,
  change: (path: string, answer: Answer) => Answer = (_, answer) => answer,
): Promise<{ page: Page; seen: Seen }> {
  const honest = answersHardened(hardened.files, blobs);
  const served = await serveAnswers((asked) => change(asked, honest(asked)));
  context.after(() => served.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  context.after(() => page.close());
  const seen: Seen = { violations: [], errors: [] };
  await page.exposeFunction("curtainwallViolation", (text: string) => seen.violations.push(text));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      const { curtainwallViolation } = globalThis as unknown as {
        curtainwallViolation: (text: string) => void;
      };
      curtainwallViolation(`${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  await page.goto(served.origin + path, { waitUntil: "networkidle" });
  return { page, seen };
}

const hit = (page: Page): Promise<unknown> => page.evaluate(() => (globalThis as { hit?: unknown }).hit);
const marks = (page: Page): Promise<string> =>
  page.evaluate(() => Object.keys(document.documentElement.dataset).sort().join(" "));
const mark = (name: string): string => `document.documentElement.dataset.${name} = "1";`;

/** A page that uses a little of everything. */
const ordinary = {
  "index.html": `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Boats</title>
<link rel="stylesheet" href="style.css"><style>h1 { color: teal }</style>
<script src="site.js" defer></script></head>
<body onload='${mark("loaded")}'><h1 style="letter-spacing: 2px">Boats</h1>
<img src="boat.svg" alt="a boat" width="40" height="40"><p>of the canal</p>
<script>${mark("inline")}</script>
<a id="link" href="javascript:void(${mark("link").replaceAll('"', "'").replace(";", "")})">row</a>
<form action="/search"><input name="q"><button>Search</button></form></body></html>`,
  "style.css": "body { font-family: sans-serif; background: #eee url(dots.svg) }",
  "dots.svg":
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><circle r="2" style="fill: #ccc"/></svg>',
  "boat.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 4h9l-2 4H2z"/></svg>',
  "site.js": mark("linked"),
};

const injection = [
  "<script>globalThis.hit = 'inline'</script>",
  '<script src="/planted.js"></script>',
  '<img src="/nothing.png" onerror="globalThis.hit = \'handler\'">',
  '<a id="planted" href="javascript:globalThis.hit=\'url\'">x</a>',
  '<p style="background: url(/style-attribute.png)">x</p>',
  "<style>body { background: url(/inline-style.png) }</style>",
  '<base href="https://evil.example/">',
  '<iframe src="/"></iframe>',
].join("");

function inject(path: string, [status, headers, body]: Answer): Answer {
  if (path === "/planted.js") return [200, { "content-type": "text/javascript" }, "globalThis.hit = 'file'"];
  if (path !== "/") return [status, headers, body];
  return [status, headers, Buffer.from(body).toString().replace("</body>", `${injection}</body>`)];
}

suite("a hardened page in Chromium", { skip, timeout: 120_000 }, () => {
  for (const [name, budget] of [
    ["whose header carries its policy", undefined],
    ["whose policy is split between header and meta", { maxBytes: 400 }],
    ["whose header is that of all pages", { maxBytes: 400, shared: true }],
  ] as const) {
    test(`${name} runs, looks and complains as before`, async (context) => {
      const { folder, blobs, hardened } = await harden(context, ordinary, budget);
      assert.equal(hardened.report.split, budget === undefined ? 0 : 1);
      const plain = await serveAnswers(answersPlain(hardened.files, folder));
      const hard = await serveAnswers(answersHardened(hardened.files, blobs));
      context.after(() => Promise.all([plain.close(), hard.close()]));
      const seen: string[] = [];
      const [comparison] = await comparePages({
        browser,
        before: plain.origin,
        after: hard.origin,
        paths: ["/"],
        act: async (page) => {
          await page.click("#link");
          await page.waitForSelector("html[data-link]", { state: "attached" });
          seen.push(await marks(page));
        },
      });
      assert.deepEqual(seen, ["inline link linked loaded", "inline link linked loaded"]);
      assert.deepEqual(comparison?.violations, []);
      assert.deepEqual(comparison?.consoleDiffers, []);
      assert.equal(comparison?.samePixels, true);
    });

    test(`${name} runs nothing that was injected`, async (context) => {
      const site = await harden(context, ordinary, budget);
      const { page, seen } = await open(context, site, "/", inject);
      await page.evaluate(() => document.getElementById("planted")?.click());
      await page.waitForLoadState("networkidle");
      assert.equal(await hit(page), undefined);
      assert.equal(await marks(page), "inline linked loaded");
      const directives = new Set(seen.violations.map((text) => text.split(" ")[0]));
      assert.deepEqual(
        [...directives].toSorted((left, right) => ((left ?? "") < (right ?? "") ? -1 : 1)),
        ["base-uri", "frame-src", "script-src-attr", "script-src-elem", "style-src-attr", "style-src-elem"],
      );
    });
  }

  test("is framed by no other page, split or not, unless the site frames it itself", async (context) => {
    const files = {
      "index.html": "<!doctype html><title>a</title><iframe src=inner.html></iframe>",
      "inner.html": `<!doctype html><title>b</title><script>${mark("inner")}</script>`,
      "alone.html": `<!doctype html><title>c</title><script>${mark("alone")}</script>`,
    };
    for (const budget of [undefined, { maxBytes: 100 }]) {
      const site = await harden(context, files, budget);
      const { page, seen } = await open(context, site, "/", (path, answer) =>
        path === "/" && budget !== undefined
          ? answer
          : path === "/"
            ? [
                200,
                { "content-type": "text/html" },
                "<iframe src=inner.html></iframe><iframe src=alone.html></iframe>",
              ]
            : answer,
      );
      const inner = page.frames().find((frame) => frame.url().endsWith("/inner.html"));
      assert.equal(await inner?.evaluate(() => document.documentElement.dataset["inner"]), "1");
      assert.equal(
        page.frames().some((frame) => frame.url().endsWith("/alone.html")),
        false,
      );
      assert.deepEqual(seen.errors, []);
    }
  });

  test("imports its modules by hash, and no other file of the site", async (context) => {
    const site = await harden(context, {
      "index.html": `<!doctype html><title>m</title><script type="module" src="a/main.js"></script>`,
      "a/main.js": `import "./dep.js"; ${mark("main")} await import("../b/late.js"); const part = "cret"; import("/b/se" + part + ".js").catch(() => { ${mark("refused")} });`,
      "a/dep.js": mark("dep"),
      "b/late.js": mark("late"),
      "b/secret.js": mark("secret"),
    });
    const { page, seen } = await open(context, site, "/");
    await page.waitForSelector("html[data-refused]", { state: "attached" });
    assert.equal(await marks(page), "dep late main refused");
    assert.equal(seen.violations.length, 1);
    const policy = site.hardened.files
      .find(({ path }) => path === "/")
      ?.headers.find(([name]) => name === "content-security-policy");
    assert.match(policy?.[1] ?? "", /script-src (?:'sha256-[\w+/=]+' ?)+;/);
  });

  test("imports by hash what a router computes from a table in the page", async (context) => {
    const site = await harden(context, {
      "index.html": `<!doctype html><title>m</title><script>table = { notes: "rFfQxUlE" }</script><script type="module" src="a/app.js"></script>`,
      "a/app.js": "import(`./notes.${table.notes}.js`)",
      "a/notes.rFfQxUlE.js": mark("notes"),
    });
    const { page, seen } = await open(context, site, "/");
    assert.equal(await marks(page), "notes");
    assert.deepEqual(seen, { violations: [], errors: [] });
    assert.deepEqual(site.hardened.report.weaknesses, {});
  });

  test("refuses a module whose bytes are not those that it was built with", async (context) => {
    const site = await harden(context, {
      "index.html": `<!doctype html><title>m</title><script type="module" src="main.js"></script>`,
      "main.js": `import "./dep.js"; ${mark("main")}`,
      "dep.js": mark("dep"),
    });
    const { page } = await open(context, site, "/", (path, [status, headers, body]) =>
      path === "/dep.js" ? [status, headers, "globalThis.hit = 1"] : [status, headers, body],
    );
    assert.equal(await hit(page), undefined);
    assert.equal(await marks(page), "");
  });

  test("keeps the import map that it has, with the hashes added", async (context) => {
    const site = await harden(context, {
      "index.html": `<!doctype html><title>m</title><script type="importmap">{"imports":{"boats/":"./lib/","row":"./lib/row.js"}}</script><script type="module">import "row"; import "boats/sail.js"; ${mark("main")}</script>`,
      "lib/row.js": mark("row"),
      "lib/sail.js": mark("sail"),
    });
    const { page, seen } = await open(context, site, "/");
    assert.equal(await marks(page), "main row sail");
    assert.deepEqual(seen, { violations: [], errors: [] });
  });

  test("asks for a script that does not exist as before, and runs nothing that is put there later", async (context) => {
    const site = await harden(context, {
      "index.html": `<!doctype html><title>m</title><script src="gone.js" id="gone"></script><script>${mark("rest")}</script>`,
    });
    const { page, seen } = await open(context, site, "/", (path, answer) =>
      path === "/gone.js" ? [200, { "content-type": "text/javascript" }, "globalThis.hit = 1"] : answer,
    );
    assert.equal(await hit(page), undefined);
    assert.equal(await marks(page), "rest");
    assert.deepEqual(seen.violations, []);
  });

  test("enforces Trusted Types only where its scripts use no sink", async (context) => {
    const site = await harden(context, {
      "clean.html": `<!doctype html><title>t</title><p id="p"></p><script>p.textContent = "x"</script>`,
      "sink.html": `<!doctype html><title>t</title><p id="p"></p><script>p.innerHTML = "<b>x</b>"</script>`,
    });
    const write = (): string => {
      try {
        document.body.innerHTML = "<i>y</i>";
        return "written";
      } catch (error) {
        return (error as Error).name;
      }
    };
    const clean = await open(context, site, "/clean.html");
    assert.equal(await clean.page.evaluate(write), "TypeError");
    const sink = await open(context, site, "/sink.html");
    assert.equal(await sink.page.innerHTML("#p"), "<b>x</b>");
    assert.deepEqual(sink.seen, { violations: [], errors: [] });
  });

  test("tells what it leaves open, and lets it happen", async (context) => {
    const files = {
      "index.html": `<!doctype html><title>r</title><p id="p">x</p><script>
const style = document.createElement("style"); style.textContent = "p { color: rgb(1, 2, 3) }"; document.head.append(style);
p.innerHTML = "<b>y</b>"; fetch("/x.json" + location.hash);</script>`,
      "x.json": "1",
    };
    const site = await harden(context, files, undefined, { reportTo: "/_reports" });
    const { page, seen } = await open(context, site, "/");
    assert.deepEqual([...new Set(seen.violations)].toSorted(), [
      "require-trusted-types-for trusted-types-sink",
      "style-src-elem inline",
    ]);
    assert.equal(await page.innerHTML("#p"), "<b>y</b>");
    assert.equal(
      await page.evaluate(() => getComputedStyle(document.body.firstElementChild ?? document.body).color),
      "rgb(1, 2, 3)",
    );
    assert.deepEqual(seen.errors, []);
  });

  test("runs code from strings only where its owner allows that and its scripts need it", async (context) => {
    const files = {
      "index.html": `<!doctype html><title>e</title><script>try { eval('${mark("made").replaceAll('"', "`")}') } catch { ${mark("refused")} }</script>`,
      "other.html": `<!doctype html><title>o</title><script>${mark("other")}</script>`,
    };
    const strict = await open(context, await harden(context, files), "/");
    assert.equal(await marks(strict.page), "refused");
    const site = await harden(context, files, undefined, { insecureEval: "a test" });
    assert.equal(await marks((await open(context, site, "/")).page), "made");
    const other = site.hardened.files.find(({ path }) => path === "/other.html");
    assert.doesNotMatch(JSON.stringify(other?.headers), /unsafe-eval/);
    assert.equal(site.hardened.report.weaknesses["code-from-strings"]?.pages, 1);
  });

  test("shows objects: pictures in SVG and pages of the site", async (context) => {
    const site = await harden(context, {
      "index.html": `<!doctype html><title>x</title><object data="/i.svg" type="image/svg+xml"></object><object data="/inner.html"></object>`,
      "inner.html": "<!doctype html><title>inner</title><p>inside",
      "i.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10" fill="red"/></svg>`,
    });
    const { page, seen } = await open(context, site, "/");
    assert.deepEqual(seen.violations, []);
    const shown = page.frames().map((frame) => new URL(frame.url()).pathname);
    assert.deepEqual(shown.sort(), ["/", "/i.svg", "/inner.html"]);
  });

  test("has the same cascade after its style attributes have become rules", async (context) => {
    const files = {
      "index.html": `<!doctype html><html lang="en"><head><title>s</title><link rel="stylesheet" href="s.css"></head><body>
<p id="one" class="one" style="color: rgb(1, 2, 3); width: calc(10px + 2em)">weaker than important, stronger than ids</p>
<p id="two" style="color: rgb(4, 5, 6) !important; background: url('dots.svg?a;b')">stronger than important</p>
<ul><li style="list-style-type: disc" STYLE="color: red">first of its name</li></ul></body></html>`,
      "s.css":
        "#one.one.one { color: red; width: 1px } p { background: green !important } #two { color: red !important } li { color: blue }",
      "dots.svg": ordinary["dots.svg"],
    };
    const { folder, blobs, hardened } = await harden(context, files);
    assert.deepEqual(hardened.report.styleAttributes, { kept: 0, moved: 3 });
    assert.deepEqual(hardened.report.weaknesses, {});
    const plain = await serveAnswers(answersPlain(hardened.files, folder));
    const hard = await serveAnswers(answersHardened(hardened.files, blobs));
    context.after(() => Promise.all([plain.close(), hard.close()]));
    const styles: string[] = [];
    const [comparison] = await comparePages({
      browser,
      before: plain.origin,
      after: hard.origin,
      paths: ["/"],
      act: async (page) => {
        styles.push(
          await page.evaluate(() =>
            [...document.querySelectorAll("p, li")]
              .map((element) => {
                const { color, width, backgroundColor, listStyleType } = getComputedStyle(element);
                return [color, width, backgroundColor, listStyleType].join(" ");
              })
              .join("\n"),
          ),
        );
      },
    });
    assert.equal(styles[0], styles[1]);
    assert.match(styles[1] ?? "", /rgb\(1, 2, 3\)[^]*rgb\(4, 5, 6\)/);
    assert.deepEqual(comparison?.violations, []);
    assert.equal(comparison?.samePixels, true);
  });

  test("lets a page in a srcdoc, a worker and a page in another encoding do what they did", async (context) => {
    const site = await harden(context, {
      "index.html": `<!doctype html><title>n</title><iframe srcdoc="&lt;script src=inner.js>&lt;/script>&lt;p style='color:red'>x&lt;/p>"></iframe>
<script>new Worker("worker.js").onmessage = ({ data }) => { document.documentElement.dataset[data] = "1" }</script>`,
      "inner.js": `parent.document.documentElement.dataset.srcdoc = "1"`,
      "worker.js": `importScripts("part.js"); fetch("data.json").then((answer) => answer.json()).then((name) => postMessage(name));`,
      "part.js": "self.part = 1",
      "data.json": '"worker"',
      "latin.html": Buffer.from(
        '<!doctype html><meta charset="iso-8859-1"><title>l</title><p id="p">caf\u00e9</p>',
        "latin1",
      ),
    });
    const { page, seen } = await open(context, site, "/");
    await page.waitForSelector("html[data-worker]", { state: "attached" });
    assert.equal(await marks(page), "srcdoc worker");
    assert.deepEqual(seen, { violations: [], errors: [] });
    const latin = await open(context, site, "/latin.html");
    assert.equal(await latin.page.textContent("#p"), "caf\u00e9");
  });
});
