import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { TestContext } from "node:test";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext } from "playwright-core";
import { z } from "zod";
import {
  decodeRelease,
  defineStack,
  encodeRelease,
  none,
  parseContract,
  signedIn,
  upstream,
} from "../src/contract/index.ts";
import type { ReleaseInput } from "../src/contract/index.ts";
import { createEdgeServer, developmentCertificate } from "../src/edge/index.ts";
import {
  createGateway,
  createLimitMemory,
  createLimitStore,
  createSessionVerifier,
} from "../src/gateway/index.ts";
import { tokenDigest } from "../src/gateway/node.ts";
import { requires } from "./requires.ts";

// What a signed-in visitor's browser can be made to send along with its session: by our own pages, a neighbour's under the same domain (one
// whose origin the contract even declares), a stranger's. The cookie is SameSite=None: what the browser holds back by itself proves nothing.

const { path: executablePath, skip } = requires("chromium");

const names = { own: "www.bakery.test", neighbour: "blog.bakery.test", stranger: "evil.test" };
const folder = mkdtempSync(join(tmpdir(), "curtainwall-sessions-"));
const id = "A".repeat(43);

let browser: Browser;
before(async () => {
  if (skip !== false) return;
  browser = await chromium.launch({
    executablePath,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...["--ignore-certificate-errors", "--host-resolver-rules=MAP * 127.0.0.1"],
    ],
  });
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const page = (path: string, text: string, policy?: string): ReleaseInput => ({
  path,
  headers: [
    ["content-type", "text/html; charset=utf-8"],
    // These pages are attackers' too: they forbid themselves nothing.
    ["content-security-policy", "default-src * 'unsafe-inline' data: blob:"],
    ...(policy === undefined ? [] : ([["referrer-policy", policy]] as const)),
  ],
  bytes: { identity: Buffer.from(`<!doctype html><title>page</title>${text}`) },
});

interface Scene {
  readonly own: string;
  readonly neighbour: string;
  readonly stranger: string;
  /** Who called, as the upstream was told. */
  readonly callers: (string | undefined)[];
  readonly refused: EventEmitter<{ refused: [code: string] }>;
  readonly visitor: BrowserContext;
}

async function open(t: TestContext): Promise<Scene> {
  const certificate = await developmentCertificate({ folder, hosts: Object.values(names) });
  const callers: (string | undefined)[] = [];
  const refused = new EventEmitter<{ refused: [code: string] }>();
  const portOf = async (name: string): Promise<{ origin: string; port: number }> => {
    const release = await decodeRelease(await encodeRelease([page("/", "")]));
    const probe = createEdgeServer({ release, origin: `https://${name}`, certificate });
    const { port } = await probe.listen({ host: "127.0.0.1", port: 0 });
    await probe.close(0);
    return { origin: `https://${name}:${port}`, port };
  };
  const [own, neighbour, stranger] = await Promise.all(Object.values(names).map(portOf));
  if (own === undefined || neighbour === undefined || stranger === undefined) throw new Error("no ports");
  const form = (policy?: string) =>
    page(
      policy === undefined ? "/" : "/silent/",
      `<form method="post" action="${own.origin}/api/orders"><button>go</button></form><a href="${own.origin}/api/me">me</a>`,
      policy,
    );
  for (const { origin, port } of [own, neighbour, stranger]) {
    const release = await decodeRelease(await encodeRelease([form(), form("no-referrer")]));
    const api = origin === own.origin ? gatewayOf(origin, neighbour.origin, callers, refused) : undefined;
    const edge = createEdgeServer({ release, origin, certificate, ...(api === undefined ? {} : { api }) });
    await edge.listen({ host: "127.0.0.1", port });
    t.after(() => edge.close(0));
  }
  const visitor = await browser.newContext({ ignoreHTTPSErrors: true });
  t.after(() => visitor.close());
  await visitor.addCookies([
    { name: "__Host-session", value: id, url: own.origin, secure: true, httpOnly: true, sameSite: "None" },
  ]);
  return {
    own: own.origin,
    neighbour: neighbour.origin,
    stranger: stranger.origin,
    callers,
    refused,
    visitor,
  };
}

function gatewayOf(
  origin: string,
  partner: string,
  callers: (string | undefined)[],
  refused: EventEmitter<{ refused: [code: string] }>,
) {
  const route = { access: signedIn, limit: "600/min per client", to: "shop" } as const;
  const contract = parseContract(
    defineStack({
      origin,
      edge: { proxies: "none" },
      sessions: {},
      cors: { origins: [partner] },
      upstreams: { shop: upstream({ url: "https://shop.internal" }) },
      routes: {
        "GET /api/me": { ...route, response: z.object({ ok: z.boolean() }) },
        "POST /api/orders": { ...route, body: none, response: z.object({ ok: z.boolean() }) },
      },
    }),
  );
  const session = { caller: { subject: "alice", roles: [] }, issuedAt: 1, expiresMs: Date.now() + 600_000 };
  const events = (event: { type: string; code?: unknown }): void => {
    if (event.type === "gateway.request.refused") refused.emit("refused", String(event.code));
  };
  return createGateway({
    contract,
    limits: createLimitStore(createLimitMemory()),
    sessions: createSessionVerifier({
      store: { find: async (name) => (name === tokenDigest(id) ? session : undefined) },
      digest: tokenDigest,
      events,
    }),
    events,
    destinations: new Map([
      [
        "shop",
        ({ caller }, done) => {
          callers.push(caller?.subject);
          done({ kind: "answer", status: 200, value: { ok: true } });
        },
      ],
    ]),
  });
}

suite("A visitor's session, in Chromium", { skip, timeout: 120_000 }, () => {
  test("is used by the site's own pages: scripts, and forms, of pages that send no referrer too", async (t) => {
    const { own, callers, visitor } = await open(t);
    const tab = await visitor.newPage();
    for (const path of ["/", "/silent/"]) {
      await tab.goto(own + path);
      const statuses = await tab.evaluate(async () => [
        (await fetch("/api/me")).status,
        (await fetch("/api/orders", { method: "POST" })).status,
      ]);
      assert.deepEqual(statuses, [200, 200], path);
      const [answer] = await Promise.all([
        tab.waitForResponse((response) => response.url().endsWith("/api/orders")),
        tab.click("button"),
      ]);
      assert.equal(answer.status(), 200, path);
    }
    assert.equal((await tab.goto(`${own}/api/me`))?.status(), 200, "an address that was typed");
    assert.deepEqual(new Set(callers), new Set(["alice"]));
    assert.equal(callers.length, 7);
  });

  test("is of no use to a neighbour's and a stranger's pages, whatever they make the browser send", async (t) => {
    const { own, neighbour, stranger, callers, refused, visitor } = await open(t);
    const tab = await visitor.newPage();
    const refusalOf = async (act: () => Promise<unknown>): Promise<unknown> => {
      const [[code]] = await Promise.all([once(refused, "refused"), act()]);
      return code;
    };
    const send = (what: string) =>
      tab.evaluate(
        ([kind, address]) => {
          const include = { credentials: "include" } as const;
          if (kind === "image")
            document.body.append(Object.assign(new Image(), { src: `${address}/api/me` }));
          else if (kind === "ahead") {
            const rules = {
              prefetch: [{ source: "list", urls: [`${address}/api/me`], eagerness: "immediate" }],
            };
            document.body.append(
              Object.assign(document.createElement("script"), {
                type: "speculationrules",
                textContent: JSON.stringify(rules),
              }),
            );
          } else if (kind === "read") void fetch(`${address}/api/me`, include).catch(() => undefined);
          else if (kind === "opaque")
            void fetch(`${address}/api/orders`, { ...include, method: "POST", mode: "no-cors" }).catch(
              () => undefined,
            );
          else void fetch(`${address}/api/orders`, { ...include, method: "POST" }).catch(() => undefined);
        },
        [what, own] as const,
      );
    const cases: readonly (readonly [string, string, readonly string[]])[] = [
      [neighbour, "GATEWAY_CROSS_SITE_REFUSED", ["GATEWAY_CROSS_SITE_REFUSED"]],
      // Many a Chromium sends no cookie for a picture on a page of another site, so that nobody is there.
      [stranger, "GATEWAY_ORIGIN_REFUSED", ["GATEWAY_CROSS_SITE_REFUSED", "GATEWAY_TOKEN_MISSING"]],
    ];
    await tab.goto(`${neighbour}/`);
    // Chromium says of what a page has it fetch ahead what it says of an address that was typed. With cookies, it does so for a neighbour alone.
    if (await tab.evaluate(() => HTMLScriptElement.supports("speculationrules")))
      assert.equal(await refusalOf(() => send("ahead")), "GATEWAY_CROSS_SITE_REFUSED", "speculation rules");
    for (const [site, foreign, image] of cases) {
      await tab.goto(`${site}/`);
      // No browser says an origin with a picture, or a link; that another page asks it does say.
      assert.ok(image.includes(String(await refusalOf(() => send("image")))), site);
      // A neighbour's origin is declared, so what it says is let in as far as a session may be used.
      assert.equal(await refusalOf(() => send("read")), foreign, site);
      assert.equal(await refusalOf(() => send("opaque")), foreign, site);
      assert.equal(await refusalOf(() => send("write")), foreign, site);
      // Chromium hides where a form on another origin's page comes from, whatever that page says of referrers.
      for (const path of ["/", "/silent/"]) {
        await tab.goto(site + path);
        assert.equal(await refusalOf(() => tab.click("button")), "GATEWAY_ORIGIN_REFUSED", site + path);
      }
      await tab.goto(`${site}/`);
      assert.equal(await refusalOf(() => tab.click("a")), "GATEWAY_CROSS_SITE_REFUSED", `${site}: a link`);
    }
    assert.deepEqual(callers, []);
  });
});
