import assert from "node:assert/strict";
import { test } from "node:test";
import { defineStack, everyone, none, parseContract, upstream } from "../../../contract/index.ts";
import type { Contract, ReleaseIndex } from "../../../contract/index.ts";
import { runCheck } from "../../check.ts";
import { createCommands } from "../../commands.ts";
import type { AuditContext } from "../../context.ts";
import type { AuditCheck } from "../../report.ts";
import { insideAddresses } from "./inside-addresses.ts";

const contractFor = (url: string): Contract =>
  parseContract(
    defineStack({
      origin: "https://localhost:8443",
      site: { dist: "dist", build: "make" },
      upstreams: { shop: upstream({ url }) },
      routes: {
        "GET /api/cakes": { access: everyone, limit: "9/min per client", response: none, to: "shop" },
      },
    }),
  );

/** What is said of a site whose one page holds this text. */
function look(url: string, text: string, type = "text/html; charset=utf-8"): Promise<AuditCheck> {
  const files = [{ path: "/", headers: [["content-type", type]], variants: [] }];
  const response = {
    status: 200,
    headers: [],
    header: () => undefined,
    text: () => text,
    body: new Uint8Array(),
  };
  const context = {
    contract: contractFor(url),
    release: { manifest: { files, notFound: undefined } } as unknown as ReleaseIndex,
    target: new URL("https://localhost:8443"),
    isLoopback: true,
    caller: {
      send: (request: object) =>
        Promise.resolve({ request: { method: "GET", path: "/", headers: [], ...request }, response }),
    },
    commands: createCommands({ folder: ".", address: undefined, environment: [], start: undefined }),
  } as unknown as AuditContext;
  return runCheck(insideAddresses, "FE-6", context);
}

test("a page or a script that tells where a service lies on the inside fails", async () => {
  for (const [url, text] of [
    ["https://localhost:8444", '<body data-shop="https://localhost:8444">'],
    ["https://shop.internal", 'fetch("https://shop.internal/cakes")'],
    ["https://10.1.2.3:8000", "const api = '10.1.2.3:8000';"],
    ["https://shop", 'fetch("//shop/cakes")'],
  ] as const)
    assert.equal((await look(url, text)).state, "failed", text);
});

test("words that only resemble it pass, and so does the site's own address", async () => {
  for (const [url, text] of [
    ["https://localhost:8444", "https://localhost:8443/ and https://localhost:84440/"],
    ["https://shop", "The shop is open. https://shop.example/"],
    ["https://shop.internal", "https://workshop.internal/"],
  ] as const)
    assert.equal((await look(url, text)).state, "passed", text);
});

test("what is no text is not read, and an address that is everybody's is no secret", async () => {
  assert.equal((await look("https://shop.internal", "https://shop.internal/", "image/png")).state, "missing");
  assert.equal((await look("https://shop.example", "https://shop.example/")).state, "not applicable");
});
