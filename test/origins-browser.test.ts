import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { z } from "zod";
import {
  decodeRelease,
  defineStack,
  encodeRelease,
  everyone,
  none,
  parseContract,
  upstream,
} from "../src/contract/index.ts";
import type { Header, ReleaseInput } from "../src/contract/index.ts";
import { createEdgeServer, developmentCertificate } from "../src/edge/index.ts";
import { createGateway, createLimitMemory, createLimitStore } from "../src/gateway/index.ts";
import { requires } from "./requires.ts";
import { chromiumFlags } from "./support/chromium.ts";

// What real pages can make a real browser send: our own, a neighbour's under the same domain, a stranger's.

const { path: executablePath, skip } = requires("chromium");

const names = { own: "www.bakery.test", neighbour: "blog.bakery.test", stranger: "evil.test" };
const folder = mkdtempSync(join(tmpdir(), "curtainwall-origins-"));

let browser: Browser;
before(async () => {
  if (skip !== false) return;
  browser = await chromium.launch({
    executablePath,
    args: [...chromiumFlags, "--ignore-certificate-errors", "--host-resolver-rules=MAP * 127.0.0.1"],
  });
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const html = (policy?: string): Header[] => [
  ["content-type", "text/html; charset=utf-8"],
  // These pages are attackers' too: they forbid themselves nothing.
  ["content-security-policy", "default-src * 'unsafe-inline' data: blob:"],
  ...(policy === undefined ? [] : ([["referrer-policy", policy]] as const)),
];

const formTo = (action: string): string =>
  `<!doctype html><title>form</title><form method="post" action="${action}"><button>go</button></form>`;

/** The bakery with an API, and two sites with other pages, each on a port of its own. */
async function open(t: TestContext) {
  const certificate = await developmentCertificate({ folder, hosts: Object.values(names) });
  const asked: string[] = [];
  const refused = new EventEmitter<{ refused: [code: string] }>();
  const serve = async (name: string, files: ReleaseInput[], withApi = false): Promise<string> => {
    const release = await decodeRelease(await encodeRelease(files));
    // Nobody knows the port before it listens, and the origin has to be known before.
    const probe = createEdgeServer({ release, origin: `https://${name}`, certificate });
    const { port } = await probe.listen({ host: "127.0.0.1", port: 0 });
    await probe.close(0);
    const origin = `https://${name}:${port}`;
    const edge = createEdgeServer({
      release,
      origin,
      certificate,
      ...(withApi ? { api: gatewayOf(origin, asked, refused) } : {}),
    });
    await edge.listen({ host: "127.0.0.1", port });
    t.after(() => edge.close(0));
    return origin;
  };
  const page = (path: string, text: string, policy?: string): ReleaseInput => ({
    path,
    headers: html(policy),
    bytes: { identity: Buffer.from(text) },
  });
  const own = await serve(
    names.own,
    [
      page("/", formTo("/api/session")),
      page("/silent/", formTo("/api/session"), "no-referrer"),
      page("/empty/", "<!doctype html><title>empty</title>"),
    ],
    true,
  );
  const elsewhere = [
    page("/", formTo(`${own}/api/session`)),
    page("/silent/", formTo(`${own}/api/session`), "no-referrer"),
    page(
      "/sandbox/",
      `<!doctype html><title>frame</title><iframe sandbox="allow-forms allow-scripts" srcdoc="${formTo(`${own}/api/session`).replaceAll('"', "&quot;")}<script>document.forms[0].submit()</script>"></iframe>`,
    ),
    page("/fetch/", `<!doctype html><title>fetch</title>`),
  ];
  const neighbour = await serve(names.neighbour, elsewhere);
  const stranger = await serve(names.stranger, elsewhere);
  return { own, neighbour, stranger, asked, refused };
}

function gatewayOf(origin: string, asked: string[], refused: EventEmitter<{ refused: [code: string] }>) {
  const contract = parseContract(
    defineStack({
      origin,
      edge: { proxies: "none" },
      upstreams: { shop: upstream({ url: "https://shop.internal" }) },
      routes: {
        "POST /api/session": {
          access: everyone,
          limit: "600/min per client",
          body: none,
          response: z.object({ signedIn: z.boolean() }),
          createsSession: true,
          to: "shop",
        },
      },
    }),
  );
  return createGateway({
    contract,
    limits: createLimitStore(createLimitMemory()),
    events: (event) => {
      if (event.type === "gateway.request.refused") refused.emit("refused", String(event.code));
    },
    destinations: new Map([
      [
        "shop",
        ({ target }, done) => {
          asked.push(target);
          done({ kind: "answer", status: 200, value: { signedIn: true } });
        },
      ],
    ]),
  });
}

/** Opens a page, submits its form, and gives the status of what came back. */
async function submit(page: Page, address: string): Promise<number | undefined> {
  await page.goto(address);
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith("/api/session")),
    page.click("button"),
  ]);
  return answer.status();
}

suite("A route that creates a session, in Chromium", { skip, timeout: 120_000 }, () => {
  test("takes the forms of its own pages, those that send no referrer and hide their origin too", async (t) => {
    const { own, asked } = await open(t);
    const page = await browser.newPage();
    t.after(() => page.close());
    assert.equal(await submit(page, `${own}/`), 200);
    const origins: (string | undefined)[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/api/session"))
        void request.allHeaders().then(({ origin }) => origins.push(origin));
    });
    assert.equal(await submit(page, `${own}/silent/`), 200);
    assert.deepEqual(origins, ["null"], "this is what Chromium sends");
    await page.goto(`${own}/empty/`);
    assert.equal(
      await page.evaluate(async () => (await fetch("/api/session", { method: "POST" })).status),
      200,
    );
    assert.equal(asked.length, 3);
  });

  test("refuses the forms of a neighbour under the same domain, and of a stranger, however they hide", async (t) => {
    const { own, neighbour, stranger, asked, refused } = await open(t);
    const page = await browser.newPage();
    t.after(() => page.close());
    // What a browser shows of a refusal in a frame is its own business: the gateway tells what came.
    const refusalOf = async (act: () => Promise<unknown>): Promise<unknown> => {
      const [[code]] = await Promise.all([once(refused, "refused"), act()]);
      return code;
    };
    for (const site of [neighbour, stranger]) {
      for (const path of ["/", "/silent/"]) {
        await page.goto(site + path);
        assert.equal(await refusalOf(() => page.click("button")), "GATEWAY_ORIGIN_REFUSED", site + path);
      }
    }
    for (const site of [neighbour, stranger]) {
      const code = await refusalOf(() => page.goto(`${site}/sandbox/`));
      assert.equal(code, "GATEWAY_ORIGIN_REFUSED", `${site} from a sandbox`);
      await page.goto(`${site}/fetch/`);
      const outcome = await page.evaluate(
        async (address) =>
          await Promise.allSettled([
            fetch(address, { method: "POST", mode: "no-cors", credentials: "include" }),
            fetch(address, { method: "POST", credentials: "include" }),
          ]).then((results) => results.map(({ status }) => status)),
        `${own}/api/session`,
      );
      assert.deepEqual(outcome, ["rejected", "rejected"], "nothing of the answer can be read");
    }
    assert.deepEqual(asked, []);
  });
});
