import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { startStack } from "../src/stack/index.ts";
import { makeProject } from "./support/project.ts";

test("what one thread of a stack learns to be old, the other does not give away either", async (t) => {
  let version = 1;
  let asked = 0;
  const server = createServer((incoming, response) => {
    incoming.resume();
    asked++;
    if (incoming.method === "POST") version++;
    response.setHeader("content-type", "application/json").end(JSON.stringify({ version }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const route = `access: everyone, priority: "high", limit: "9000/s per client", response: z.object({ version: z.number() }), to: "shop"`;
  const project = await makeProject({
    config: `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 2 },
  upstreams: { shop: upstream({
    url: "http://127.0.0.1:${(server.address() as AddressInfo).port}", insecureAllowHttp: "a test's own server",
  }) },
  routes: {
    "GET /api/version": { ${route}, cache: { seconds: 86400 } },
    "POST /api/version": { ${route}, body: z.object({}) },
  },
});`,
  });
  t.after(() => project.remove());
  const stack = await startStack({ path: project.root, log: () => undefined });
  t.after(() => stack.close());
  const ca = readFileSync(stack.caFile ?? assert.fail("no development authority"));
  const agents = Array.from({ length: 16 }, () => new Agent({ ca, keepAlive: true, maxSockets: 1 }));
  t.after(() => {
    for (const agent of agents) agent.destroy();
  });
  const ask = (agent: Agent, method = "GET"): Promise<{ version: number; isKept: boolean }> =>
    new Promise((resolve, reject) => {
      const headers = {
        host: "localhost",
        ...(method === "POST" ? { "content-type": "application/json" } : {}),
      };
      const target = { host: "127.0.0.1", servername: "localhost", port: stack.port, path: "/api/version" };
      const outgoing = request({ ...target, agent, method, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          const isKept = String(response.headers["cache-status"]).includes("hit");
          resolve({ ...(JSON.parse(text) as { version: number }), isKept });
        });
      });
      outgoing.on("error", reject);
      outgoing.end(method === "POST" ? "{}" : undefined);
    });

  for (const agent of agents) await ask(agent);
  // Which thread takes a connection is the kernel's choice.
  const threads = asked;
  assert.ok(threads <= 2, "each thread asked once at most");
  for (const agent of agents) assert.deepEqual(await ask(agent), { version: 1, isKept: true });
  const [first] = agents as [Agent];
  assert.equal((await ask(first, "POST")).version, 2);
  assert.equal((await ask(first)).version, 2, "who changed it sees so at once");
  // The other thread hears of it a moment later; by time alone it would be a day.
  for (const agent of agents) while ((await ask(agent)).version !== 2);
  assert.equal(asked, 2 * threads + 1);
});
