// Runs in a network namespace of its own, where a /64 leads to loopback: two hosts of one site that count in one Redis, and an audit of their limits.
// Then a site that takes each address of IPv6 for a client. Prints what the audits found, as JSON.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { defineAudit } from "../../src/audit/index.ts";
import { startSite } from "../../src/audit/fixtures/site.ts";
import { runCheck } from "../../src/audit/check.ts";
import { openContext } from "../../src/audit/node/open-context.ts";
import { runAudit } from "../../src/audit/node/run.ts";
import type { AuditOptions } from "../../src/audit/node/run.ts";
import { ipv6 } from "../../src/audit/rules/api-2/ipv6.ts";
import { defineStack, everyone, parseContract, redis, upstream } from "../../src/contract/index.ts";
import { startStack } from "../../src/stack/index.ts";
import { freePort } from "./child-server.ts";
import { makeProject } from "./project.ts";
import { startRedis } from "./redis-server.ts";

const [, , ipv6Prefix = ""] = process.argv;
const ends: (() => unknown)[] = [];
const context = { after: (end: () => unknown) => void ends.push(end) };

const auditOf = async (options: AuditOptions): Promise<unknown> => {
  const { rows } = await runAudit({ ...options, only: ["API-2"], timeoutMs: 5000 });
  return rows.map(({ verdict, checks }) => ({
    verdict,
    checks: checks.map(({ name, state, reason, evidence }) => ({
      name,
      state,
      reason,
      about: evidence[0]?.about,
    })),
  }))[0];
};

try {
  const shop = createServer((_, response) =>
    response.setHeader("content-type", "application/json").end('{"id":"1"}'),
  );
  await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
  ends.push(() => shop.close());
  const { port: redisPort } = await startRedis(context);
  const [port, otherPort] = [await freePort(), await freePort()];
  const shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;
  const store = `redis({ url: "redis://127.0.0.1:${redisPort}", timeoutMs: 2000 })`;
  const config = (
    edgePort: number,
  ): string => `import { defineStack, everyone, redis, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost:${port}",
  edge: { port: ${edgePort}, redirectPort: false, threads: 2 },
  limits: { store: ${store}, instances: 2 },
  upstreams: { shop: upstream({ url: "${shopUrl}", insecureAllowHttp: "a test's own server" }) },
  routes: {
    "GET /api/limited": { access: everyone, limit: "12/min per client", response: z.object({ id: z.string() }), to: "shop" },
  },
});`;
  const contract = parseContract(
    defineStack({
      origin: `https://localhost:${port}`,
      edge: { redirectPort: false, threads: 2 },
      limits: { store: redis({ url: `redis://127.0.0.1:${redisPort}`, timeoutMs: 2000 }), instances: 2 },
      upstreams: { shop: upstream({ url: shopUrl, insecureAllowHttp: "a test's own server" }) },
      routes: {
        "GET /api/limited": {
          access: everyone,
          limit: "12/min per client",
          response: z.object({ id: z.string() }),
          to: "shop",
        },
      },
    }),
  );
  const authorities: string[] = [];
  let root = ".";
  for (const edgePort of [port, otherPort]) {
    const project = await makeProject({ config: config(edgePort) });
    ends.push(() => project.remove());
    const stack = await startStack({ path: project.root, log: () => undefined, graceMs: 1000 });
    ends.push(() => stack.close());
    authorities.push(readFileSync(stack.caFile ?? "", "utf8"));
    root = project.root;
  }
  const real = await auditOf({
    contract,
    root,
    target: new URL(`https://localhost:${port}`),
    ca: authorities.join("\n"),
    plan: defineAudit({ ipv6Prefix, otherAddresses: [`https://127.0.0.1:${otherPort}`] }),
  });
  const faulty = await startSite("limits by single IPv6 addresses");
  ends.push(() => faulty.close());
  const { context: audited, close } = await openContext({
    ...faulty,
    plan: { ...faulty.plan, ipv6Prefix },
    root,
  });
  ends.push(close);
  const mistaken = await runCheck(ipv6, "API-2", audited);
  process.stdout.write(JSON.stringify({ real, mistaken }));
} finally {
  for (const end of ends.toReversed()) await end();
}
