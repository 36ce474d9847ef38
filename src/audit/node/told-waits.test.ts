import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../contract/index.ts";
import { runAttack } from "./run-attack.ts";

/** Refuses the first who come, whatever address they come from, and says when to come back. */
function strictShop(retryAfterSeconds: number): ReturnType<typeof createServer> {
  let refusals = 6;
  return createServer((request, response) => {
    request.resume();
    if (request.url?.startsWith("/api/bread") !== true || refusals-- <= 0)
      return void response.writeHead(200, { "content-type": "application/json" }).end("{}");
    response.writeHead(429, { "retry-after": String(retryAfterSeconds) }).end();
  });
}

test("whoever watches an attack is told of a limit that it waits for, whose and how long", async (t) => {
  const server = strictShop(1).listen(0, "127.0.0.1");
  t.after(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const contract = parseContract(
    defineStack({
      origin: "https://localhost",
      upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
      routes: {
        "GET /api/bread": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" },
      },
    }),
  );
  const waits: string[] = [];
  await runAttack({
    contract,
    target: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    root: import.meta.dirname,
    kinds: ["errors"],
    budgetMs: 20_000,
    onWait: ({ limitOf, milliseconds }) => waits.push(`${limitOf} ${milliseconds}`),
  });
  assert.ok(waits.includes("GET /api/bread 1100"), waits.join(", "));
});
