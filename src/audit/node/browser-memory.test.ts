import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { requires } from "../../../test/requires.ts";
import { openBrowser } from "./browser.ts";
import type { OpenBrowser } from "./browser.ts";

const chromium = requires("chromium");
const megabyte = 1_048_576;
/** An honest page takes some 170 MB. */
const maxBytes = 500 * megabyte;

/** Fills the memory, to 1 GB at most, so that no machine is full where nothing bounds it. */
const filling = (megabytes: number): string =>
  `const kept = []; setInterval(() => kept.length * 16 < ${megabytes} && kept.push(new Uint8Array(${16 * megabyte}).fill(1)), 5);`;
const workers = `for (let i = 0; i < 4; i++) new Worker(URL.createObjectURL(new Blob([${JSON.stringify(filling(256))}])));`;
/** None of them has loaded before this is answered, which it never is. */
const unanswered = "/picture";
const pageOf = (script: string): string =>
  `<!doctype html><title>x</title><script>${script}</script><img src="${unanswered}">`;
const pages: Readonly<Record<string, string>> = {
  "/honest": "<!doctype html><title>x</title><script>document.title = 'x'.repeat(1000)</script>",
  "/buffers": pageOf(filling(1024)),
  "/workers": pageOf(workers),
};

async function browse(t: TestContext): Promise<OpenBrowser> {
  const server = createServer(({ url = "" }, response) => {
    if (url !== unanswered) response.writeHead(200, { "content-type": "text/html" }).end(pages[url]);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const target = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const browser = await openBrowser({ executablePath: chromium.path, target, spkiSha256: "", maxBytes });
  t.after(async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
  });
  return browser;
}

const tooMuch = (path: string): RegExp =>
  new RegExp(
    `^CurtainwallError: the browser took more than 500 MB of memory, and was ended: ${path} was not looked at in full`,
  );

test(
  "a page that fills the memory ends its browser, and the next page has another one, three times",
  chromium,
  async (t) => {
    const browser = await browse(t);
    const isHonest = async (): Promise<void> =>
      assert.equal((await browser.visit("/honest")).status, 200, "it takes little, and is shown");
    await isHonest();
    await assert.rejects(browser.visit("/buffers"), tooMuch("/buffers"));
    await isHonest();
    await assert.rejects(browser.visit("/workers", undefined, { clicks: true }), tooMuch("/workers"));
    await isHonest();
    // What is looked at beside it ends with it, once.
    const beside = await Promise.allSettled([
      browser.visit("/buffers", undefined, { clicks: true }),
      browser.visit("/buffers"),
    ]);
    for (const { status } of beside) assert.equal(status, "rejected");
    await assert.rejects(
      browser.visit("/honest"),
      /took more than 500 MB of memory, and was ended 3 times: \/honest was not looked at/,
    );
  },
);
