// Attacks a contract of so many routes, or sends as many plain requests; prints what each request cost this process.
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "undici";
import { z } from "zod";
import { runAttack } from "../src/audit/index.ts";
import { defineStack, everyone, parseContract, upstream } from "../src/contract/index.ts";
import type { Contract } from "../src/contract/index.ts";

const [mode = "attack", size = "10"] = process.argv.slice(2);
const routes = Number(size);
/** As many as attacks run at once. */
const atOnce = 4;
/** What an attack on a route sends, about. */
const perRoute = 60;

const folder = mkdtempSync(join(tmpdir(), "curtainwall-bench-attack-"));
const server = fork(join(import.meta.dirname, "attack-server.ts"), {
  execArgv: ["--conditions=curtainwall-source"],
});
try {
  const { port, ca } = await told<{ port: number; ca: string }>(server);
  const origin = `https://localhost:${port}`;
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const attempts = mode === "attack" ? await attack(describe(origin), ca) : await plain(origin, ca);
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  server.send("count");
  const { requests } = await told<{ requests: number }>(server);
  const { maxRSS } = process.resourceUsage();
  console.log(
    JSON.stringify({ requests, attempts, ms, ns: ((user + system) * 1000) / requests, mb: maxRSS / 1024 }),
  );
} finally {
  server.disconnect();
  rmSync(folder, { recursive: true, force: true });
}

async function told<Message>(child: ChildProcess): Promise<Message> {
  const [message] = (await once(child, "message")) as [Message];
  return message;
}

function describe(origin: string): Contract {
  const made = Array.from({ length: routes }, (_, index) => [
    `GET /api/things/${index}`,
    { access: everyone, limit: "60/min per client", response: z.object({ name: z.string() }), to: "shop" },
  ]);
  return parseContract(
    defineStack({
      origin,
      edge: { redirectPort: false },
      upstreams: { shop: upstream({ url: origin, caFile: "ca.pem" }) },
      routes: Object.fromEntries(made) as Record<`GET /${string}`, never>,
    }),
  );
}

async function attack(contract: Contract, ca: string): Promise<number> {
  writeFileSync(join(folder, "ca.pem"), ca);
  const report = await runAttack({
    contract,
    target: new URL(contract.origin),
    ca,
    root: folder,
    kinds: ["input", "cors", "verbs", "errors"],
    budgetMs: 600_000,
  });
  if (report.ended !== undefined) throw new Error(report.ended.says);
  return report.summary.attempts;
}

/** The same number of requests without looking at what comes back: what sending alone costs. */
async function plain(origin: string, ca: string): Promise<number> {
  const agent = new Agent({ connect: { ca }, connections: atOnce });
  let left = routes * perRoute;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) {
        const { body } = await agent.request({ origin, path: `/api/things/${left % routes}`, method: "GET" });
        await body.text();
      }
    }),
  );
  await agent.close();
  return routes * perRoute;
}
