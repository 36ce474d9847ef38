import assert from "node:assert/strict";
import { cpSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { certificate, listen, skip } from "../../../test/support/https-server.ts";
import { makeProject } from "../../../test/support/project.ts";
import { loadContract, startStack, withVault } from "../index.ts";
import { findRunningStacks } from "../processes/run-folder.ts";

/** Asks egress on its socket, as the edge does. */
function ask(socketPath: string, target: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request({
      socketPath,
      path: target,
      headers: { "x-curtainwall-route": encodeURIComponent("GET /api/x") },
      setHost: false,
      agent: false,
    })
      .on("error", reject)
      .on("response", (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part: string) => (body += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      })
      .end();
  });
}

test(
  "A store that is replaced under a running stack, or moved with its folder, is noticed: what is revoked there is not sent any more, and what can't be opened gives nothing out",
  { skip },
  async (t) => {
    const service = await listen(t, (_, response) => void response.end("ok"));
    const project = await makeProject({
      config: `import { bearer, defineStack, everyone, secret, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: 0, threads: 1 },
  upstreams: { shop: upstream({ url: "${service.origin}", caFile: "ca.pem" }) },
  egress: { origins: { "${service.origin}": { caFile: "ca.pem", timeoutMs: 10_000 } } },
  secrets: { SHOP_KEY: secret({ use: "GET ${service.origin}/api/x", by: "GET /api/x", inject: bearer() }) },
  routes: { "GET /api/x": { access: everyone, limit: "60/min per client", response: z.object({}), to: "shop" } },
});`,
      files: { "ca.pem": certificate.ca },
    });
    t.after(project.remove);
    const loaded = await loadContract(project.root);
    const options = { environment: "development", create: true } as const;
    const set = (value: string): Promise<unknown> =>
      withVault(loaded, options, (vault) => vault.set("SHOP_KEY", new TextEncoder().encode(value)));
    const revoke = (): Promise<unknown> =>
      withVault(loaded, options, (vault) => vault.revoke("SHOP_KEY", "all"));
    await set("first-of-nobody-123");
    const state = join(project.root, ".curtainwall");
    const store = join(state, "vault", "development", "store.db");
    const backup = join(project.root, "backup.db");
    // All that there is: a vault whose user can't reach the site's folder leaves SQLite's log behind.
    const beside = ["", "-wal"];
    for (const end of beside) cpSync(`${store}${end}`, `${backup}${end}`, { force: true });
    /** As a restore does: other files under the names. */
    const layBack = (file: string): void => {
      rmSync(`${store}-shm`, { force: true });
      for (const end of beside.toReversed()) {
        cpSync(`${file}${end}`, `${store}${end}.new`);
        renameSync(`${store}${end}.new`, `${store}${end}`);
      }
    };
    const stack = await startStack({ path: project.root, log: () => undefined });
    try {
      const socket = join(findRunningStacks(project.root).at(-1)?.sockets ?? "", "egress-edge");
      const use = (): Promise<{ status: number; body: string }> => ask(socket, `${service.origin}/api/x`);
      const replaced = (): number =>
        readFileSync(stack.folders.logFile, "utf8").split('"event":"vault.store.replaced"').length - 1;
      /** Uses the secret, often, so that it stays in use. */
      const until = async (isSo: (answer: { status: number; body: string }) => boolean): Promise<void> => {
        const end = performance.now() + 120_000;
        for (let answer = await use(); !isSo(answer); answer = await use())
          assert.ok(performance.now() < end, JSON.stringify(answer));
      };
      await until(({ status }) => status === 200);

      await t.test("replaced by another file, and revoked there", async () => {
        layBack(backup);
        await revoke();
        await until(({ body }) => body.includes("EGRESS_SECRET_MISSING"));
        await set("second-of-nobody-123");
        await until(({ status }) => status === 200);
        const headers = service.headers.at(-1) ?? [];
        assert.equal(headers[headers.indexOf("authorization") + 1], "Bearer second-of-nobody-123");
      });

      await t.test("SQLite's index beside it removed: what is written from then on is seen", async () => {
        renameSync(`${store}-shm`, `${store}-shm.old`);
        await revoke();
        await until(({ body }) => body.includes("EGRESS_SECRET_MISSING"));
        await set("third-of-nobody-1234");
        await until(({ status }) => status === 200);
      });

      await t.test("the vault's whole folder moved, and a copy of it in its place", async () => {
        renameSync(join(state, "vault"), join(state, "vault.old"));
        cpSync(join(state, "vault.old"), join(state, "vault"), { recursive: true });
        await revoke();
        await until(({ body }) => body.includes("EGRESS_SECRET_MISSING"));
        await set("fourth-of-nobody-123");
        await until(({ status }) => status === 200);
      });

      await t.test("taken away: nothing is given out, and none is made in its place", async () => {
        renameSync(join(state, "vault"), join(state, "vault.away"));
        await until(({ body }) => body.includes("EGRESS_VAULT_UNAVAILABLE"));
        assert.equal(statSync(join(state, "vault"), { throwIfNoEntry: false }), undefined);
        renameSync(join(state, "vault.away"), join(state, "vault"));
        await until(({ status }) => status === 200);
      });

      await t.test("replaced by what nobody with the key wrote", async () => {
        const forged = readFileSync(backup);
        forged.fill(0x41, 4096);
        const file = join(project.root, "forged.db");
        writeFileSync(file, forged, { mode: 0o600 });
        cpSync(`${backup}-wal`, `${file}-wal`);
        layBack(file);
        await until(({ body }) => body.includes("EGRESS_VAULT_UNAVAILABLE"));
        layBack(backup);
        await until(({ status }) => status === 200);
      });
      assert.ok(replaced() >= 5, String(replaced()));
    } finally {
      await stack.close();
    }
  },
);
