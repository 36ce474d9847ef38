// Real nginx and real HAProxy behind the gateway.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openShop } from "../src/gateway/node/upstream/fixtures/plain-shop.ts";
import type { PlainShop } from "../src/gateway/node/upstream/fixtures/plain-shop.ts";
import { loadContract, startStack } from "../src/stack/index.ts";
import { readUpstreamCertificates } from "../src/stack/edge/upstream-certificates.ts";
import { requires } from "./requires.ts";
import { httpsGet } from "./support/https-get.ts";
import { makeProject } from "./support/project.ts";
import { makeAuthority, startHaproxy, startNginx, temporaryFolder } from "./support/upstream-servers.ts";
import type { TestAuthority, UpstreamServer } from "./support/upstream-servers.ts";

const nginx = requires("nginx");
const haproxy = requires("haproxy");
const openssl = requires("openssl");

/** Sends requests one after another over several lanes until it is told to stop. Gives what was not answered well, by kind. */
function sendUntil(shop: PlainShop, isOver: () => boolean) {
  const lost: string[] = [];
  let sent = 0;
  const lane = async (number: number): Promise<void> => {
    while (!isOver()) {
      const method = ["GET", "PUT", "GET"][number % 3] as string;
      const route = method === "PUT" ? { idempotent: true, bodyType: "json" } : {};
      const body = method === "PUT" ? { a: sent } : undefined;
      sent++;
      const answer = await shop.ask({ method, body, route } as never);
      // What fails at once must not keep the reload from its turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (answer.kind !== "answer" || answer.status !== 200) lost.push(`${method} ${JSON.stringify(answer)}`);
    }
  };
  const done = Promise.all(Array.from({ length: 24 }, (_, number) => lane(number)));
  return { lost, done, count: () => sent };
}

async function survivesReloads(server: UpstreamServer, shop: PlainShop): Promise<void> {
  let isOver = false;
  const load = sendUntil(shop, () => isOver);
  for (let reload = 0; reload < 3; reload++) {
    const until = load.count() + 400;
    while (load.count() < until) await new Promise((resolve) => setImmediate(resolve));
    await server.reload();
  }
  const until = load.count() + 400;
  while (load.count() < until) await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  await load.done;
  assert.deepEqual(load.lost, []);
  assert.ok(!shop.ledger.some(({ type }) => type === "gateway.upstream.avoided"));
}

const json = `default_type application/json;`;

suite("nginx as an upstream", { skip: nginx.skip }, () => {
  test("loses no request while it is reloaded under load, or closes connections every few requests", async (t) => {
    const server = await startNginx(
      t,
      nginx.path,
      `keepalive_requests 7; server { listen 127.0.0.1:PORT; ${json} location / { return 200 '{"ok":true}'; } }`,
    );
    await survivesReloads(
      server,
      openShop(t, { url: new URL(`http://127.0.0.1:${server.port}`), retries: 2 }),
    );
  });

  test("keeps connections, and closes idle ones whenever it likes", async (t) => {
    const server = await startNginx(
      t,
      nginx.path,
      `keepalive_timeout 40ms; server { listen 127.0.0.1:PORT; ${json} location / { return 200 '{"connection":$connection}'; } }`,
    );
    // It may close one in the moment in which it is asked over it: what is asked again then, as by default, is not lost.
    const shop = openShop(t, { url: new URL(`http://127.0.0.1:${server.port}`), retries: 1 });
    const connections = new Set<unknown>();
    // Around the moment at which it closes them, on either side of it.
    for (let waitMs = 30; waitMs <= 50; waitMs++) {
      const answer = (await shop.tell()) as { connection: number };
      connections.add(answer.connection ?? answer);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    assert.ok(connections.size > 1, "it closed some");
    for (const each of connections) assert.equal(typeof each, "number", [...connections].join());
  });
});

/** What stands behind HAProxy: answers in all the ways that HTTP/1.1 knows. */
async function startBehind(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

suite("HAProxy as an upstream", { skip: haproxy.skip }, () => {
  const behind = (port: number, more = ""): string =>
    `  default_backend all\n${more}\nbackend all\n  server one 127.0.0.1:${port}`;

  test("loses no request while it is reloaded under load", async (t) => {
    const port = await startBehind(t, (_, response) =>
      response.setHeader("content-type", "application/json").end('{"ok":true}'),
    );
    const server = await startHaproxy(t, haproxy.path, behind(port));
    await survivesReloads(
      server,
      openShop(t, { url: new URL(`http://127.0.0.1:${server.port}`), retries: 2 }),
    );
  });

  test("passes on early hints, chunks and trailers, which cost the answer nothing; what it says itself is no answer", async (t) => {
    let isDown = false;
    const port = await startBehind(t, (request, response) => {
      if (isDown) {
        request.socket.destroy();
        return;
      }
      response.writeEarlyHints({ link: "</a>; rel=preload" });
      response.writeProcessing();
      // In one piece: HAProxy 2.6 ends a body with its first part if that comes after an interim answer (haproxy issue 3209).
      response.cork();
      response.writeHead(200, { "content-type": "application/json", trailer: "x-sum" });
      response.write('{"o');
      response.addTrailers({ "x-sum": "1" });
      response.end('k":true}');
      response.uncork();
    });
    const server = await startHaproxy(t, haproxy.path, behind(port));
    const shop = openShop(t, { url: new URL(`http://127.0.0.1:${server.port}`), retries: 0 });
    for (let count = 0; count < 20; count++) assert.deepEqual(await shop.tell(), { ok: true });
    isDown = true;
    // On a connection that was used before it says nothing, so that whoever asked may ask again.
    assert.match(String(await shop.tell()), /^(?:502|GATEWAY_UPSTREAM_UNAVAILABLE)$/);
  });
});

suite(
  "an upstream that wants to know who asks (ssl_verify_client)",
  { skip: nginx.skip || openssl.skip },
  () => {
    async function startMutual(t: TestContext, authority: TestAuthority): Promise<UpstreamServer> {
      const folder = temporaryFolder(t);
      const { cert, key } = authority.issue("shop", "subjectAltName=IP:127.0.0.1");
      for (const [name, text] of Object.entries({ "ca.pem": authority.ca, "cert.pem": cert, "key.pem": key }))
        writeFileSync(join(folder, name), text);
      return startNginx(
        t,
        nginx.path,
        `server { listen 127.0.0.1:PORT ssl; ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
        ssl_protocols TLSv1.3; ssl_client_certificate ${folder}/ca.pem; ssl_verify_client on;
        ${json} location / { return 200 '{"who":"$ssl_client_s_dn"}'; } }`,
        folder,
      );
    }

    test("is shown the certificate; without one, or with another authority's, it answers nothing of use", async (t) => {
      const authority = makeAuthority(t);
      const { port } = await startMutual(t, authority);
      const url = new URL(`https://127.0.0.1:${port}`);
      const open = (clientCertificate?: { cert: string; key: string }): PlainShop =>
        openShop(t, { url, retries: 0 }, { ca: authority.ca, clientCertificate });
      const shop = open(authority.issue("gateway-one"));
      assert.deepEqual(await shop.tell(), { who: "CN=gateway-one" });
      assert.deepEqual(await shop.tell(), { who: "CN=gateway-one" });
      shop.pool.setClientCertificate(authority.issue("gateway-two"));
      assert.deepEqual(await shop.tell(), { who: "CN=gateway-two" });
      for (const other of [open(), open(makeAuthority(t).issue("gateway-one"))])
        assert.match(String(await other.tell()), /^(?:400|GATEWAY_.*)$/);
    });

    test("in a stack: the edge gets it without seeing the file, and a newer one while it runs; a key that all may read is refused", async (t) => {
      const authority = makeAuthority(t);
      const { port } = await startMutual(t, authority);
      const first = authority.issue("gateway-one");
      const project = await makeProject({
        config: `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 2 },
  upstreams: { shop: upstream({
    url: "https://127.0.0.1:${port}", caFile: "ca.pem", clientCertificate: { certFile: "keys/gateway.pem", keyFile: "keys/gateway.key" },
  }) },
  routes: { "GET /api/who": { access: everyone, limit: "9000/s per client", response: z.object({ who: z.string() }), to: "shop" } },
});`,
        files: { "ca.pem": authority.ca, "keys/gateway.pem": first.cert, "keys/gateway.key": first.key },
      });
      t.after(() => project.remove());
      const keyFile = join(project.root, "keys/gateway.key");
      chmodSync(keyFile, 0o644);
      const { contract } = await loadContract(project.root);
      assert.throws(() => readUpstreamCertificates(contract, project.root), { code: "STACK_KEY_EXPOSED" });
      chmodSync(keyFile, 0o600);
      const stack = await startStack({ path: project.root, log: () => undefined });
      t.after(() => stack.close());
      const who = async (): Promise<unknown> => {
        const host = stack.addresses[0] as string;
        const { body } = await httpsGet({ host, port: stack.port, name: "localhost", path: "/api/who" });
        return (JSON.parse(body) as { who?: string }).who;
      };
      assert.equal(await who(), "CN=gateway-one");
      const second = authority.issue("gateway-two");
      for (const [name, text] of [
        ["gateway.key", second.key],
        ["gateway.pem", second.cert],
      ] as const) {
        writeFileSync(join(project.root, "keys", `${name}.new`), text, { mode: 0o600 });
        renameSync(join(project.root, "keys", `${name}.new`), join(project.root, "keys", name));
      }
      // Both threads, and every connection: whoever still showed the first would be seen among so many.
      while ((await who()) !== "CN=gateway-two");
      for (let count = 0; count < 20; count++) assert.equal(await who(), "CN=gateway-two");
    });
  },
);
