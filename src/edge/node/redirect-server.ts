import { createServer } from "node:http";
import type { Server, ServerOptions } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { baseSecurityHeaders, inertPolicy } from "../../contract/index.ts";
import type { Header } from "../../contract/index.ts";
import { planAnswer, planRefusals } from "../answer.ts";
import type { PlannedAnswer, Refusals } from "../answer.ts";
import { compileClientRules } from "../clients/client-rules.ts";
import type { ClientOptions } from "../clients/client-rules.ts";
import type { EdgeEvent } from "../event.ts";
import { acceptedHosts } from "../host.ts";
import { parseLimits } from "../limits.ts";
import type { EdgeLimits } from "../limits.ts";
import { decodePath, isCleanQuery } from "../target.ts";
import { createDoor, errorCode } from "./door.ts";
import type { Door, ListenTarget } from "./door.ts";
import { endWithRefusal, parserErrorStatus } from "./parser-error.ts";

/** Options of {@link createRedirectServer}. */
export interface RedirectServerOptions {
  /** Where every request is sent. */
  readonly origin: string;
  readonly limits?: Partial<EdgeLimits>;
  /** How clients are told apart. Default: by their connection's address. */
  readonly clients?: ClientOptions;
  readonly onEvent?: (event: EdgeEvent) => void;
}

/** A server on plain HTTP that has nothing to say but where the site is. */
export interface RedirectServer {
  /** @throws {CurtainwallError} `EDGE_PORT_IN_USE`, `EDGE_LISTEN_FAILED` */
  listen(target: ListenTarget): Promise<AddressInfo>;
  close(graceMs: number): Promise<void>;
}

// A browser ignores HSTS on plain HTTP, and a server must not send it there (RFC 6797 §7.2).
const plainHeaders: readonly Header[] = [
  ["content-security-policy", inertPolicy],
  ...baseSecurityHeaders.filter(([name]) => name !== "strict-transport-security"),
];

/**
 * Creates a server that answers GET and HEAD on plain HTTP with 308 to the same path of the https origin, whatever the Host
 * says, and other methods with 405: what they carry has crossed the network unprotected, and that should be noticed.
 *
 * @throws {CurtainwallError} `EDGE_OPTION_INVALID`
 */
export function createRedirectServer(options: RedirectServerOptions): RedirectServer {
  const { onEvent = () => {} } = options;
  const limits = parseLimits(options.limits);
  acceptedHosts(options.origin);
  const origin = new URL(options.origin).origin;
  const refusals = planRefusals((bytes) => bytes, plainHeaders);
  const server = createServer(serverOptions(limits));
  const door = createDoor({
    limits,
    onEvent,
    clients: compileClientRules(options.clients),
    admit: (socket) => {
      // Nothing here takes long: a client that is silent for this time, reading or writing, has gone.
      socket.setTimeout(limits.idleTimeoutMs, () => socket.destroy());
      server.emit("connection", socket);
    },
  });
  attach(server, { origin, limits, refusals, onEvent, door });
  server.emit("listening");
  return {
    listen: (target) => door.listen(target),
    async close(graceMs) {
      server.close();
      await door.close(graceMs);
    },
  };
}

interface Redirecting {
  origin: string;
  limits: EdgeLimits;
  refusals: Refusals;
  onEvent: (event: EdgeEvent) => void;
  door: Door;
}

function serverOptions(limits: EdgeLimits): ServerOptions {
  return {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.headersTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    requireHostHeader: false,
  };
}

function attach(server: Server, { origin, limits, refusals, onEvent, door }: Redirecting): void {
  server.on("request", (request, response) => {
    const { method, url = "" } = request;
    const known = method === "GET" || method === "HEAD";
    const answer = known ? redirect(origin, url, limits, refusals) : refusals[405];
    const { headers, body } = answer;
    // What is sent here travelled in the clear: an operator should see that somebody tries.
    if (answer.status >= 400) {
      const remoteAddress = door.addressOf(request.socket);
      onEvent({ kind: "request-refused", remoteAddress, status: answer.status, detail: "over plain HTTP" });
    }
    // One answer a connection: who asks here has business elsewhere.
    response.writeHead(answer.status, [...headers, "connection", "close"]);
    if (body === undefined || method === "HEAD") response.end();
    else response.end(body);
  });
  server.on("checkExpectation", (_request, response) => {
    const { headers, body } = refusals[417];
    response.writeHead(417, [...headers, "connection", "close"]);
    response.end(body);
  });
  server.on("connect", (_request, socket) => endWithRefusal(socket, refusals, 405));
  server.on("clientError", (error, socket: Socket) => {
    const detail = errorCode(error);
    if (detail === "ECONNRESET" || !socket.writable || socket.bytesWritten > 0) {
      socket.destroy();
      return;
    }
    const status = parserErrorStatus(error);
    onEvent({
      kind: "request-refused",
      remoteAddress: door.addressOf(socket),
      status,
      detail,
    });
    endWithRefusal(socket, refusals, status);
  });
}

function redirect(origin: string, target: string, limits: EdgeLimits, refusals: Refusals): PlannedAnswer {
  if (target.length > limits.maxTargetLength) return refusals[414];
  const queryAt = target.indexOf("?");
  const path = queryAt < 0 ? target : target.slice(0, queryAt);
  const query = queryAt < 0 ? "" : target.slice(queryAt);
  if (decodePath(path) === undefined || !isCleanQuery(query)) return refusals[400];
  const location: Header = ["location", origin + path + query];
  return planAnswer(308, [location, ["cache-control", "no-store"], ...plainHeaders], new Uint8Array(0));
}
