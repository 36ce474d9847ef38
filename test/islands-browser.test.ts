import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { contentAttacks } from "../src/site/content/fixtures/content-attacks.ts";
import { buildIslandSite, serveRelease, textOf } from "./support/island-site.ts";
import type { ApiAnswer } from "./support/island-site.ts";
import { requires } from "./requires.ts";
import { chromiumFlags } from "./support/chromium.ts";

const { path: executablePath, skip } = requires("chromium");
const options = { skip, timeout: 120_000 };

let browser: Browser;
before(async () => {
  if (skip === false) browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });
});
after(() => browser?.close());

interface Watch {
  readonly violations: string[];
  readonly errors: string[];
}

/** Collects a page's policy violations and errors, from before its first script. */
async function watch(page: Page): Promise<Watch> {
  const seen: Watch = { violations: [], errors: [] };
  await page.exposeFunction("noteViolation", (text: string) => seen.violations.push(text));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
      const { noteViolation } = globalThis as unknown as { noteViolation: (text: string) => void };
      noteViolation(`${effectiveDirective} ${blockedURI}`);
    });
  });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("dialog", (dialog) => {
    seen.errors.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return seen;
}

const answer =
  (body: unknown, status = 200, type = "application/json"): ApiAnswer =>
  (_, response) =>
    void response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));

/** What the island says about its call, once it is over. */
async function stateOf(page: Page): Promise<string> {
  await page.waitForSelector('#state:not([data-kind="waiting"])', { state: "attached" });
  return (await page.textContent("#state")) ?? "";
}

test(
  "an island stands in the page as the build rendered it, comes to life, calls the API, and breaks no rule",
  options,
  async (context) => {
    const { unpacked, pages } = await buildIslandSite(context);
    const rendered = textOf(unpacked, "/") ?? "";
    assert.match(rendered, /<div data-island="Shelf"><section><h2>Bread &lt;\/script>&lt;b><\/h2>/);
    const products = ["<img src=x onerror=alert(1)>", "Rye", "Spelt"].map((name) => ({
      id: name.slice(0, 3),
      name,
    }));
    const origin = await serveRelease(context, unpacked, answer({ products }));
    const page = await browser.newPage();
    context.after(() => page.close());
    const seen = await watch(page);
    await page.goto(origin);
    assert.equal(await stateOf(page), "");
    assert.deepEqual(await page.locator("li").allTextContents(), ["<img src=x onerror=alert(1)>", "Rye"]);
    await page.click("button");
    await page.click("button");
    assert.equal(await page.textContent("button"), "2");
    assert.equal(
      await page.locator("section").count(),
      1,
      "it was rendered a second time, not brought to life",
    );
    assert.deepEqual(seen, { violations: [], errors: [] });

    const policy = (path: string): string => pages.find((one) => one.path === path)?.policy ?? "";
    assert.match(policy("/"), /script-src 'sha256-[^']+'; connect-src 'self';/);
    assert.match(policy("/"), /trusted-types 'none'/);
    assert.match(policy("/notes/plain/"), /default-src 'none'; script-src 'none'; object-src/);
  },
);

test(
  "an answer that is not what the contract declares reaches the island as an error, never as data",
  options,
  async (context) => {
    const { unpacked } = await buildIslandSite(context);
    const answers: [ApiAnswer, RegExp][] = [
      [answer({ products: [{ id: "rye", name: 7 }] }), /^CLIENT_ANSWER_INVALID 200 .*products\[0\]\.name/],
      [answer({ products: {} }), /^CLIENT_ANSWER_INVALID .*products/],
      [answer({}), /^CLIENT_ANSWER_INVALID .*products/],
      [answer({ products: [] }, 200, "text/html"), /^CLIENT_ANSWER_INVALID .*not JSON/],
      [
        answer({ id: "01JABC", code: "GATEWAY_LIMITED" }, 429, "application/problem+json"),
        /^CLIENT_REFUSED 429 01JABC/,
      ],
      [answer({ id: 7 }, 502, "text/html"), /^CLIENT_REFUSED 502 /],
      [
        (_, response) => void response.writeHead(302, { location: "/api/other" }).end(),
        /^CLIENT_UNREACHABLE/,
      ],
      [(_, response) => void response.destroy(), /^CLIENT_UNREACHABLE/],
    ];
    let current = answers[0]?.[0] ?? answer({});
    const origin = await serveRelease(context, unpacked, (request, response) => current(request, response));
    const page = await browser.newPage();
    context.after(() => page.close());
    for (const [api, expected] of answers) {
      current = api;
      await page.goto(origin);
      assert.match(await stateOf(page), expected);
      assert.equal(await page.locator("li").count(), 0);
    }
  },
);

test(
  "a script that is put into a page with an island does not run, nor does the island's module when a byte of it changes",
  options,
  async (context) => {
    const { unpacked } = await buildIslandSite(context);
    const page = await browser.newPage();
    context.after(() => page.close());
    const seen = await watch(page);
    const injected =
      '<script>globalThis.hit = 1</script><script type="module">globalThis.hit = 2</script><img src="/x" onerror="globalThis.hit = 3">';
    const origin = await serveRelease(context, unpacked, answer({ products: [] }), (html) =>
      html.replace("</body>", `${injected}</body>`),
    );
    await page.goto(origin);
    assert.equal(await stateOf(page), "", "the island itself is not disturbed");
    const sink = await page.evaluate(() => {
      try {
        document.body.innerHTML = "<b>x</b>";
        return "reached";
      } catch (error) {
        return (error as Error).name;
      }
    });
    assert.equal(sink, "TypeError");
    assert.equal(await page.evaluate(() => (globalThis as { hit?: number }).hit), undefined);
    assert.ok(seen.violations.some((text) => text.startsWith("script-src-elem inline")));
    assert.ok(seen.violations.some((text) => text.startsWith("require-trusted-types-for")));

    const module =
      unpacked.manifest.files.find(({ path }) => path.includes("Shelf")) ?? assert.fail("no module");
    const body = Uint8Array.from(unpacked.body);
    const [variant] = module.variants;
    body.set(new TextEncoder().encode(";"), (variant?.offset ?? 0) + (variant?.length ?? 0) - 1);
    const tampered = await serveRelease(context, { ...unpacked, body }, answer({ products: [] }));
    const console: string[] = [];
    page.on("console", (message) => console.push(message.text()));
    await page.goto(tampered);
    await page.waitForLoadState("networkidle");
    assert.equal(await page.getAttribute("#state", "data-kind"), "waiting");
    assert.ok(
      console.some((text) => /integrity/i.test(text)),
      console.join("\n"),
    );
  },
);

test(
  "props that somebody else wrote into the page bring no island to life unless they fit",
  options,
  async (context) => {
    const { unpacked } = await buildIslandSite(context);
    const forged =
      '<div data-island="Shelf"><p id="forged">x</p></div><script type="application/json">{"title":{"__html":"<b>"},"most":1}</script>';
    const origin = await serveRelease(context, unpacked, answer({ products: [] }), (html) =>
      html.replace("<body>", `<body>${forged}`),
    );
    const page = await browser.newPage();
    context.after(() => page.close());
    await page.goto(origin);
    assert.equal(await stateOf(page), "");
    assert.equal(await page.textContent("#forged"), "x");
  },
);

test("a browser gets of the contract what its island names, and of the package nothing for servers", async (context) => {
  const { unpacked } = await buildIslandSite(context);
  const module = textOf(unpacked, /^\/assets\/_islands\/Shelf/) ?? assert.fail("no module");
  assert.ok(module.includes('"GET /api/products"'));
  for (const absent of [
    "secretMarginPercent",
    "/api/margins",
    "shop.internal",
    "60/min",
    "ZodObject",
    "node:",
  ])
    assert.ok(!module.includes(absent), absent);
  assert.ok(module.length < 24_000, `${module.length} bytes`);
  assert.equal(
    textOf(unpacked, "/_islands/Shelf.js"),
    undefined,
    "there is one address, the one with its hash",
  );
  assert.deepEqual((await buildIslandSite(context)).release, (await buildIslandSite(context)).release);
});

const richIsland = `
import { createClient } from "curtainwall/client";
import { island } from "curtainwall/island";
import { RichText } from "curtainwall/rich-text";
import { useEffect, useState } from "preact/hooks";
import { z } from "zod";

const api = createClient();

export const Shelf = island("Shelf", { title: z.string().max(40), most: z.int() }, ({ title }) => {
  const [reviews, setReviews] = useState([]);
  useEffect(() => void api("GET /api/reviews").then(({ html }) => setReviews(html)), []);
  return <section><RichText html={"<b onclick='x'>" + title} class="first" />{reviews.map((html, at) => <RichText key={at} html={html} class="review" />)}</section>;
});
`;

test(
  "rich text of the API is what the sanitiser leaves of it, and no known attack in it runs anything",
  { skip, timeout: 120_000 },
  async (context) => {
    const { unpacked, pages } = await buildIslandSite(context, { "templates/Shelf.island.tsx": richIsland });
    assert.match(
      pages.find(({ path }) => path === "/")?.policy ?? "",
      /require-trusted-types-for 'script'; trusted-types curtainwall;/,
    );
    assert.match(pages.find(({ path }) => path === "/notes/plain/")?.policy ?? "", /trusted-types 'none'/);
    assert.match(textOf(unpacked, "/") ?? "", /<div class="first"><b>Bread <b><\/b><\/b><\/div>/);
    const honest =
      '<h2>Good</h2><p>A <strong>fine</strong> <a href="https://www.site.example/rye">rye</a>.</p>';
    const deep = "<b>".repeat(20_000);
    const html = [honest, ...contentAttacks, deep];
    const origin = await serveRelease(context, unpacked, answer({ html }));
    const page = await browser.newPage();
    context.after(() => page.close());
    const seen = await watch(page);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(origin);
    await page.waitForFunction((count) => document.querySelectorAll(".review").length === count, html.length);
    await page.waitForLoadState("networkidle");
    assert.equal(await page.locator(".review").first().innerHTML(), honest);
    const left = await page.evaluate(() => {
      const elements = [...document.querySelectorAll(".review *")];
      return {
        names: [...new Set(elements.map(({ localName }) => localName))].sort(),
        attributes: [...new Set(elements.flatMap((element) => element.getAttributeNames()))].sort(),
        schemes: [
          ...new Set(
            elements.flatMap((element) =>
              element instanceof HTMLAnchorElement && element.hasAttribute("href") ? [element.protocol] : [],
            ),
          ),
        ],
      };
    });
    for (const name of [
      "script",
      "img",
      "svg",
      "math",
      "style",
      "iframe",
      "form",
      "input",
      "template",
      "object",
      "link",
      "meta",
      "base",
    ])
      assert.ok(!left.names.includes(name), name);
    for (const name of left.attributes)
      assert.ok(!/^on|^style$|^id$|^name$|^class$|^src|^data-|form/.test(name), name);
    for (const scheme of left.schemes) assert.match(scheme, /^(?:https?|mailto|tel):$/);
    assert.deepEqual(seen, { violations: [], errors: [] });
    assert.deepEqual(
      asked.filter((path) => !/^\/(?:$|assets\/|api\/reviews$)/.test(path)),
      [],
    );

    // The policy makes no markup that the sanitiser would not, whoever asks; and there is no other.
    const gained = await page.evaluate(() => {
      const policy = (globalThis as unknown as Record<symbol, { createHTML(html: string): unknown }>)[
        Symbol.for("curtainwall.rich-text")
      ];
      const made = String(policy?.createHTML("<img src=x onerror=alert(1)><b>x</b>"));
      const { trustedTypes } = globalThis as unknown as {
        trustedTypes: { createPolicy(name: string, rules: object): unknown };
      };
      const others = ["curtainwall", "default", "evil"].map((name) => {
        try {
          trustedTypes.createPolicy(name, { createHTML: (html: string) => html });
          return `${name} was made`;
        } catch {
          return "refused";
        }
      });
      return { made, others };
    });
    assert.deepEqual(gained, { made: "<b>x</b>", others: ["refused", "refused", "refused"] });
  },
);
