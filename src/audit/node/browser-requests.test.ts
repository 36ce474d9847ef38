import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { requires } from "../../../test/requires.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { openBrowser } from "./browser.ts";
import type { OpenBrowser } from "./browser.ts";

const chromium = requires("chromium");

async function serve(
  answer: RequestListener,
): Promise<{ origin: string; asked: string[]; close: () => void }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${secretsOf(request)}`);
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close };
}

const secretsOf = ({ headers }: IncomingMessage): string =>
  [headers.authorization, headers.cookie].filter((value) => value !== undefined).join(" ") || "nothing";

const headers = { authorization: "Bearer secret", cookie: "session=secret" };

async function browse(
  target: string,
  work: (browser: OpenBrowser) => Promise<void>,
  origins: readonly string[] = [],
): Promise<void> {
  const browser = await openBrowser({
    executablePath: chromium.path,
    target: new URL(target),
    spkiSha256: "",
    origins,
  });
  try {
    await work(browser);
  } finally {
    await browser.close();
  }
}

test(
  "what a caller identifies itself by goes with the page alone: not with pictures, frames, redirects, or elsewhere",
  chromium,
  async () => {
    const other = await serve((_, response) => response.end("x"));
    const page = `<!doctype html><img src="${other.origin}/image"><img src="/own-image"><iframe src="/frame"></iframe>
<iframe src="${other.origin}/frame"></iframe><iframe src="/page"></iframe>`;
    const away = new Map([
      ["/away", `${other.origin}/redirected`],
      ["/around", "/around-again"],
    ]);
    const target = await serve(({ url = "" }, response) => {
      const location = away.get(url);
      if (location === undefined)
        response.writeHead(200, { "content-type": "text/html" }).end(url === "/page" ? page : "x");
      else response.writeHead(302, { location }).end();
    });
    try {
      const visitAll = async (browser: OpenBrowser): Promise<void> => {
        for (const path of ["/page", "/away", "/around", `${other.origin}/elsewhere`])
          await browser.visit(path, undefined, { headers });
      };
      await browse(target.origin, visitAll, [other.origin]);
      const ofTarget = target.asked.filter((line) => !line.endsWith(" nothing"));
      assert.deepEqual(ofTarget, [
        "/page Bearer secret session=secret",
        "/away Bearer secret session=secret",
        "/around Bearer secret session=secret",
      ]);
      assert.ok(target.asked.includes("/around-again nothing"));
      for (const path of ["/image", "/frame", "/redirected", "/elsewhere"])
        assert.ok(other.asked.includes(`${path} nothing`), `${path}: ${other.asked.join("; ")}`);
      assert.deepEqual(
        other.asked.filter((line) => !line.endsWith(" nothing")),
        [],
      );
    } finally {
      target.close();
      other.close();
    }
  },
);

test(
  "a page that asks for more than can be noted is left, and the next one is visited",
  chromium,
  async () => {
    const script = (code: string): string => `<!doctype html><script>${code}</script>`;
    const floods = new Map([
      ["/flood", script("for (let n = 0; n < 2500; n++) fetch('/' + n)")],
      ["/long", script("for (let n = 0; n < 20; n++) fetch('/?' + n + 'x'.repeat(1e6))")],
    ]);
    const target = await serve(({ url }, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end(floods.get(url ?? "") ?? "x");
    });
    try {
      await browse(target.origin, async (browser) => {
        for (const path of floods.keys())
          for (const visitor of [undefined, { clicks: true }])
            await assert.rejects(browser.visit(path, undefined, visitor), (error) =>
              isCurtainwallError(error, "AUDIT_ANSWER_INVALID"),
            );
        const { status, asked } = await browser.visit("/");
        assert.equal(status, 200);
        assert.ok(asked.length < 5, `${asked.length}`);
      });
    } finally {
      target.close();
    }
  },
);

test(
  "of what a page says of itself no more is read than a mark needs, whatever it did to its strings",
  chromium,
  async () => {
    const loud = `<!doctype html><script>String.prototype.slice = function () { return String(this); };
globalThis.requestAnimationFrame = () => 0;
document.documentElement.dataset.curtainwallMark = "first " + "x".repeat(1e7);</script>`;
    const target = await serve((_, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end(loud);
    });
    try {
      await browse(target.origin, async (browser) => {
        const { marks } = await browser.visit("/");
        assert.equal(marks[0], "first");
        assert.equal(marks.join(" ").length, 4096);
      });
    } finally {
      target.close();
    }
  },
);
