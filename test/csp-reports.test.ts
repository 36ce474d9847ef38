import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "node:tls";
import { chromium } from "playwright-core";
import { encodeRelease, securityHeaders, withReporting } from "../src/contract/index.ts";
import { loadContract, publishRelease, startStack } from "../src/stack/index.ts";
import type { RunningStack } from "../src/stack/index.ts";
import { requires } from "./requires.ts";
import { httpsGet } from "./support/https-get.ts";
import type { HttpsAnswer } from "./support/https-get.ts";
import { makeProject } from "./support/project.ts";

// A whole stack: what is sent to its report endpoint, by a real browser or by somebody else, and what its log says.

const page = `<!doctype html><title>Bread</title><script>document.title = "planted"</script>
<img src="https://evil.example/pixel.gif?visitor=canary" alt="">`;

interface Site {
  readonly stack: RunningStack;
  readonly root: string;
  readonly origin: string;
  /** Lines of the log about browsers, once there are so many. */
  browserEvents(atLeast: number): Promise<Readonly<Record<string, unknown>>[]>;
  post(type: string, body: string): Promise<HttpsAnswer>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function openSite(context: TestContext): Promise<Site> {
  const port = await freePort();
  const origin = `https://localhost:${port}`;
  const project = await makeProject({
    config: `import { defineStack } from "curtainwall";
export default defineStack({ origin: "${origin}", edge: { threads: 1, redirectPort: false } });`,
  });
  context.after(() => project.remove());
  const { contract } = await loadContract(project.root);
  const policy = "default-src 'none'; script-src 'none'; img-src 'self'; frame-ancestors 'none'";
  const headers = [["content-type", "text/html; charset=utf-8"] as const, ...securityHeaders(policy)];
  const input = {
    path: "/",
    headers: withReporting(headers, contract.reports?.path ?? assert.fail("no endpoint")),
    bytes: { identity: new TextEncoder().encode(page) },
  };
  await publishRelease({ contract, root: project.root }, await encodeRelease([input]));
  const stack = await startStack({ path: project.root, log: () => undefined });
  context.after(() => stack.close());
  const events = (): Readonly<Record<string, unknown>>[] =>
    readFileSync(stack.folders.logFile, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ event }) => String(event).startsWith("browser."));
  return {
    stack,
    root: project.root,
    origin,
    async browserEvents(atLeast) {
      while (events().length < atLeast) await pause(50);
      return events();
    },
    post: (type, body) =>
      httpsGet({
        host: "127.0.0.1",
        port,
        name: "localhost",
        path: "/_reports",
        method: "POST",
        headers: {
          host: `localhost:${port}`,
          "content-type": type,
          "content-length": String(Buffer.byteLength(body)),
        },
        body,
      }),
  };
}

/** Of the certificate's public key, as Chromium wants it. */
async function keyHash(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
  socket.destroy();
  return createHash("sha256")
    .update(key ?? "")
    .digest("base64");
}

const { path: executablePath, skip } = requires("chromium");

test(
  "what a page's policy refuses in Chromium stands in the log, without the visitor's query",
  { skip, timeout: 120_000 },
  async (context) => {
    const site = await openSite(context);
    const browser = await chromium.launch({
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-component-update",
        "--disable-sync",
        "--short-reporting-delay",
        `--ignore-certificate-errors-spki-list=${await keyHash(site.stack.port)}`,
      ],
    });
    context.after(() => browser.close());
    const tab = await browser.newPage();
    await tab.goto(`${site.origin}/?visitor=canary`);
    assert.equal(await tab.title(), "Bread");
    const events = await site.browserEvents(2);
    assert.deepEqual(
      events.map((event) => [event.page, event.directive, event.blocked, event.count].join(" ")).sort(),
      ["/ img-src https://evil.example 1", "/ script-src-elem inline 1"],
    );
    assert.doesNotMatch(JSON.stringify(events), /canary/);
  },
);

test("hostile reports are refused, an honest one beside them is written, and pages are served on", async (context) => {
  const site = await openSite(context);
  const reports = "application/reports+json";
  assert.equal((await site.post(reports, "[".repeat(50_000))).status, 400);
  assert.equal((await site.post(reports, "garbage")).status, 400);
  assert.equal((await site.post(reports, `[${"{},".repeat(9_999)}{}]`)).status, 204);
  assert.equal((await site.post("text/html", "[]")).status, 415);
  // The answer comes while the body is still being sent: either it is read, or the connection is gone.
  const large = await site
    .post(reports, "x".repeat(10_000_000))
    .catch((error: NodeJS.ErrnoException) => error);
  assert.ok("status" in large ? large.status === 413 : ["EPIPE", "ECONNRESET"].includes(large.code ?? ""));
  const honest = {
    "csp-report": {
      "document-uri": `${site.origin}/`,
      "violated-directive": "img-src 'self'",
      "blocked-uri": "https://a.example/b?c",
    },
  };
  assert.equal((await site.post("application/csp-report", JSON.stringify(honest))).status, 204);
  const [event] = await site.browserEvents(1);
  assert.deepEqual(
    [event?.event, event?.page, event?.blocked],
    ["browser.policy.violated", "/", "https://a.example"],
  );
  const answer = await httpsGet({
    host: "127.0.0.1",
    port: site.stack.port,
    name: "localhost",
    headers: { host: new URL(site.origin).host },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["reporting-endpoints"], 'csp="/_reports"');
});
