// Learning of a site that runs: it is only read, and only if it is the user's own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { command } from "./support/command.ts";
import { isCurtainwallError } from "../src/shared/index.ts";
import { learnSite } from "../src/harden/node.ts";
import { requires } from "./requires.ts";

const { path: executablePath, skip } = requires("chromium");

const html = (body: string): string =>
  `<!doctype html><html lang="en"><title>Harbour office</title><body>${body}</body></html>`;

/** Answers that only a running server has: addresses without endings, words from an API, a redirect. */
const answers: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/": [
    "text/html; charset=utf-8",
    html('<p id="word"></p><button>Order</button><a href="/quay">quay</a><script src="/site.js"></script>'),
  ],
  "/quay": ["text/html", html('<a href="/old">old</a><script type="module" src="/quay.js"></script>')],
  "/tides/": ["text/html", html('<img src="/tide.png" alt=""><p>no script</p>')],
  "/hidden/": ["text/html", html("<p>only the sitemap knows</p>")],
  "/site.js": [
    "text/javascript",
    `const hidden = (...parts) => parts.join("");
fetch(hidden("/api", "/word")).then((answer) => answer.json()).then(({ word }) => {
  const picture = new Image();
  picture.src = hidden("https://pictures", ".example/", word, ".png");
});
document.querySelector("button").onclick = () => fetch(hidden("/api", "/order"), { method: "POST", body: "1" });`,
  ],
  "/quay.js": ["text/javascript", 'import { where } from "./parts.js"; fetch(where());'],
  "/parts.js": ["text/javascript", 'export const where = () => ["/api", "word"].join("/");'],
  "/api/word": ["application/json", '{"word":"afloat"}'],
  "/sitemap.xml": [
    "application/xml",
    "<urlset><url><loc>https://www.harbour.example/hidden/</loc></url></urlset>",
  ],
};

async function serve(context: TestContext): Promise<{ origin: string; heard: string[] }> {
  const heard: string[] = [];
  const server = createServer(({ method, url = "" }, response) => {
    heard.push(`${method} ${url}`);
    if (url === "/old") return void response.writeHead(301, { location: "/tides/" }).end();
    const [type, text] = answers[url] ?? [];
    if (type === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": type, "set-cookie": "visitor=1" }).end(text);
  });
  await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}

test(
  "a running site is learned of page by page, and hears nothing but GET",
  { skip, timeout: 120_000 },
  async (context) => {
    const { origin, heard } = await serve(context);
    const learned = await learnSite({ url: new URL(origin), executablePath });
    assert.deepEqual(learned.failed, []);
    const allowOf = (page: string) => learned.classes.find(({ pages }) => pages.includes(page))?.allow;
    assert.deepEqual(allowOf("/index.html"), {
      "connect-src": ["'self'"],
      "img-src": ["https://pictures.example"],
    });
    assert.deepEqual(allowOf("/quay.html"), { "connect-src": ["'self'"] });
    for (const page of ["/tides/index.html", "/hidden/index.html"]) assert.deepEqual(allowOf(page), {});
    assert.equal(learned.visited, 4);
    assert.deepEqual(learned.findings, []);
    assert.ok(heard.includes("GET /api/word"));
    assert.deepEqual(
      heard.filter((request) => !request.startsWith("GET ")),
      [],
    );
  },
);

test(
  "a site that does not run, or has no pages, is told of, and nothing is learned",
  { skip },
  async (context) => {
    const server = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
    context.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const learn = () => learnSite({ url: new URL(`http://127.0.0.1:${port}/x`), executablePath });
    const failed = (reason: RegExp) => (error: unknown) =>
      isCurtainwallError(error, "HARDEN_LEARN_FAILED") && reason.test(error.message);
    await assert.rejects(learn(), failed(/no page/));
    await new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    });
    await assert.rejects(learn(), failed(/ECONNREFUSED/));
  },
);

test("another's site is refused before anything is asked of it; a contract's own origin is not", (context) => {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-learn-site-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const index = new URL("../src/contract/index.ts", import.meta.url).href;
  const config = join(root, "curtainwall.config.ts");
  const learn = (address: string): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [...command, "csp", "learn", address, "--browser", "/bin/false"], {
      encoding: "utf8",
      cwd: root,
      env: { ...process.env, NO_COLOR: "1" },
    });
  const refused = learn("https://www.harbour.invalid/");
  assert.equal(refused.status, 2, refused.stderr);
  assert.match(refused.stderr, /not on this machine, and there is no contract here/);
  writeFileSync(
    config,
    `import { defineStack } from ${JSON.stringify(index)};\nexport default defineStack({ origin: "https://www.harbour.invalid" });\n`,
  );
  const other = learn("https://www.quay.invalid/");
  assert.match(other.stderr, /the contract is for https:\/\/www\.harbour\.invalid/);
  // It passes, and fails at the name, which nobody has (RFC 2606).
  assert.match(learn("https://www.harbour.invalid/").stderr, /HARDEN_LEARN_FAILED/);
  assert.equal(existsSync(join(root, "learned.json")), false);
});
