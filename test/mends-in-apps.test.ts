import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { everyone, defineStack, parseContract, upstream } from "../src/contract/index.ts";
import { z } from "zod";
import { fastify } from "../src/audit/mends/fastify.ts";
import { hono } from "../src/audit/mends/hono.ts";
import { mendSettings } from "../src/audit/mends/settings.ts";
import type { Fault } from "../src/audit/mends/faults.ts";

const allowed = "https://app.example.com";
const settings = mendSettings(
  parseContract(
    defineStack({
      origin: "https://www.example.com",
      cors: { origins: [allowed] },
      upstreams: { app: upstream({ url: "https://app.internal" }) },
      routes: {
        "POST /api/notes": {
          access: everyone,
          limit: "20/min per client",
          body: z.object({ text: z.string().max(10) }),
          maxBodyBytes: 2048,
          response: z.object({}),
          to: "app",
        },
        "GET /api/few": {
          access: everyone,
          limit: "2/min per client",
          response: z.object({}),
          to: "app",
        },
      },
    }),
  ),
);

const snippets = { fastify, hono };
const mend = (of: keyof typeof snippets, ...faults: Fault[]): string =>
  faults.map((fault) => snippets[of][fault]?.(settings).code ?? "").join("\n");

const apps = {
  fastify: `import fastify from "fastify";
${mend("fastify", "body", "headers", "cors", "limits", "errors")}
app.post("/api/notes", async (request) => ({ got: request.body }));
app.get("/api/few", { config: { rateLimit: { max: 2, timeWindow: 60_000 } } }, async () => ({}));
app.get("/api/fails", async () => { throw new Error("of the inside"); });
console.log(await app.listen({ port: 0, host: "127.0.0.1" }));`,
  hono: `import { Hono } from "hono";
import { serve } from "@hono/node-server";
const app = new Hono();
${mend("hono", "headers", "cors", "limits", "body", "errors")}
app.post("/api/notes", async (c) => c.json({ got: await readJson(c) }));
app.get("/api/few", (c) => c.json({}));
app.get("/api/fails", () => { throw new Error("of the inside"); });
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => console.log("http://127.0.0.1:" + port));`,
};

for (const [name, source] of Object.entries(apps))
  suite(`an app on ${name} with its mends`, () => {
    const folder = mkdtempSync(join(tmpdir(), "curtainwall-mended-"));
    mkdirSync(join(folder, "public"));
    symlinkSync(fileURLToPath(new URL("../node_modules", import.meta.url)), join(folder, "node_modules"));
    writeFileSync(join(folder, "app.mjs"), source);
    let address = "";
    let stop: () => Promise<unknown>;
    before(async () => {
      const child = spawn(process.execPath, ["app.mjs"], {
        cwd: folder,
        stdio: ["ignore", "pipe", "ignore"],
      });
      const exited = once(child, "exit");
      stop = () => (child.kill("SIGKILL"), exited);
      const line = once(createInterface({ input: child.stdout }), "line");
      [address = ""] = ((await Promise.race([line, exited.then(() => [])])) as string[]).slice(0, 1);
      assert.match(address, /^http:/, "it starts");
    });
    after(async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const post = (body: string, type = "application/json"): Promise<Response> =>
      fetch(`${address}/api/notes`, { method: "POST", body, headers: { "content-type": type } });

    test("serves what is honest", async () => {
      assert.deepEqual(await (await post('{"text":"hello"}')).json(), { got: { text: "hello" } });
    });

    test("refuses bodies that are too large, ambiguous or no JSON, in one shape", async () => {
      const statuses = [];
      for (const [body, type] of [
        ['{"a":1,"a":2}'],
        ['{"__proto__":{}}'],
        ["{"],
        ["a=1", "text/plain"],
        [`"${"a".repeat(2048)}"`],
      ] as const) {
        const answer = await post(body, type);
        statuses.push(answer.status);
        assert.match(answer.headers.get("content-type") ?? "", /^application\/problem\+json/);
      }
      assert.deepEqual(statuses, [400, 400, 400, 415, 413]);
    });

    test("sends the headers with every answer, and tells nothing of a failure but its id", async () => {
      for (const path of ["/api/notes", "/nowhere", "/api/fails"]) {
        const answer = await fetch(`${address}${path}`);
        for (const [header, value] of settings.headers)
          assert.equal(answer.headers.get(header), value, `${path} ${header}`);
        assert.ok(!(await answer.text()).includes("inside"));
      }
    });

    test("allows the origin on its list, and no other; answers vary by it", async () => {
      const from = async (origin: string): Promise<(string | null)[]> => {
        const { headers } = await fetch(`${address}/api/nothing`, { headers: { origin } });
        return [headers.get("access-control-allow-origin"), headers.get("vary")];
      };
      assert.deepEqual(await from(allowed), [allowed, "Origin"]);
      assert.deepEqual(await from("https://evil-app.example.com"), [null, "Origin"]);
      assert.match((await fetch(`${address}/api/nothing`)).headers.get("vary") ?? "", /Origin/);
    });

    test("ends a burst, whatever address its headers name, and says when to come back", async () => {
      const statuses = [];
      let last: Response | undefined;
      for (const count of [1, 2, 3, 4]) {
        last = await fetch(`${address}/api/few`, { headers: { "x-forwarded-for": `198.51.100.${count}` } });
        statuses.push(last.status);
      }
      assert.deepEqual(statuses, [200, 200, 429, 429]);
      assert.ok(Number(last?.headers.get("retry-after")) > 0);
    });
  });
