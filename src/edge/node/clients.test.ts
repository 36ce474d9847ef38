import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as requestHttp } from "node:http";
import { connect as connectTcp, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import type { ContractProxies } from "../../contract/index.ts";
import { parseNetwork } from "../../shared/index.ts";
import { requires } from "../../../test/requires.ts";
import type { ApiHandler } from "../api.ts";
import { createRedirectServer } from "./redirect-server.ts";
import { ask, certificate, emptied, host, protocols, startEdge } from "./test-edge.ts";
import type { Running } from "./test-edge.ts";

const haproxy = requires("haproxy");

/** Says whose request it takes it for. */
const whose: ApiHandler = {
  matches: (path) => path === "/api/whose",
  handle: (request, respond) =>
    respond({ status: 200, headers: ["content-type", "text/plain"], body: request.remoteAddress }),
};

const loopback = ["127.0.0.1", "::1"].map(parseNetwork).filter((network) => network !== undefined);
const proxies = (clientFrom: ContractProxies["clientFrom"]): ContractProxies => ({
  trusted: loopback,
  clientFrom,
});
const elsewhere: ContractProxies = {
  trusted: [{ bytes: Uint8Array.of(10, 0, 0, 1), prefix: 32 }],
  clientFrom: "proxy-protocol",
};

for (const protocol of protocols) {
  suite(`${protocol}: A request's client`, () => {
    test("is the connection's, whatever headers say, until a proxy is declared", async (t) => {
      const { port } = await startEdge(t, { api: whose });
      const headers = { "x-forwarded-for": "198.51.100.7", forwarded: "for=198.51.100.7" };
      const answer = await ask(protocol, port, { path: "/api/whose", headers });
      assert.equal(answer.body.toString(), "127.0.0.1");
    });

    test("is whom the declared proxy names, in the one header that was declared", async (t) => {
      const { port } = await startEdge(t, { api: whose, clients: { proxies: proxies("x-forwarded-for") } });
      const headers = { "x-forwarded-for": "1.1.1.1, 198.51.100.7", forwarded: "for=203.0.113.1" };
      const answer = await ask(protocol, port, { path: "/api/whose", headers });
      assert.equal(answer.body.toString(), "198.51.100.7");
    });

    test("is nobody, and the request refused, when the declared proxy does not name one; pages are served", async (t) => {
      const { port, event } = await startEdge(t, { api: whose, clients: { proxies: proxies("forwarded") } });
      const headers = { "x-forwarded-for": "198.51.100.7" };
      assert.equal((await ask(protocol, port, { path: "/api/whose", headers })).status, 400);
      assert.equal((await event("client-unknown")).detail, "the declared proxies do not name its client");
      assert.equal((await ask(protocol, port, { path: "/about/", headers })).status, 200);
    });

    test("is refused when an undeclared proxy of the same network names one, and let through without", async (t) => {
      const { port, event } = await startEdge(t, { api: whose, clients: { refuseUndeclared: true } });
      const headers = { "x-forwarded-for": "198.51.100.7" };
      assert.equal((await ask(protocol, port, { path: "/api/whose", headers })).status, 400);
      assert.match((await event("client-unknown")).detail, /edge\.proxies declares none/);
      assert.equal((await ask(protocol, port, { path: "/api/whose" })).body.toString(), "127.0.0.1");
    });
  });
}

/** Opens a connection that begins with these bytes, then TLS, and asks whose request it is. */
async function askBehind(port: number, pieces: readonly string[]): Promise<string> {
  const socket = connectTcp(port, "127.0.0.1");
  await once(socket, "connect");
  socket.setNoDelay(true);
  for (const piece of pieces) {
    socket.write(piece, "latin1");
    // So that pieces arrive one by one, for certain enough: each order of arrival must do.
    await new Promise(setImmediate);
  }
  const tls = connectTls({ socket, servername: host, ca: certificate.ca, ALPNProtocols: ["http/1.1"] });
  tls.write(`GET /api/whose HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of tls) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString().split("\r\n\r\n").at(-1) ?? "";
}

/** Everything that comes until the other side ends the connection. */
async function untilClosed(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk as Buffer)).on("error", () => {});
  await once(socket, "close");
  return Buffer.concat(chunks);
}

suite("The PROXY protocol", () => {
  const clients = { proxies: proxies("proxy-protocol") };

  test("names the client before TLS, in however many pieces", async (t) => {
    const { port, edge } = await startEdge(t, { api: whose, clients });
    const line = "PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\r\n";
    assert.equal(await askBehind(port, [line]), "198.51.100.7");
    assert.equal(await askBehind(port, line.split("")), "198.51.100.7");
    assert.equal(await askBehind(port, ["PROXY UNKNOWN\r\n"]), "127.0.0.1");
    await emptied(edge);
  });

  test("is required: a connection without it, or with a malformed one, is cut before TLS", async (t) => {
    const { port, edge, events } = await startEdge(t, { api: whose, clients });
    for (const start of ["GET / HTTP/1.1\r\n\r\n", "PROXY TCP4 1.1.1.1\r\n", "\r\n\r\n\0\r\nQUIT\x21\x31"]) {
      const socket = connectTcp(port, "127.0.0.1");
      socket.write(start, "latin1");
      assert.equal((await untilClosed(socket)).length, 0, start);
    }
    await emptied(edge);
    assert.deepEqual(new Set(events.map(({ kind }) => kind)), new Set(["connection-refused"]));
  });

  test("is waited for as long as for a handshake", async (t) => {
    const { port, event } = await startEdge(t, { api: whose, clients, limits: { handshakeTimeoutMs: 30 } });
    const socket = connectTcp(port, "127.0.0.1");
    socket.write("PROXY ");
    await untilClosed(socket);
    assert.equal((await event("connection-refused")).detail, "no PROXY header in time");
  });

  test("is taken from the declared proxies alone", async (t) => {
    const { port, event } = await startEdge(t, { api: whose, clients: { proxies: elsewhere } });
    const socket = connectTcp(port, "127.0.0.1");
    socket.write("PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\r\n");
    await untilClosed(socket);
    assert.equal((await event("connection-refused")).detail, "it comes past the declared proxies");
  });

  test("counts connections by the client that is named, and not by the proxy", async (t) => {
    const limits = { maxConnectionsPerAddress: 2 };
    const { port, event, edge } = await startEdge(t, { api: whose, clients, limits });
    const open = (client: string): Socket => {
      const socket = connectTcp(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(`PROXY TCP6 ${client} ::1 1 2\r\n`);
      t.after(() => socket.destroy());
      return socket;
    };
    // Three clients of other networks, then three of one: of those the third is too many.
    for (const client of ["2001:470:1::1", "2001:470:2::1", "2001:470:3::1"]) open(client);
    for (const client of ["2001:470:4::1", "2001:470:4::2"]) open(client);
    while (edge.connections < 5) await new Promise(setImmediate);
    await untilClosed(open("2001:470:4::3"));
    const refusal = await event("connection-refused");
    assert.equal(refusal.detail, "maxConnectionsPerAddress");
    assert.equal(refusal.remoteAddress, "2001:470:4:0:0:0:0:3");
  });

  test("stands before plain HTTP too, where the site redirects to HTTPS", async (t) => {
    const server = createRedirectServer({ origin: `https://${host}`, clients });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    t.after(() => server.close(0));
    const socket = connectTcp(port, "127.0.0.1");
    socket.write(`PROXY TCP4 198.51.100.7 10.0.0.1 4711 80\r\nGET /about/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.match(
      (await untilClosed(socket)).toString(),
      /^HTTP\/1\.1 308[^]*location: https:\/\/site\.test\/about\//i,
    );
  });
});

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Starts HAProxy with one frontend; its port. */
async function startHaproxy(t: TestContext, frontend: string, backend: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-haproxy-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    const lines = [
      "global\n  log stderr local0",
      "defaults\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s",
      `frontend in\n  bind 127.0.0.1:${port}\n  ${frontend}\n  default_backend edge`,
      `backend edge\n  ${backend}`,
    ];
    writeFileSync(join(folder, "haproxy.cfg"), `${lines.join("\n")}\n`);
    const child = spawn(haproxy.path, ["-db", "-f", join(folder, "haproxy.cfg")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
    const ended = once(child, "exit");
    t.after(async () => {
      child.kill();
      await ended;
    });
    while (child.exitCode === null) {
      const socket = connectTcp(port, "127.0.0.1");
      const isOpen = await new Promise<boolean>((resolve) => {
        socket.once("connect", () => resolve(true));
        socket.once("error", () => resolve(false));
      });
      socket.destroy();
      if (isOpen) return port;
    }
    // Somebody took the port in between; anything else is a fault.
    if (!/cannot bind|in use/i.test(words)) throw new Error(words);
  }
  throw new Error("no port is free");
}

suite("Behind a real HAProxy", { skip: haproxy.skip }, () => {
  for (const [name, option] of [
    ["version 1", "send-proxy"],
    ["version 2", "send-proxy-v2"],
    ["version 2 with a checksum", "send-proxy-v2 proxy-v2-options crc32c"],
  ] as const) {
    test(`the PROXY protocol's ${name} names the client`, async (t) => {
      const edge = await startEdge(t, { api: whose, clients: { proxies: proxies("proxy-protocol") } });
      const port = await startHaproxy(
        t,
        "mode tcp",
        `mode tcp\n  server edge 127.0.0.1:${edge.port} source 127.0.0.1 ${option}`,
      );
      for (const protocol of protocols) {
        const answer = await ask(protocol, port, { path: "/api/whose" });
        assert.equal(answer.body.toString(), "127.0.0.1");
      }
      const answer = await askFrom("127.0.0.2", port);
      assert.equal(answer, "127.0.0.2");
    });
  }

  test("X-Forwarded-For names the client, and what the client wrote there counts for nothing", async (t) => {
    const edge: Running = await startEdge(t, {
      api: whose,
      clients: { proxies: proxies("x-forwarded-for") },
    });
    const port = await startHaproxy(
      t,
      "mode http\n  option forwardfor",
      `mode http\n  server edge 127.0.0.1:${edge.port} ssl verify none sni str(${host}) alpn h2,http/1.1`,
    );
    const headers = { host, "x-forwarded-for": "198.51.100.7" };
    const request = requestHttp({
      host: "127.0.0.1",
      port,
      localAddress: "127.0.0.3",
      path: "/api/whose",
      headers,
    });
    request.end();
    const [response] = (await once(request, "response")) as [AsyncIterable<Buffer>];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), "127.0.0.3");
  });
});

/** Asks over TLS from another address of this machine. */
async function askFrom(localAddress: string, port: number): Promise<string> {
  const socket = connectTcp({ port, host: "127.0.0.1", localAddress });
  await once(socket, "connect");
  const tls = connectTls({ socket, servername: host, ca: certificate.ca, ALPNProtocols: ["http/1.1"] });
  tls.write(`GET /api/whose HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of tls) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString().split("\r\n\r\n").at(-1) ?? "";
}
