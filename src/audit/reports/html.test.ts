import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { requires } from "../../../test/requires.ts";
import { hostileReport, hostileText, sampleReport } from "../fixtures/report.ts";
import type { AuditReport } from "../report.ts";
import { toHtml } from "./html.ts";

const system = requires("chromium");

test("what failed stands with the line of the option that promised otherwise", async () => {
  const html = await toHtml(sampleReport());
  const place =
    '<span class="where">examples/shop/curtainwall.config.ts:63, limit of GET /api/orders/:id</span>';
  assert.equal(html.split(place).length - 1, 3, "two findings, and what to do next");
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
    assert.equal(await page.locator("script, img, a, svg, iframe, object, form, textarea").count(), 0);
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

  test("fits a phone and a sheet of paper, with everything folded open on paper", async () => {
    for (const report of [sampleReport(), hostileReport()]) {
      const { page } = await open(await write(report), "narrow", 320);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 320, `${wide} pixels of 320`);
      const folded = page.locator("details:not([open]) .check").first();
      assert.equal(await folded.isVisible(), false);
      await page.emulateMedia({ media: "print" });
      assert.equal(await folded.isVisible(), true);
      await page.close();
    }
  });
});
