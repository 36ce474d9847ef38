import assert from "node:assert/strict";
import { get } from "node:http";
import { createServer, get as getOverTls } from "node:https";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../../contract/index.ts";
import { testCertificate } from "../../fixtures/certificate.ts";
import { runAudit } from "../../node/run.ts";
import type { AuditCheck } from "../../report.ts";

// A site that follows addresses, after it has looked whether they are those that it means to follow.

interface Texts {
  readonly url: string;
  readonly photo: string;
  readonly note: string;
}

/** What a site asks for that is told these texts. Every one of them is meant for example.com alone, or for no host of this machine. */
const sites = {
  "compares the name of the host": ({ url }) =>
    URL.parse(url)?.hostname === "example.com" ? url : undefined,
  "looks for the name anywhere": ({ url }) => (url.includes("example.com") ? url : undefined),
  "looks at how it begins": ({ url }) => (url.startsWith("https://example.com") ? url : undefined),
  "looks at how it ends": ({ url }) => (/^http[^?#]+\.png$/.test(url) ? url : undefined),
  "looks at how all of it begins and ends": ({ url }) =>
    url.startsWith("https://example.com") && url.endsWith(".png") ? url : undefined,
  "refuses the names of this machine and looks for its own": ({ photo }) =>
    /127\.0\.0\.1|localhost/.test(photo) || !photo.includes("example.com") ? undefined : photo,
  "refuses the names of this machine": ({ photo }) =>
    /127\.0\.0\.1|localhost/.test(photo) ? undefined : photo,
  "makes a page of a text": ({ note }) => /<img[^>]+src=["']?(http[^"'\s>]+)/i.exec(note)?.[1],
} satisfies Record<string, (texts: Texts) => string | undefined>;

const own = await testCertificate();
let site: (texts: Texts) => string | undefined;
let attempts = 0;

const server = createServer({ ...own, minVersion: "TLSv1.3" }, ({ url = "" }, response) => {
  const { searchParams } = new URL(url, origin);
  const of = (name: string): string => searchParams.get(name) ?? "";
  attempts++;
  ask(site({ url: of("url"), photo: of("photo"), note: of("note") }));
  response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}');
});
await new Promise<void>((ready) => server.listen({ host: "localhost", port: 0 }, ready));
const origin = `https://localhost:${(server.address() as AddressInfo).port}` as const;

after(() => {
  server.close();
  server.closeAllConnections();
});

/** Asks for an address, unless it is the one that is meant. */
function ask(address = ""): void {
  const to = URL.parse(address);
  if (to === null || to.hostname === "example.com") return;
  if (to.protocol === "http:") get(to).on("error", () => undefined);
  if (to.protocol === "https:") getOverTls(to, { ca: own.ca }).on("error", () => undefined);
}

const text = z.string().max(300);
const contract = parseContract(
  defineStack({
    origin,
    upstreams: { shop: upstream({ url: origin }) },
    edge: { redirectPort: false },
    routes: {
      "GET /api/preview": {
        access: everyone,
        limit: "6000/min per client",
        query: { url: text, photo: text, note: text },
        response: z.object({ ok: z.boolean() }),
        to: "shop",
      },
    },
  }),
);
const sample = {
  query: { url: "https://example.com/a.png", photo: "https://example.com/a.png", note: "Dear Bob" },
};

async function audit(of: keyof typeof sites): Promise<AuditCheck["state"]> {
  site = sites[of];
  attempts = 0;
  const { rows } = await runAudit({
    contract,
    plan: { samples: { "GET /api/preview": sample } },
    target: new URL(origin),
    root: import.meta.dirname,
    ca: own.ca,
    only: ["API-3"],
  });
  const wanted = "no address in a request makes the stack ask it";
  return rows[0]?.checks.find(({ name }) => name === wanted)?.state ?? assert.fail();
}

for (const name of Object.keys(sites) as (keyof typeof sites)[])
  if (name === "compares the name of the host")
    test(`a site that ${name} asks nobody else`, async () => {
      assert.equal(await audit(name), "passed");
      assert.ok(attempts < 400, `${attempts} requests of all the row's checks`);
    });
  else
    test(`a site that ${name} is found`, async () => {
      assert.equal(await audit(name), "failed");
    });
