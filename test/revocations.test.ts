import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { command } from "./support/command.ts";
import { httpsGet } from "./support/https-get.ts";
import { makeProject } from "./support/project.ts";
import { makeKey, makeToken } from "../src/gateway/fixtures/issuer.ts";
import { makeProver } from "../src/gateway/fixtures/prover.ts";
import { startStack } from "../src/stack/index.ts";
import type { RunningStack } from "../src/stack/index.ts";

const issuerKey = await makeKey("EdDSA", "k1");
const run = promisify(execFile);

const configOf = (issuer: string): string => `import { defineStack, signedIn, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { addresses: ["127.0.0.1"], port: 0, redirectPort: false, threads: 2 },
  identity: {
    issuer: "${issuer}", audience: "api", jwksUrl: "${issuer}keys", dpop: "accepted",
    insecureAllowHttp: "an issuer inside a test",
  },
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  routes: {
    // A machine that is busy must refuse none of them for that: 503 is what whoever may call is told.
    "GET /api/a": { access: signedIn, limit: "60000/min per client", priority: "high", response: z.object({}), to: "shop" },
  },
});`;

test("a running stack refuses what is revoked, and a proof that was used, on every thread; a start later still", async (t) => {
  const issuerServer = createServer((_, response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [issuerKey.jwk] }));
  });
  issuerServer.listen(0, "127.0.0.1");
  await once(issuerServer, "listening");
  t.after(() => issuerServer.close());
  const issuer = `http://127.0.0.1:${(issuerServer.address() as AddressInfo).port}/`;
  const project = await makeProject({ config: configOf(issuer) });
  t.after(() => project.remove());
  let stack: RunningStack = await startStack({ path: project.root, log: () => undefined });
  t.after(() => stack.close());

  const nowSeconds = (): number => Math.floor(Date.now() / 1000);
  const tokenOf = (sub: string, claims: object = {}): Promise<string> =>
    makeToken(issuerKey, { now: nowSeconds(), claims: { iss: issuer, aud: "api", sub, ...claims } });
  const ask = async (headers: Record<string, string>): Promise<number> => {
    const host = stack.addresses[0] as string;
    return (await httpsGet({ host, port: stack.port, name: "localhost", path: "/api/a", headers })).status;
  };
  const statusOf = (token: string): Promise<number> => ask({ authorization: `Bearer ${token}` });
  /** Asks until ten requests in a row, on as many connections, have the status: the kernel deals them out to both threads. */
  const settle = async (token: string, status: number): Promise<void> => {
    for (let inRow = 0; inRow < 10;) inRow = (await statusOf(token)) === status ? inRow + 1 : 0;
  };
  const cli = (...words: string[]) => run(process.execPath, [...command, "revoke", ...words]);

  const [alice, bob] = await Promise.all(["alice", "bob"].map((sub) => tokenOf(sub)));
  // Nobody listens behind it: 503 is what whoever may call is told.
  await settle(alice as string, 503);

  await t.test("a proof that one thread has seen is known to the other", async () => {
    const prover = await makeProver();
    const token = await tokenOf("carol", { cnf: { jkt: prover.thumbprint } });
    const htu = "https://localhost/api/a";
    const prove = () => prover.prove({ now: nowSeconds(), htu, token });
    // Until the second is over in which the edge was started.
    let dpop = await prove();
    while ((await ask({ authorization: `DPoP ${token}`, dpop })) !== 503) dpop = await prove();
    for (let count = 0; count < 20; count++)
      assert.equal(await ask({ authorization: `DPoP ${token}`, dpop }), 401);
    // Many at once: one of them is the first, on whichever thread.
    dpop = await prove();
    const all = await Promise.all(
      Array.from({ length: 30 }, () => ask({ authorization: `DPoP ${token}`, dpop })),
    );
    assert.ok(all.filter((status) => status === 503).length <= 1, all.join());
    assert.ok(
      all.every((status) => status === 503 || status === 401),
      all.join(),
    );
    assert.equal(await statusOf(token), 401, "and it is no bearer token");
  });

  await cli("alice", project.root);
  await settle(alice as string, 401);
  assert.equal(await statusOf(bob as string), 503, "who was not revoked goes on");

  // A list that is damaged while the stack runs brings nobody back, not even when the edge is started again.
  const file = stack.folders.revokedFile;
  const list = readFileSync(file);
  writeFileSync(file, list.subarray(0, -3));
  process.kill(stack.pids().edge, "SIGKILL");
  // While it is started again nobody answers.
  let status = 0;
  while (status === 0) status = await statusOf(alice as string).catch(() => 0);
  await settle(alice as string, 401);
  assert.equal(await statusOf(bob as string), 503);

  await stack.close();
  await assert.rejects(startStack({ path: project.root, log: () => undefined }), {
    code: "STACK_FILE_UNREADABLE",
  });
  writeFileSync(file, list);
  stack = await startStack({ path: project.root, log: () => undefined });
  await settle(alice as string, 401);
  assert.equal(await statusOf(bob as string), 503);

  await cli("--everyone", project.root);
  await settle(bob as string, 401);
  // What was issued after that counts, as soon as its issuer's clock may say so.
  const { stdout } = await cli("--list", "--json", project.root);
  const { everyone } = JSON.parse(stdout) as { everyone: number };
  while ((await statusOf(await tokenOf("alice", { iat: everyone + 1 }))) !== 503);
  const log = readFileSync(join(project.root, ".curtainwall", "ledger", "events.jsonl"), "utf8");
  assert.match(log, /"stack\.tokens\.revoked".*"alice"/);
});
