import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { request as requestHttps } from "node:https";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { decodeRelease, encodeRelease, securityHeaders } from "../../contract/index.ts";
import type { Header, Release, ReleaseInput } from "../../contract/index.ts";
import type { EdgeEvent } from "../event.ts";
import { developmentCertificate } from "./development-certificate.ts";
import { createEdgeServer } from "./edge-server.ts";
import type { EdgeServer, EdgeServerOptions } from "./edge-server.ts";

/** What the tests of this room share: a release, a server of it, and clients of both protocols. */

const folder = mkdtempSync(join(tmpdir(), "curtainwall-edge-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

export const host = "site.test";
export const certificate = await developmentCertificate({ folder, hosts: [host, "localhost", "127.0.0.1"] });
export const protocols = ["http/1.1", "h2"] as const;
export type Protocol = (typeof protocols)[number];

export const pagePolicy = "default-src 'none'; img-src 'self'";
export const page = Buffer.from(`<!doctype html><title>Bread</title><p>${"Rye and wheat. ".repeat(400)}`);
const html: Header[] = [
  ["content-type", "text/html; charset=utf-8"],
  ["cache-control", "no-cache"],
  ["vary", "accept-encoding"],
  ...securityHeaders(pagePolicy),
];
const text = (body: string): ReleaseInput["bytes"] => ({ identity: Buffer.from(body) });

export async function makeRelease(extra: ReleaseInput[] = [], notFound?: string): Promise<Release> {
  const files: ReleaseInput[] = [
    {
      path: "/",
      headers: html,
      bytes: { identity: page, br: brotliCompressSync(page), gzip: gzipSync(page) },
    },
    { path: "/about/", headers: html, bytes: text("about") },
    { path: "/a b/é.txt", headers: [["content-type", "text/plain"]], bytes: text("escaped") },
    { path: "/%2e", headers: [["content-type", "text/plain"]], bytes: text("a percent sign") },
    { path: "/404.html", headers: html, bytes: text("not here") },
    ...extra,
  ];
  const pack = await encodeRelease(files, notFound === undefined ? {} : { notFound });
  // As the supervisor does it: every thread serves from the same memory.
  const shared = new Uint8Array(new SharedArrayBuffer(pack.length));
  shared.set(pack);
  return decodeRelease(shared);
}

export const plainRelease = await makeRelease();

export interface Running {
  edge: EdgeServer;
  port: number;
  events: EdgeEvent[];
  /** Resolves with the next event of that kind, or one that has been. */
  event: (kind: EdgeEvent["kind"]) => Promise<EdgeEvent>;
}

/** Starts an edge on a free port; it is closed after the test. */
export async function startEdge(
  context: TestContext,
  options: Partial<EdgeServerOptions> = {},
): Promise<Running> {
  const events: EdgeEvent[] = [];
  const waiting = new Set<(event: EdgeEvent) => void>();
  const edge = createEdgeServer({
    release: plainRelease,
    origin: `https://${host}`,
    certificate,
    onEvent: (event) => {
      events.push(event);
      for (const listener of waiting) listener(event);
    },
    ...options,
    limits: { checkIntervalMs: 20, ...options.limits },
  });
  const { port } = await edge.listen({ host: "127.0.0.1", port: 0 });
  context.after(() => edge.close(0));
  return {
    edge,
    port,
    events,
    event: (kind) =>
      new Promise((resolve) => {
        const past = events.find((event) => event.kind === kind);
        if (past !== undefined) resolve(past);
        else waiting.add((event) => event.kind === kind && resolve(event));
      }),
  };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Ask {
  method?: string;
  path?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}

/** Makes one request on a connection of its own. */
export function ask(protocol: Protocol, port: number, request: Ask = {}): Promise<Answer> {
  return protocol === "h2" ? askHttp2(port, request) : askHttp1(port, request);
}

function askHttp1(port: number, { method = "GET", path = "/", headers = {}, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = requestHttps({
      ...target(port),
      agent: false,
      method,
      path,
      headers: { host, ...headers },
    });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      collect(response).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes }),
        reject,
      );
    });
    outgoing.end(body);
  });
}

async function askHttp2(port: number, request: Ask): Promise<Answer> {
  const session = openHttp2(port);
  try {
    return await askSession(session, request);
  } finally {
    session.destroy();
  }
}

/** Opens an HTTP/2 session. */
export function openHttp2(port: number, settings: object = {}): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    ca: certificate.ca,
    servername: host,
    settings,
  });
  session.on("error", () => {});
  return session;
}

/** Makes one request in a session. */
export async function askSession(session: ClientHttp2Session, request: Ask): Promise<Answer> {
  const { method = "GET", path = "/", headers = {}, body } = request;
  const stream = session.request({ ":method": method, ":path": path, ":authority": host, ...headers });
  stream.end(body);
  const received = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
    stream.once("response", resolve);
    stream.once("error", reject);
    stream.once("close", () => reject(new Error("the stream was closed without an answer")));
  });
  return { status: Number(received[":status"]), headers: received, body: await collect(stream) };
}

async function collect(source: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function target(port: number) {
  return { host: "127.0.0.1", port, servername: host, ca: certificate.ca, ALPNProtocols: ["http/1.1"] };
}

/** Opens a TLS connection to write raw bytes on. */
export async function openRaw(port: number, protocol: Protocol = "http/1.1"): Promise<TLSSocket> {
  const socket = connectTls({ ...target(port), ALPNProtocols: [protocol] });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** Everything that a connection is sent until it is closed. */
export function readToEnd(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    const end = () => resolve(Buffer.concat(chunks).toString("latin1"));
    if (socket.closed) end();
    else socket.once("close", end);
  });
}

/** Waits until the last connection has been closed on the server's side too. */
export async function emptied(edge: EdgeServer): Promise<void> {
  while (edge.connections > 0) await new Promise(setImmediate);
}
