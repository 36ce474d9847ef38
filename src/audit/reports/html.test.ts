import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { requires } from "../../../test/requires.ts";
import { check, exchange, hostileReport, hostileText, row, sampleReport } from "../fixtures/report.ts";
import type { AuditReport } from "../report.ts";
import { toHtml } from "./html.ts";

const system = requires("chromium");

test("what failed stands with the line of the option that promised otherwise", async () => {
  const html = await toHtml(sampleReport());
  const place =
    '<span class="where">examples/shop/curtainwall.config.ts:63, limit of GET /api/orders/:id</span>';
  assert.equal(html.split(place).length - 1, 3, "two findings, and what to do next");
  assert.ok(html.includes("and 1 more"), "how often it failed is told while it is folded");
  assert.ok(html.includes('<b class="seen">answer 200</b>'), "and what was seen");
});

test("a check says how many of its observations stand on the page: the others are counted, and kept nowhere", async () => {
  const evidence = ["one", "two"].map((about) => exchange(about));
  const html = await toHtml(
    sampleReport(row("API-7", "Errors", check("keys", "passed", { observations: 16, evidence }))),
  );
  assert.ok(html.includes("16 observations, the first 2 kept as evidence and 14 more counted<"));
});

test("of a failed check stands what failed; what held is counted", async () => {
  const [first, second, held] = ["one", "two", "three"].map((about) => exchange(`the ${about} attempt`));
  assert.ok(first !== undefined && second !== undefined && held !== undefined);
  const evidence = [first, second, held];
  const failed = check("keys", "failed", { observations: 17, failing: 2, held: 12, evidence });
  const html = await toHtml(sampleReport(row("API-7", "Errors", failed)));
  assert.ok(html.includes("17 observations: 5 failed, and 12 that held"));
  assert.ok(html.includes("And 3 more that failed: they were counted, and no evidence of them is kept."));
  assert.ok(html.includes("the two attempt") && !html.includes("the three attempt"));
});

test("what to do next has every item that failed, and says so where it leaves reasons out", async () => {
  const ids = Array.from({ length: 12 }, (_, index) => `FE-${index + 1}`);
  const bad = ids.map((id) => row(id, "Pages", check("a page", "failed")));
  const gaps = Array.from({ length: 9 }, (_, index) =>
    row(
      `MON-${index + 1}`,
      "Logs",
      check("a log", "missing", { reason: `reason ${index}`, observations: 0 }),
    ),
  );
  const html = await toHtml(sampleReport(...bad, ...gaps));
  for (const id of ids) assert.ok(html.includes(`<li>Mend ${id}, a page`), id);
  assert.match(html, /And 5 more reasons why checks were not made/);
});

test("checks that were not made are told by their reason, and code that mends a failure is led to from it", async () => {
  const bad = row("FE-4", "Security headers", check("200, a page", "failed"));
  const idle = ["one", "two"].map((name) =>
    check(name, "missing", { observations: 0, reason: "nothing answers" }),
  );
  const says = "Each answer has the header set";
  const html = await toHtml({
    ...sampleReport(bad, row("MON-2", "Real-time alerts", ...idle)),
    mends: [
      {
        checks: [{ row: "FE-4", name: "200, a page" }],
        says,
        framework: "Express",
        because: "x-powered-by: Express",
        where: "before the routes",
        language: "js",
        code: "app.use(headers);",
      },
    ],
  });
  assert.ok(html.includes('<p class="bare">one; two<span class="reason">nothing answers</span></p>'));
  assert.equal(html.split(`<a href="#mend-1">${says}</a>`).length, 3, "at the check, and in what to do next");
  assert.equal(html.split('id="mend-1"').length, 2);
});

test("items that wait for a later version are told once, above all items, and are no other kind of unknown", async () => {
  const waiting = ["one", "two"].map((name) =>
    check(name, "missing", { observations: 0, reason: "comes with alerts" }),
  );
  const partly = row("FE-1", "Scripts", check("sinks", "passed"), ...waiting);
  const html = await toHtml(sampleReport(row("MON-2", "Real-time alerts", ...waiting), partly));
  assert.match(
    html,
    /was not looked at\. 1 of the 4 waits for a later version of the audit: .*>MON-2<\/a>\.<\/p>/,
  );
  assert.equal(html.split('<span class="of"> not yet</span>').length, 3, "in the overview, and at the item");
  assert.ok(!(await toHtml(sampleReport())).includes("later version"));
});

suite("The HTML report in Chromium", { skip: system.skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-html-"));
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({
      executablePath: system.path,
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    });
  });
  after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a report from its file, as people do, and gives what happened. */
  async function open(html: string, name: string, width = 1200) {
    const file = join(folder, `${name}.html`);
    writeFileSync(file, html);
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    const messages: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
    page.on("dialog", (dialog) => {
      messages.push("a dialog was opened");
      void dialog.dismiss();
    });
    await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
    return { page, messages, requests };
  }

  const write = (report: AuditReport): Promise<string> => toHtml(report);

  test("breaks its own policy nowhere, loads nothing, and is styled", async () => {
    const { page, messages, requests } = await open(await write(sampleReport()), "sample");
    assert.deepEqual(messages, []);
    assert.equal(requests.length, 1, requests.join(" "));
    const width = await page.locator("main").evaluate((main) => getComputedStyle(main).maxWidth);
    assert.equal(width, "960px", "its hash lets its style through");
    assert.equal(
      await page.locator("details.row").first().locator(".id").textContent(),
      "API-2",
      "worst first",
    );
    await page.close();
  });

  test("shows hostile text as text: nothing runs, nothing is loaded, nothing becomes an element", async () => {
    const { page, messages, requests } = await open(await write(hostileReport()), "hostile");
    assert.deepEqual(messages, []);
    assert.equal(requests.length, 1, requests.join(" "));
    assert.match(await page.title(), /^Audit of/);
    assert.equal(await page.locator("script, img, svg, iframe, object, form, textarea").count(), 0);
    const led = await page.locator("a").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
    assert.deepEqual(
      led.filter((href) => !/^#(?:item|mend)-\d+$/.test(href)),
      [],
      "links lead within the page",
    );
    assert.equal(await page.locator("style").count(), 1);
    const shown = (await page.locator("h1").textContent()) ?? "";
    assert.ok(shown.includes(hostileText.slice(0, 60)), "the text is there, to be read");
    assert.doesNotMatch(await page.locator("body").innerText(), /[\u001b\u202e\u0007]/);
    await page.close();
  });

  test("would be told by this test if something ran or its policy were broken", async () => {
    const html = (await write(sampleReport())).replace("</main>", "<script>1</script><img src=x></main>");
    const { page, messages } = await open(html, "broken");
    assert.equal(messages.filter((message) => /Content Security Policy/.test(message)).length >= 2, true);
    await page.close();
  });

  test("begins with a line for each item, which leads to it and opens it", async () => {
    const { page } = await open(await write(sampleReport()), "overview");
    const lines = page.locator("nav a");
    assert.deepEqual(await lines.locator(".id").allTextContents(), ["API-2", "API-3", "API-4", "API-1"]);
    const item = page.locator("details.row", { hasText: "Every endpoint" });
    assert.equal(await item.getAttribute("open"), null, "what is proved is folded");
    await lines.last().click();
    await page.locator("details.row[open]", { hasText: "Every endpoint" }).waitFor();
    await page.close();
  });

  test("has verdicts under each other, and under each other how far they came, in each column of items", async () => {
    const more = row("API-8", "HTTPS with TLS 1.3", ...["a", "b"].map((name) => check(name, "passed")));
    const { page } = await open(await write(sampleReport(more)), "aligned", 1280);
    for (const places of ["nav", "section"]) {
      const edges = await page.locator(`${places} .count`).evaluateAll((all) =>
        all.map((count) => {
          const [verdict, of] = [...count.children].map((part) => part.getBoundingClientRect());
          // Where the items stand in two columns, each has edges of its own.
          const { right } = count.getBoundingClientRect();
          return [verdict?.left, of?.right ?? right].map((edge) => Math.round((edge ?? 0) - right));
        }),
      );
      assert.ok(edges.length >= 5);
      assert.equal(new Set(edges.map(String)).size, 1, JSON.stringify(edges));
    }
    await page.close();
  });

  test("shows a failure in a line, and its evidence when that is pressed", async () => {
    const { page } = await open(await write(sampleReport()), "folded");
    const failed = page.locator(".check.failing");
    assert.equal(await failed.locator(".finding").isVisible(), true);
    assert.equal(await failed.locator("pre").first().isVisible(), false);
    await failed.locator("summary").first().click();
    assert.equal(await failed.locator("pre").first().isVisible(), true);
    assert.equal(await failed.locator(".finding").isVisible(), false, "told once");
    await page.close();
  });

  test("on a phone each item has its verdict beside it, and under that how far it came: what is not built is told from what was not seen", async () => {
    const waiting = check("alerts", "missing", { observations: 0, reason: "comes with alerts" });
    const html = await write(sampleReport(row("MON-2", "Real-time alerts", waiting)));
    const { page } = await open(html, "phone", 500);
    const line = page.locator("nav a").first();
    assert.equal(await line.locator(".count .failed").innerText(), "failed");
    assert.equal(await line.locator(".count .failed").isVisible(), true);
    assert.equal(
      (await line.locator(".count .of").innerText()).trim(),
      "0 of 2 passed, 1 failed, 1 not made",
    );
    const later = page.locator("nav a", { hasText: "Real-time" }).locator(".of");
    assert.equal(await later.isVisible(), true);
    assert.equal((await later.innerText()).trim(), "not yet");
    await page.close();
  });

  test("fits a phone and a sheet of paper, which has what failed and what is unknown, and counts what held", async () => {
    for (const report of [sampleReport(), hostileReport()]) {
      const { page } = await open(await write(report), "narrow", 320);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 320, `${wide} pixels of 320`);
      const rest = page.locator("p.paper");
      assert.equal(await rest.isVisible(), false);
      await page.emulateMedia({ media: "print" });
      assert.equal(await rest.isVisible(), true, "where the rest is");
      const proved = page.locator("details.row", { hasText: "Every endpoint" });
      assert.equal(await proved.locator("h3").isVisible(), true);
      assert.equal(await proved.locator(".check").first().isVisible(), false, "what held is a line");
      const failed = page.locator(".check.failing").first();
      assert.equal(await failed.locator(".evidence.failing pre").first().isVisible(), true);
      assert.equal(await failed.locator(".evidence").nth(1).isVisible(), false, "once is enough");
      assert.match(await failed.locator("span.paper").innerText(), /the first of \d pieces of evidence/);
      assert.equal(await failed.locator(".command").first().isVisible(), false, "nobody types that");
      assert.equal(await page.locator(".bare").first().isVisible(), true, "what is not known is told");
      await page.close();
    }
  });
});
