import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { z } from "zod";
import { collections } from "../examples/bakery/collections.ts";
import { decodeRelease, defineStack, everyone, parseContract, upstream } from "../src/contract/index.ts";
import type { Contract, Release } from "../src/contract/index.ts";
import { buildSite } from "../src/site/index.ts";
import { contentAttacks } from "../src/site/content/fixtures/content-attacks.ts";
import { renderMarkdown } from "../src/site/content/markdown.ts";
import { sanitizeContent } from "../src/site/content/sanitize.ts";
import { requires } from "./requires.ts";
import { chromiumFlags } from "./support/chromium.ts";

const { path: executablePath, skip } = requires("chromium");
const bakery = fileURLToPath(new URL("../examples/bakery", import.meta.url));
const products = {
  products: [
    { id: "weir-loaf", name: "Weir loaf", priceCents: 471, currency: "GBP", available: true },
    { id: "seven-seed", name: "Seven seed", priceCents: 540, currency: "GBP", available: false },
  ],
};

let browser: Browser;
before(async () => {
  if (skip === false) browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });
});
after(() => browser?.close());

interface Served {
  readonly origin: string;
  close(): Promise<void>;
}

type Answer = readonly [status: number, headers: Readonly<Record<string, string>>, body: Uint8Array | string];

async function serve(answer: (path: string) => Answer): Promise<Served> {
  const server = createServer((request, response) => {
    const [status, headers, body] = answer(new URL(request.url ?? "/", "http://localhost").pathname);
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

/** Serves a release as the edge does, as far as a browser can tell, and the one call that its script makes. */
function answerFrom(release: Release): (path: string) => Answer {
  const files = new Map(release.manifest.files.map((file) => [file.path, file]));
  return (path) => {
    if (path === "/api/products")
      return [200, { "content-type": "application/json" }, JSON.stringify(products)];
    const found = files.get(path);
    const file = found ?? files.get(release.manifest.notFound ?? "") ?? assert.fail("no 404 page");
    const [identity] = file.variants;
    const body = release.body.subarray(identity?.offset, (identity?.offset ?? 0) + (identity?.length ?? 0));
    return [found === undefined ? 404 : 200, Object.fromEntries(file.headers), body];
  };
}

const bakeryContract = (): Contract =>
  parseContract(
    defineStack({
      origin: "https://localhost:8443",
      site: { content: "content", templates: "templates", assets: "public", collections },
      upstreams: { shop: upstream({ url: "https://localhost:9443" }) },
      routes: {
        "GET /api/products": {
          access: everyone,
          limit: "60/min per client",
          response: z.object({ products: z.array(z.object({ id: z.string() })) }),
          to: "shop",
        },
      },
    }),
  );

interface Watch {
  readonly violations: string[];
  readonly errors: string[];
}

/** Collects policy violations and errors of a page, those before its first script included. */
async function watch(page: Page): Promise<Watch> {
  const seen: Watch = { violations: [], errors: [] };
  await page.exposeFunction("curtainwallViolation", (text: string) => seen.violations.push(text));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      const report = (globalThis as unknown as { curtainwallViolation: (text: string) => void })
        .curtainwallViolation;
      report(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("dialog", (dialog) => {
    seen.errors.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return seen;
}

test(
  "every page of the bakery loads without a violation or an error, at its full height",
  { skip, timeout: 120_000 },
  async (context) => {
    const cacheFolder = await mkdtemp(join(tmpdir(), "curtainwall-browser-"));
    context.after(() => rm(cacheFolder, { recursive: true, force: true }));
    const built = await buildSite({ root: bakery, contract: bakeryContract(), cacheFolder });
    const served = await serve(answerFrom(await decodeRelease(built.release)));
    context.after(() => served.close());
    assert.ok(built.pages.length >= 12);

    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    context.after(() => page.close());
    const seen = await watch(page);
    for (const { path } of built.pages) {
      const response = await page.goto(served.origin + path);
      assert.equal(response?.status(), 200, path);
      // Pictures far down load when they come near: all of them are looked at.
      const broken = await page.evaluate(async () => {
        for (const image of document.images) image.loading = "eager";
        await Promise.allSettled([...document.images].map((image) => image.decode()));
        return [...document.images].filter((image) => image.naturalWidth === 0).map((image) => image.src);
      });
      assert.deepEqual(broken, [], path);
      assert.equal(await page.evaluate(() => document.styleSheets.length), 1, path);
      assert.match((await page.textContent("[data-open-now]")) ?? "", /^(?:Open now|Closed)/, path);
    }
    assert.deepEqual(seen, { violations: [], errors: [] });

    await page.goto(`${served.origin}/breads/`);
    await page.waitForSelector(".is-sold-out");
    assert.equal(await page.textContent('[data-product="weir-loaf"]'), "£4.71");
    assert.equal(await page.textContent('[data-product="seven-seed"]'), "£5.40, sold out today");
    assert.equal(await page.textContent('[data-product="porridge-loaf"]'), "£4.90");
  },
);

test(
  "what an attacker puts into a page of the bakery does not run, and what leads away does not load",
  { skip, timeout: 120_000 },
  async (context) => {
    const cacheFolder = await mkdtemp(join(tmpdir(), "curtainwall-browser-"));
    context.after(() => rm(cacheFolder, { recursive: true, force: true }));
    const built = await buildSite({ root: bakery, contract: bakeryContract(), cacheFolder });
    const honest = answerFrom(await decodeRelease(built.release));
    const injection = [
      "<script>globalThis.hit = 1</script>",
      '<script src="/hostile.js"></script>',
      '<img src="/nothing.png" onerror="globalThis.hit = 2">',
      '<a id="link" href="javascript:globalThis.hit=3">x</a>',
      '<p style="background: url(/style-attribute.png)">x</p>',
      "<style>body { background: url(/inline-style.png) }</style>",
      '<iframe src="/about/"></iframe>',
      '<base href="https://evil.example/">',
      '<form id="form" action="https://evil.example/"><button>x</button></form>',
    ].join("");
    const asked: string[] = [];
    const served = await serve((path) => {
      asked.push(path);
      if (path === "/hostile.js") return [200, { "content-type": "text/javascript" }, "globalThis.hit = 4"];
      const [status, headers, body] = honest(path);
      if (path !== "/about/") return [status, headers, body];
      return [status, headers, Buffer.from(body).toString().replace("</body>", `${injection}</body>`)];
    });
    context.after(() => served.close());

    const page = await browser.newPage();
    context.after(() => page.close());
    const seen = await watch(page);
    await page.goto(`${served.origin}/about/`, { waitUntil: "networkidle" });
    await page.evaluate(() => document.getElementById("link")?.click());
    await page.evaluate(async () => {
      const refused = new Promise((done) => {
        document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
          if (effectiveDirective === "form-action") done(undefined);
        });
      });
      (document.getElementById("form") as HTMLFormElement).submit();
      await refused;
    });
    const sinks = await page.evaluate(() => {
      try {
        document.body.innerHTML = "<img src=x onerror='globalThis.hit = 5'>";
        return "reached";
      } catch (error) {
        return (error as Error).name;
      }
    });
    await page.waitForLoadState("networkidle");
    assert.equal(await page.evaluate(() => (globalThis as { hit?: number }).hit), undefined);
    assert.equal(sinks, "TypeError");
    assert.equal(new URL(page.url()).pathname, "/about/");
    for (const path of ["/hostile.js", "/style-attribute.png", "/inline-style.png"])
      assert.ok(!asked.includes(path), path);
    const directives = new Set(seen.violations.map((text) => text.split(" ")[0]));
    for (const directive of [
      "script-src-elem",
      "script-src-attr",
      "style-src-attr",
      "style-src-elem",
      "frame-src",
      "base-uri",
      "form-action",
      "require-trusted-types-for",
    ])
      assert.ok(directives.has(directive), `${directive}: ${seen.violations.join(" | ")}`);
  },
);

test(
  "no known attack in content runs anything, even without the policy that would stop it",
  { skip, timeout: 120_000 },
  async (context) => {
    const bodies = contentAttacks.map((attack) => sanitizeContent(renderMarkdown(attack)).html);
    // Twenty to a document: a browser takes a second for each ten.
    const documents = Array.from(
      { length: Math.ceil(bodies.length / 20) },
      (_, index) =>
        `<!doctype html><html lang="en"><body>${bodies.slice(index * 20, index * 20 + 20).join("\n")}</body></html>`,
    );
    // One attack as it came, to see that this test would notice.
    const control = `<!doctype html><html lang="en"><body>${contentAttacks[4]}</body></html>`;
    const served = await serve((path) => {
      const html = path === "/control" ? control : documents[Number(path.slice(1))];
      return html === undefined ? [404, {}, ""] : [200, { "content-type": "text/html; charset=utf-8" }, html];
    });
    context.after(() => served.close());
    const page = await browser.newPage();
    context.after(() => page.close());
    const seen = await watch(page);
    await page.addInitScript(() => {
      globalThis.alert = () => {
        throw new Error("executed");
      };
    });
    const requests: string[] = [];
    page.on("request", (request) => {
      if (request.resourceType() !== "document" && request.resourceType() !== "image")
        requests.push(request.url());
    });
    for (const path of documents.keys()) {
      await page.goto(`${served.origin}/${path}`);
      const links = await page.$$eval("a[href]", (anchors) =>
        anchors.map((anchor) => (anchor as HTMLAnchorElement).protocol),
      );
      assert.ok(
        links.every((scheme) => /^(?:https?|mailto|tel):$/.test(scheme)),
        `${path}: ${links.join(" ")}`,
      );
    }
    assert.deepEqual(seen.errors, []);
    assert.deepEqual(requests, []);
    await page.goto(`${served.origin}/control`);
    assert.deepEqual(seen.errors, ["executed"]);
  },
);
