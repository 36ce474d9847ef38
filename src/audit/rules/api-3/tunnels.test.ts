import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { connect, Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../../contract/index.ts";
import { testCertificate } from "../../fixtures/certificate.ts";
import { runCheck } from "../../check.ts";
import type { Check } from "../../check.ts";
import { openContext } from "../../node/open-context.ts";
import type { AuditCheck } from "../../report.ts";
import { noLateTunnels } from "./baits.ts";
import { noTunnelStreams } from "./tunnel-streams.ts";
import { noTunnels } from "./tunnels.ts";

// A site that asks other servers for whoever says so before any route is found, in one way or another.

type Habit =
  | "asks nobody"
  | "opens tunnels"
  | "opens tunnels over HTTP/2"
  | "refuses tunnels over HTTP/2, and opens them"
  | "leaves tunnels over HTTP/2 open"
  | "speaks WebSockets over HTTP/2"
  | "passes WebSockets on by their Host"
  | "passes WebSockets on by their address"
  | "changes to HTTP/2 without TLS"
  | "asks by its Host"
  | "asks by its authority"
  | "hangs up, and asks by its Host"
  | "asks by its Host, when it has time"
  | "says hello, when it has time"
  | "hangs up on all"
  | "finds nothing"
  | "is gone once a tunnel was asked for"
  | "has a limit that is used up at first"
  | "has a limit that is used up once a tunnel was asked for";

const own = await testCertificate();
let habit: Habit = "asks nobody";
let isGone = false;
/** Whether the limit of a moment ago is still used up. */
let isUsedUp = false;

const server = createSecureServer(
  {
    key: own.key,
    cert: own.cert,
    minVersion: "TLSv1.3",
    allowHTTP1: true,
    settings: { enableConnectProtocol: true },
  },
  (request, response) => answer(request, response),
);
server.on("connect", (request: Http2ServerRequest, socket: Socket | Http2ServerResponse, head: Buffer) => {
  if (!(socket instanceof Socket)) return connectStream(request, socket);
  isGone = habit === "is gone once a tunnel was asked for";
  isUsedUp ||= habit === "has a limit that is used up once a tunnel was asked for";
  if (habit === "opens tunnels") passOn(request.url, socket, head, "HTTP/1.1 200 OK\r\n\r\n");
  else socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
});
server.on("upgrade", (request: Http2ServerRequest, socket: Socket) => {
  const { host = "", upgrade } = request.headers;
  const isWhole = request.url.startsWith("http:");
  const head = Buffer.from(`GET ${request.url} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  if (habit === "changes to HTTP/2 without TLS" && upgrade === "h2c")
    socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n");
  else if (habit === "passes WebSockets on by their Host" && upgrade === "websocket" && host !== site)
    passOn(host, socket, head);
  else if (habit === "passes WebSockets on by their address" && isWhole)
    passOn(new URL(request.url).host, socket, head);
  else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{"ok":true}');
});
await new Promise<void>((ready) => server.listen({ host: "localhost", port: 0 }, ready));
const site = `localhost:${(server.address() as AddressInfo).port}`;

after(() => {
  server.close();
});

/** Over HTTP/2 what would be a tunnel is a stream. */
function connectStream(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const protocol = request.headers[":protocol"];
  const isOpened = habit === "opens tunnels over HTTP/2" && protocol === undefined;
  const isWebSocket = habit === "speaks WebSockets over HTTP/2" && protocol === "websocket";
  isGone = habit === "is gone once a tunnel was asked for";
  if (habit === "leaves tunnels over HTTP/2 open") return;
  if (isOpened || isWebSocket) response.stream.respond({ ":status": 200 });
  else response.writeHead(405).end();
  if (isOpened || habit === "refuses tunnels over HTTP/2, and opens them")
    request.once("data", (head: Buffer) => passOn(request.authority, undefined, head));
}

function answer(request: Http2ServerRequest, response: Http2ServerResponse): void {
  const authority = request.httpVersionMajor === 2 ? request.authority : (request.headers.host ?? "");
  const isOther = authority !== site;
  const ask = (): void => passOn(authority, undefined, Buffer.from(`GET ${request.url} HTTP/1.1\r\n\r\n`));
  if (isOther && habit === "asks by its authority" && request.httpVersionMajor === 2) ask();
  if (isOther && habit === "asks by its Host" && request.httpVersionMajor === 1) ask();
  if (isOther && habit === "hangs up, and asks by its Host") ask();
  if (isOther && habit === "asks by its Host, when it has time") setTimeout(ask, 1500);
  if (isOther && habit === "says hello, when it has time")
    setTimeout(() => passOn(authority, undefined, Buffer.from([22, 3, 1])), 1500);
  const isSilent = habit === "hangs up on all" || (isOther && habit === "hangs up, and asks by its Host");
  if (isGone || isSilent) return void request.socket.destroy();
  if (isUsedUp) {
    isUsedUp = habit !== "has a limit that is used up at first";
    return void response.writeHead(429, { "retry-after": "1" }).end();
  }
  const status = habit === "finds nothing" ? 404 : 200;
  response.writeHead(status, { "content-type": "application/json" }).end('{"ok":true}');
}

/** Asks another server what it is told to, and tells whoever waits for it. */
function passOn(host: string, socket: Socket | undefined, head: Buffer, first = ""): void {
  const { hostname, port } = URL.parse(`http://${host}`) ?? { hostname: "", port: "" };
  if (hostname !== "127.0.0.1") return void socket?.destroy();
  const other = connect({ host: hostname, port: Number(port) }, () => {
    other.write(head);
    socket?.write(first);
    if (socket === undefined) other.resume();
    else other.pipe(socket).pipe(other);
  });
  other.on("error", () => socket?.destroy());
  socket?.on("error", () => other.destroy());
}

const contract = parseContract(
  defineStack({
    origin: `https://${site}`,
    upstreams: { shop: upstream({ url: `https://${site}` }) },
    edge: { redirectPort: false },
    routes: {
      "GET /api/breads": {
        access: everyone,
        limit: "600/min per client",
        response: z.object({ ok: z.boolean() }),
        to: "shop",
      },
    },
  }),
);

interface Found {
  states: string;
  about: string;
  reason: string;
}

/** What checks say, one after the other. */
async function attack(of: Habit, ...checks: Check[]): Promise<Found> {
  habit = of;
  isGone = false;
  const target = new URL(contract.origin);
  const root = import.meta.dirname;
  const { context, close } = await openContext({ contract, target, ca: own.ca, root, timeoutMs: 2000 });
  isUsedUp = of === "has a limit that is used up at first";
  try {
    const results: AuditCheck[] = [];
    for (const check of checks) results.push(await runCheck(check, "API-3", context));
    return {
      states: results.map(({ state }) => state).join(", "),
      about: results.flatMap(({ evidence }) => evidence.map((seen) => seen.about)).join("\n"),
      reason: results.map(({ reason }) => reason).join("; "),
    };
  } finally {
    await close();
  }
}

test("who asks nobody passes", async () => {
  assert.equal((await attack("asks nobody", noTunnels, noLateTunnels)).states, "passed, passed");
});

for (const [of, about] of [
  ["opens tunnels", /^a tunnel: and somebody asked for it/m],
  ["opens tunnels", /^a tunnel is opened/m],
  ["passes WebSockets on by their Host", /^a WebSocket to another server, by its Host: and somebody/m],
  ["passes WebSockets on by their address", /^a WebSocket to another server, by its address: and somebody/m],
  ["changes to HTTP/2 without TLS", /goes on as HTTP\/1\.1/],
  ["asks by its Host", /^another server's name as Host: and somebody/m],
  ["asks by its authority", /^another server's name as :authority: and somebody/m],
  ["hangs up, and asks by its Host", /^another server's name as Host: and somebody/m],
] as const)
  test(`a site that ${of} is found: ${about.source}`, async () => {
    const found = await attack(of, noTunnels);
    assert.equal(found.states, "failed");
    assert.match(found.about, about);
  });

test("who asks later is found in the end", async () => {
  const found = await attack("asks by its Host, when it has time", noTunnels, noLateTunnels);
  assert.equal(found.states, "passed, failed");
  assert.match(found.about, /another server's name as Host: and somebody asked for it later/);
});

test("who comes later and says no address is found in the end", async () => {
  const found = await attack("says hello, when it has time", noTunnels, noLateTunnels);
  assert.equal(found.states, "passed, failed");
  assert.match(found.about, /somebody came later who says no address/);
});

test("who refuses tunnels over HTTP/2 passes", async () => {
  const { states, reason, about } = await attack("asks nobody", noTunnelStreams, noLateTunnels);
  assert.equal(states, "passed, passed", `${reason} ${about}`);
});

for (const [of, about] of [
  ["opens tunnels over HTTP/2", /^a tunnel over HTTP\/2 is opened/m],
  ["opens tunnels over HTTP/2", /^a tunnel over HTTP\/2: and somebody asked for it/m],
  ["refuses tunnels over HTTP/2, and opens them", /^a tunnel over HTTP\/2: and somebody asked for it/m],
  [
    "refuses tunnels over HTTP/2, and opens them",
    /^a WebSocket over HTTP\/2 to another server: and somebody/m,
  ],
  ["leaves tunnels over HTTP/2 open", /^a tunnel over HTTP\/2 is left open/m],
  ["speaks WebSockets over HTTP/2", /where an honest request is served is opened/m],
] as const)
  test(`a site that ${of} is found: ${about.source}`, async () => {
    const found = await attack(of, noTunnelStreams);
    assert.equal(found.states, "failed");
    assert.match(found.about, about);
  });

test("that nobody comes shows nothing where nobody is served", async () => {
  for (const habitual of [
    "hangs up on all",
    "finds nothing",
    "is gone once a tunnel was asked for",
  ] as const) {
    for (const check of [noTunnels, noTunnelStreams]) {
      const { states, reason } = await attack(habitual, check);
      assert.equal(states, "missing", habitual);
      assert.match(reason, /the honest request, written by hand|gives no answer/);
    }
  }
});

test("a limit that was used up before is waited out", async () => {
  for (const check of [noTunnels, noTunnelStreams]) {
    const { states, reason } = await attack("has a limit that is used up at first", check);
    assert.equal(states, "passed", reason);
  }
});

test("of a limit that stays used up it is said that it is one", async () => {
  const of = "has a limit that is used up once a tunnel was asked for";
  const { states, reason } = await attack(of, noTunnels, noLateTunnels);
  assert.equal(states, "missing, missing");
  assert.match(
    reason,
    /written by hand, was answered 429 again and again: a limit is used up.*; .*, once addresses of ours had been in request lines/,
  );
});
