import type { ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import type { Http2SecureServer, SecureServerOptions, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import type { Release } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { planRefusals } from "../answer.ts";
import type { ApiHandler } from "../api.ts";
import { compileClientRules } from "../clients/client-rules.ts";
import type { ClientOptions } from "../clients/client-rules.ts";
import type { EdgeErrorCode } from "../errors.ts";
import type { EdgeEvent } from "../event.ts";
import { acceptedHosts } from "../host.ts";
import { parseLimits } from "../limits.ts";
import type { EdgeLimits } from "../limits.ts";
import { planRelease } from "../plan.ts";
import type { Plan } from "../plan.ts";
import { createResolver } from "../resolve.ts";
import type { Resolver } from "../resolve.ts";
import { BodyReaders, checkReaders } from "./body-reader.ts";
import { assertCertificate } from "./certificate.ts";
import type { EdgeCertificate } from "./certificate.ts";
import { Client, checkClient, clientOf } from "./client.ts";
import type { EdgeContext } from "./context.ts";
import { createDoor, errorCode } from "./door.ts";
import type { Door, ListenTarget } from "./door.ts";
import { HeadWriter } from "./head-writer.ts";
import { createHttp1Listener, refuseHttp1 } from "./http1.ts";
import { createHttp2Listener } from "./http2.ts";
import { endWithRefusal, parserErrorStatus } from "./parser-error.ts";

/** Options of {@link createEdgeServer}. */
export interface EdgeServerOptions {
  /** What is served, from memory and without a copy: its body may lie over a `SharedArrayBuffer`. */
  readonly release: Release;
  /** The site's https origin, like `https://www.example.org`. Requests for other hosts get 421. */
  readonly origin: string;
  /** Further hosts that are answered; one without a port is meant on the origin's. Default none. */
  readonly aliases?: readonly string[];
  readonly certificate: EdgeCertificate;
  /** What answers the paths that it claims. Default: nothing, the site is static. */
  readonly api?: ApiHandler;
  readonly limits?: Partial<EdgeLimits>;
  /** How clients are told apart. Default: by their connection's address, an IPv6 /64 as one. */
  readonly clients?: ClientOptions;
  /**
   * Keys that encrypt TLS session tickets: 48 random bytes, the same for all threads, so that a client can resume on any
   * of them. Default: each server makes its own.
   */
  readonly ticketKeys?: Uint8Array;
  /** Told what was refused. Called often under attack: it must be cheap, and bound what it passes on. */
  readonly onEvent?: (event: EdgeEvent) => void;
}

/** A server of one release, in one thread. */
export interface EdgeServer {
  /**
   * Listens; may be called several times.
   *
   * @throws {CurtainwallError} `EDGE_PORT_IN_USE`, `EDGE_LISTEN_FAILED`
   */
  listen(target: ListenTarget): Promise<AddressInfo>;
  /**
   * Replaces the certificate for the connections to come.
   *
   * @throws {CurtainwallError} `EDGE_CERTIFICATE_INVALID`; the old one then stays in use.
   */
  setCertificate(certificate: EdgeCertificate): void;
  /**
   * Replaces the release, between two requests: each is answered wholly from the one or wholly from the other, and none is dropped.
   *
   * @throws {CurtainwallError} `EDGE_RELEASE_TOO_LARGE`, `EDGE_RELEASE_REFUSED`; the old one then stays in use.
   */
  setRelease(release: Release): void;
  /** Stops listening, says good-bye, lets what is under way finish for at most `graceMs`, then cuts the rest. */
  close(graceMs: number): Promise<void>;
  /** Connections open now. */
  readonly connections: number;
}

/**
 * Creates a server of a release over HTTPS: TLS 1.3, HTTP/1.1 and HTTP/2, every answer with the full set of security
 * headers. Everything about static answers is decided here, none of it when a request comes.
 *
 * @throws {CurtainwallError} `EDGE_OPTION_INVALID`, `EDGE_RELEASE_TOO_LARGE`, `EDGE_RELEASE_REFUSED`, `EDGE_CERTIFICATE_INVALID`
 */
export function createEdgeServer(options: EdgeServerOptions): EdgeServer {
  const { api, onEvent = () => {} } = options;
  const limits = parseLimits(options.limits);
  const hosts = acceptedHosts(options.origin, options.aliases);
  const refusals = planRefusals(toBuffer);
  const { maxTargetLength } = limits;

  function resolverOf(release: Release): Resolver {
    assertBudget(release, limits);
    const plan = planRelease(release, toBuffer);
    if (api !== undefined) assertDisjoint(plan, api);
    return createResolver({ plan, refusals, hosts, api, maxTargetLength });
  }

  const resolve = resolverOf(options.release);
  assertCertificate(options.certificate);
  const context: EdgeContext = {
    limits,
    refusals,
    api,
    clients: compileClientRules(options.clients),
    onEvent,
    resolve,
    heads: new HeadWriter(),
    readers: new BodyReaders(),
    now: performance.now(),
    pending: 0,
    closing: false,
  };
  const setRelease = (release: Release): void => void (context.resolve = resolverOf(release));
  return Object.assign(serve(context, options.certificate, options.ticketKeys), { setRelease });
}

function serve(
  context: EdgeContext,
  certificate: EdgeCertificate,
  ticketKeys: Uint8Array | undefined,
): Omit<EdgeServer, "setRelease"> {
  const { limits } = context;
  const tls: SecureContextOptions = {
    minVersion: "TLSv1.3",
    ...(ticketKeys === undefined ? {} : { ticketKeys: toBuffer(ticketKeys) }),
  };
  const server = createSecureServer({ ...serverOptions(limits), ...tls, ...certificate });
  const clients = new Set<Client>();
  const door = createDoor({
    limits,
    onEvent: context.onEvent,
    clients: context.clients,
    admit: (socket) => {
      // TLS takes over what goes wrong with the socket; until then there is nobody to tell.
      socket.on("error", () => {});
      server.emit("connection", socket);
    },
  });
  attach(server, context, door, clients);
  // The server gets its connections from the door, so it never listens; node starts its clock for slow headers only then.
  server.emit("listening");

  function check(): void {
    context.now = performance.now();
    checkReaders(context);
    for (const client of clients) checkClient(context, client);
  }
  let checking = setInterval(check, limits.checkIntervalMs).unref();

  return {
    listen: (target) => door.listen(target),
    setCertificate(next) {
      assertCertificate(next);
      server.setSecureContext({ ...tls, ...next });
    },
    async close(graceMs) {
      context.closing = true;
      // Says good-bye to HTTP/2 sessions; the check cuts what is idle on HTTP/1.1, now and as it becomes so.
      server.close();
      check();
      clearInterval(checking);
      checking = setInterval(check, Math.min(50, limits.checkIntervalMs));
      await door.close(graceMs);
      clearInterval(checking);
    },
    get connections() {
      return door.size;
    },
  };
}

function serverOptions(limits: EdgeLimits): SecureServerOptions {
  // Node's types leave `maxHeaderSize` out.
  const http1Options = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    // The body's own time is kept elsewhere; this holds when nobody reads the body.
    requestTimeout: limits.headersTimeoutMs + limits.bodyTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    keepAliveTimeoutBuffer: Math.min(1000, limits.idleTimeoutMs),
    // Checked by our own code, whose answer carries all headers.
    requireHostHeader: false,
    // Requests without a body skip the machinery of an empty stream.
    optimizeEmptyRequests: true,
  };
  return {
    allowHTTP1: true,
    handshakeTimeout: limits.handshakeTimeoutMs,
    maxHeaderListPairs: limits.maxHeaders + pseudoHeaders,
    streamResetBurst: limits.streamResetBurst,
    streamResetRate: limits.streamResetPerSecond,
    settings: {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      maxHeaderListSize: limits.maxHeaderBytes,
      enablePush: false,
    },
    http1Options,
  };
}

/** `:method`, `:scheme`, `:authority`, `:path`. */
const pseudoHeaders = 4;

function attach(server: Http2SecureServer, context: EdgeContext, door: Door, clients: Set<Client>): void {
  const { refusals, onEvent } = context;
  const onRequest = createHttp1Listener(context);
  const sessions = new WeakMap<object, Client>();

  // Node keeps only so many header pairs and drops the rest in silence; all of them are counted instead.
  Object.assign(server, { maxHeadersCount: 0 });
  server.prependListener("secureConnection", (socket: TLSSocket) => {
    const address = door.addressOf(socket);
    const client = new Client(socket, address, context.clients.isProxy(address), context.now);
    clients.add(client);
    socket.on("close", () => clients.delete(client));
  });
  server.on("session", (session) => {
    const client = clientOf(session.socket);
    if (client === undefined) return;
    client.session = session;
    sessions.set(session, client);
  });
  server.on("request", onRequest as never);
  // Listening for requests has installed the compatibility layer, which would answer HTTP/2 a second time.
  server.removeAllListeners("stream");
  const clientOfStream = (stream: ServerHttp2Stream) =>
    stream.session === undefined ? undefined : sessions.get(stream.session);
  server.on("stream", createHttp2Listener(context, clientOfStream));
  server.on("checkContinue", onRequest as never);
  server.on("checkExpectation", (request, response) => {
    const client = clientOf(request.socket);
    if (client !== undefined) refuseHttp1(context, client, request as never, response as never, 417);
  });
  server.on("connect", (_request, socket) => {
    endWithRefusal(socket, refusals, 405);
  });
  server.on("clientError", (error: Error, socket: TLSSocket) => onClientError(context, door, error, socket));
  server.on("sessionError", (error, session) => {
    const remoteAddress = sessions.get(session)?.address ?? "";
    const detail = errorCode(error);
    if (detail !== "ECONNRESET") onEvent({ kind: "session-refused", remoteAddress, detail });
  });
}

/** Answers what the HTTP/1.1 parser could not read, if nothing of another answer is on its way. */
function onClientError(context: EdgeContext, door: Door, error: Error, socket: TLSSocket): void {
  const client = clientOf(socket);
  const detail = errorCode(error);
  if (client === undefined) {
    // A port scan and a client that hangs up are no news; what TLS refused is.
    const remoteAddress = door.addressOf(socket);
    if (detail !== "ECONNRESET") context.onEvent({ kind: "handshake-failed", remoteAddress, detail });
    socket.destroy();
    return;
  }
  const { response } = client;
  if (detail === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  if (detail === "HPE_PAUSED" && response !== undefined) {
    endAfter(context, client, response);
    return;
  }
  const status = parserErrorStatus(error);
  const kind = status === 408 ? "client-too-slow" : "request-refused";
  // An answer that was begun can't become another, and a request that was answered early gets no second one.
  if (response?.headersSent === true && !(response.writableFinished && response.req.complete)) {
    context.onEvent({ kind, remoteAddress: client.address, detail });
    socket.destroy();
    return;
  }
  context.onEvent({ kind, remoteAddress: client.address, status, detail });
  endWithRefusal(socket, context.refusals, status);
}

/**
 * Ends a connection whose client asked for more at once than its answers have room for: node's parser loses what comes over
 * TLS while it waits. What was read is answered; what was not the client must ask again (RFC 9112 §9.3.2).
 */
function endAfter(context: EdgeContext, client: Client, last: ServerResponse): void {
  const { socket } = client;
  if (client.ending) return;
  client.ending = true;
  const detail = "too much pipelined at once";
  context.onEvent({ kind: "request-refused", remoteAddress: client.address, detail });
  if (last.writableFinished) socket.end();
  else last.once("finish", () => socket.end());
}

function assertBudget(release: Release, limits: EdgeLimits): void {
  if (release.body.length <= limits.maxReleaseBytes) return;
  throw new CurtainwallError<EdgeErrorCode>(
    "EDGE_RELEASE_TOO_LARGE",
    `The release holds ${release.body.length} bytes; the edge keeps at most ${limits.maxReleaseBytes} in memory.`,
    { hint: "Move large media elsewhere, or raise the edge's limit maxReleaseBytes." },
  );
}

/** A page that lies where the API is could take its place, or would never be seen. */
function assertDisjoint(plan: Plan, api: ApiHandler): void {
  for (const path of plan.byTarget.keys()) {
    if (!api.matches(path)) continue;
    throw new CurtainwallError<EdgeErrorCode>(
      "EDGE_RELEASE_REFUSED",
      `The release can't be served: its path ${path} belongs to the API.`,
      { hint: "Move the page, or the routes." },
    );
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
