import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { certificate, listen, skip } from "../../../test/support/https-server.ts";
import { makeProject } from "../../../test/support/project.ts";
import type { SignedRequest } from "../../gateway/index.ts";
import { loadContract, startStack, withVault } from "../index.ts";
import type { RunningStack } from "../index.ts";
import { findRunningStacks } from "../processes/run-folder.ts";
import { createWebhookVerifier } from "./webhook-verifier.ts";

/** Asks egress on a socket of its own, as the edge does. */
function ask(socketPath: string, target: string, route: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(
      {
        socketPath,
        path: target,
        headers: { "x-curtainwall-route": encodeURIComponent(route) },
        setHost: false,
        agent: false,
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part: string) => (body += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    )
      .on("error", reject)
      .end();
  });
}

const hookKey = "no key of anybody";

/** A webhook as Slack signs it. */
function signed(body: string): SignedRequest {
  const seconds = Math.floor(Date.now() / 1000);
  const headers: Record<string, string> = {
    "x-slack-request-timestamp": String(seconds),
    "x-slack-signature": `v0=${createHmac("sha256", hookKey).update(`v0:${seconds}:${body}`).digest("hex")}`,
  };
  return { route: "POST /api/hook", header: (name) => headers[name], body: Buffer.from(body) };
}

const eventsOf = (stack: RunningStack, type: string): Record<string, unknown>[] =>
  readFileSync(stack.folders.logFile, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === type);

test(
  "in a running stack, egress has a value from the vault while it is used, a new one at once, and is back after kill -9 with what it took",
  { skip },
  async (t) => {
    const service = await listen(t, (_, response) => void response.end("ok"));
    const project = await makeProject({
      config: `import { bearer, defineStack, everyone, secret, slack, upstream, webhookSecret } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: 0, threads: 1 },
  upstreams: { shop: upstream({ url: "${service.origin}", caFile: "ca.pem" }) },
  egress: { origins: { "${service.origin}": { caFile: "ca.pem" } } },
  secrets: { SHOP_KEY: secret({ use: "GET ${service.origin}/api/x", by: "GET /api/x", inject: bearer() }), HOOK_KEY: webhookSecret() },
  routes: {
    "POST /api/hook": { access: everyone, limit: "60/min per client", webhook: slack("HOOK_KEY"), body: z.object({}), response: z.object({}), to: "shop" },
    "GET /api/x": { access: everyone, limit: "60/min per client", response: z.object({}), to: "shop" },
  },
});`,
      files: { "ca.pem": certificate.ca },
    });
    t.after(project.remove);
    const loaded = await loadContract(project.root);
    const set = (value: string, name = "SHOP_KEY"): Promise<unknown> =>
      withVault(loaded, { environment: "development", create: true }, (vault) =>
        vault.set(name, new TextEncoder().encode(value)),
      );
    await set("first-of-nobody-123");
    await set(hookKey, "HOOK_KEY");
    const stack = await startStack({ path: project.root, log: () => undefined });
    try {
      const folder = findRunningStacks(project.root).at(-1)?.sockets ?? "";
      const socket = join(folder, "egress-edge");
      const use = (route = "GET /api/x", path = "/api/x"): Promise<{ status: number; body: string }> =>
        ask(socket, service.origin + path, route);
      const sent = (): string | undefined => {
        const headers = service.headers.at(-1) ?? [];
        return headers[headers.indexOf("authorization") + 1];
      };
      assert.deepEqual(await use(), { status: 200, body: "ok" });
      assert.equal(sent(), "Bearer first-of-nobody-123");
      assert.equal((await use("GET /api/other")).status, 403);
      assert.equal((await use("GET /api/x", "/api/x/../admin")).status, 403);

      await set("second-of-nobody-123");
      while (sent() !== "Bearer second-of-nobody-123") await use();

      const verifier = createWebhookVerifier({ socketPath: socket });
      t.after(() => verifier.close());
      // What was signed in the second in which its memory began is not judged.
      let one = signed("{}");
      let taken = await verifier.verify(one);
      while (taken.kind === "unavailable") taken = await verifier.verify((one = signed("{}")));
      const two = signed("{ }");
      const underWay = await verifier.verify(two);
      assert.ok(taken.kind === "genuine" && underWay.kind === "genuine");
      await taken.settle(true);

      const { egress } = stack.pids();
      process.kill(egress ?? 0, "SIGKILL");
      // Its socket is there all the time: who asks meanwhile waits, and is answered by the next one. A connection that it had is lost.
      const again = await use().catch(() => use());
      assert.deepEqual(again, { status: 200, body: "ok" });
      assert.notEqual(stack.pids().egress, egress);
      assert.deepEqual(await verifier.verify(one), { kind: "refused", reason: "it was taken before" });
      assert.equal((await verifier.verify(two)).kind, "under-way");
      await underWay.settle(true);
      assert.equal((await verifier.verify(two)).kind, "refused");
      const before = signed("{  }");
      assert.equal((await verifier.verify(before)).kind, "genuine");
      // Nobody else may write there.
      assert.equal(statSync(stack.folders.egress).mode & 0o077, 0);
      assert.equal(
        service.asked.some((line) => line !== "GET /api/x"),
        false,
      );
    } finally {
      await stack.close();
    }
    const log = readFileSync(stack.folders.logFile, "utf8");
    assert.doesNotMatch(log, /of-nobody/);
    const [used] = eventsOf(stack, "egress.used");
    assert.deepEqual(
      [used?.source, used?.caller, used?.secret, used?.version, used?.path, used?.status],
      ["egress", "GET /api/x", "SHOP_KEY", 1, "/api/x", "2xx"],
    );
    assert.equal(eventsOf(stack, "egress.refused").length, 2);
    assert.equal(
      eventsOf(stack, "egress.used").some(({ version }) => version === 2),
      true,
    );
  },
);
