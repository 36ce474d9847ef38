import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { requires } from "../../../test/requires.ts";
import type { PageVisit } from "../probes/probe.ts";
import { openBrowserProxy } from "./browser-proxy.ts";
import { openBrowser } from "./browser.ts";

const chromium = requires("chromium");

async function listenOn(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** What only the auditor can reach: it notes whoever connects, and what they say. */
async function startInside(t: TestContext): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const server = createTcpServer((socket) => {
    const at = heard.push("a connection") - 1;
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      heard[at] = chunk.toString("latin1").split("\r\n")[0] ?? "";
      socket.end(
        "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
      );
    });
  });
  return { port: await listenOn(t, server), heard };
}

/** The same for datagrams. */
async function startDatagrams(t: TestContext): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const socket = createSocket("udp4", () => heard.push("a datagram")).bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  return { port: socket.address().port, heard };
}

/** Asks in each way that a page has, waits until each has ended, and says so by asking its own site. */
const hostilePage = (port: number, datagrams: number): string => `<!doctype html>
<link rel="preconnect" href="http://127.0.0.1:${port}"><link rel="dns-prefetch" href="http://localhost:${port}">
<body><script>
const at = "127.0.0.1:${port}";
const ended = (element, name, address) => new Promise((resolve) => {
  element.onload = element.onerror = resolve;
  element[name] = address;
  document.body.append(element);
});
const worker = "onmessage = ({ data }) => fetch(data).then(() => postMessage(1), () => postMessage(1))";
const gathered = () => new Promise((resolve) => {
  const peer = new RTCPeerConnection({ iceServers: [
    { urls: "stun:127.0.0.1:${datagrams}" },
    { urls: "turn:" + at + "?transport=tcp", username: "a", credential: "b" },
  ] });
  peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve();
  peer.createDataChannel("x");
  peer.createOffer().then((offer) => peer.setLocalDescription(offer));
});
navigator.sendBeacon("http://" + at + "/beacon", "x");
window.open("http://" + at + "/popup");
Promise.all([
  ...[at, "localhost:${port}", "any.localhost:${port}", "localhost.:${port}", "2130706433:${port}", "[::ffff:127.0.0.1]:${port}", "0.0.0.0:${port}"]
    .map((host) => ended(new Image(), "src", "http://" + host + "/image")),
  ended(document.createElement("iframe"), "src", "http://" + at + "/frame"),
  ended(document.createElement("script"), "src", "http://" + at + "/script"),
  fetch("http://" + at + "/fetch", { mode: "no-cors" }).catch(() => 0),
  fetch("http://" + at + "/post", { method: "POST", body: "x", keepalive: true }).catch(() => 0),
  fetch("https://" + at + "/tls").catch(() => 0),
  fetch("/away").catch(() => 0),
  ...["http://169.254.169.254/latest/", "http://192.168.0.1/", "http://10.0.0.1:8080/", "http://[fd00::1]/"].map((address) => fetch(address).catch(() => 0)),
  new Promise((resolve) => { new WebSocket("ws://" + at + "/socket").onerror = resolve; }),
  new Promise((resolve) => { new EventSource("http://" + at + "/events").onerror = resolve; }),
  new Promise((resolve) => { const one = new Worker(URL.createObjectURL(new Blob([worker]))); one.onmessage = resolve; one.postMessage("http://" + at + "/worker"); }),
  gathered(),
]).then(() => fetch("/done"));
</script>`;

const isDone = (asked: PageVisit["asked"]): boolean =>
  asked.some(({ url, status }) => url.endsWith("/done") && status !== undefined);

test(
  "a hostile page reaches nothing of the auditor's machine or networks through the browser, and what it asked for is told",
  chromium,
  async (t) => {
    const inside = await startInside(t);
    const datagrams = await startDatagrams(t);
    const at = `127.0.0.1:${inside.port}`;
    const pages = new Map([
      ["/", hostilePage(inside.port, datagrams.port)],
      ["/refresh", `<!doctype html><meta http-equiv="refresh" content="0;url=http://${at}/refreshed">`],
      [
        "/form",
        `<!doctype html><form method="post" action="http://${at}/form"></form><script>document.forms[0].submit()</script>`,
      ],
    ]);
    const answer: RequestListener = ({ url = "" }, response) => {
      if (url === "/away") response.writeHead(302, { location: `http://${at}/redirected` }).end();
      else response.writeHead(200, { "content-type": "text/html" }).end(pages.get(url) ?? "x");
    };
    const target = new URL(`http://127.0.0.1:${await listenOn(t, createServer(answer))}`);
    const browser = await openBrowser({ executablePath: chromium.path, target, spkiSha256: "" });
    t.after(() => browser.close());

    const { asked, refused } = await browser.visit("/", undefined, { hasSeen: isDone });
    assert.ok(isDone(asked), JSON.stringify(asked));
    const left: string[] = [];
    for (const path of ["/refresh", "/form"]) {
      // Whether the visit ends well is the browser's affair: the page is left for one that never comes.
      const visit = browser.visit(path, undefined, {
        hasSeen: (seen) => seen.some(({ url }) => url.includes(at)),
      });
      left.push(...(await visit.catch(() => ({ refused: [] }))).refused);
    }
    assert.deepEqual(inside.heard, []);
    assert.deepEqual(datagrams.heard, []);
    assert.ok(
      left.every((name) => name === at),
      left.join(", "),
    );
    const names = ["localhost", "any.localhost", "0.0.0.0"].map((host) => `${host}:${inside.port}`);
    for (const name of [
      at,
      ...names,
      "169.254.169.254:80",
      "192.168.0.1:80",
      "10.0.0.1:8080",
      "[fd00::1]:80",
    ])
      assert.ok(refused.includes(name), `${name} is not among ${refused.join(", ")}`);

    const later = await browser.visit("/plain");
    assert.deepEqual([later.status, later.refused], [200, []]);
  },
);

test("what the contract or the plan names is asked, and only at its own port", chromium, async (t) => {
  const [named, other] = [await startInside(t), await startInside(t)];
  const page = `<!doctype html><body><script>
Promise.all([${named.port}, ${other.port}].map((port) => fetch("http://127.0.0.1:" + port).catch(() => 0))).then(() => fetch("/done"));
</script>`;
  const answer: RequestListener = ({ url }, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end(url === "/" ? page : "x");
  const target = new URL(`http://127.0.0.1:${await listenOn(t, createServer(answer))}`);
  const browser = await openBrowser({
    executablePath: chromium.path,
    target,
    spkiSha256: "",
    origins: [`http://127.0.0.1:${named.port}`],
  });
  t.after(() => browser.close());
  const { refused } = await browser.visit("/", undefined, { hasSeen: isDone });
  assert.ok(named.heard.includes("GET / HTTP/1.1"), named.heard.join("; "));
  assert.deepEqual(other.heard, []);
  assert.deepEqual(refused, [`127.0.0.1:${other.port}`]);
});

test("bytes that are no request of a browser are hung up on", async (t) => {
  const proxy = await openBrowserProxy();
  t.after(() => proxy.close());
  const odd = [
    "GET / HTTP/1.1\r\n\r\n",
    "\x05\x01\x00\x05\x02\x00\x03\x01a\x00\x50",
    "\x05\x01\x00\x05\x01\x00\x03\x00\x00\x50",
  ];
  for (const bytes of odd) {
    const socket = connect(proxy.port, "127.0.0.1");
    socket.resume().end(Buffer.from(bytes, "latin1"));
    await once(socket, "close");
  }
});
