import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { refusalHeader } from "../headers.ts";
import type { EgressCaller } from "../types.ts";
import { answerRefusal } from "./answer-refusal.ts";
import { drain } from "./drain.ts";
import type { Egress } from "./egress.ts";

/** Options of {@link createEgressServer}. */
export interface EgressServerOptions {
  egress: Pick<Egress, "handle" | "note"> & {
    /** What else is answered on this socket. True: it was. */
    answersItself?: (request: IncomingMessage, response: ServerResponse) => boolean;
  };
  /** Whose socket it is, for the log. */
  name: string;
  /** Who sends a request that came through this socket. Undefined: nobody who may. */
  caller: (request: IncomingMessage) => EgressCaller | undefined;
  /** Connections held at once. Default 1 024. */
  maxConnections?: number;
}

/** Answers callers on one socket, which only they can connect to. */
export interface EgressServer {
  /** Takes connections from a socket that listens already, or makes one. */
  listen(where: { fd: number } | { path: string }): Promise<void>;
  /** Takes no more connections, and ends those that are idle. */
  stop(): void;
  close(): Promise<void>;
}

/** What a caller may send in its first lines. */
const maxHeaderSize = 16_384;

/** Creates the server of one caller's socket. It takes for granted that whoever is at the other end is hostile. */
export function createEgressServer({
  egress,
  name,
  caller,
  maxConnections = 1024,
}: EgressServerOptions): EgressServer {
  const server = createServer({
    // What comes through a proxy has its host in the target.
    requireHostHeader: false,
    insecureHTTPParser: false,
    maxHeaderSize,
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: 60_000,
    noDelay: true,
  });
  server.maxConnections = maxConnections;

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    if (egress.answersItself?.(request, response)) return;
    const who = caller(request);
    if (who !== undefined) return egress.handle(who, request, response);
    egress.note(name, unknownCaller);
    answerRefusal(response, unknownCaller);
    drain(request);
  };
  server.on("request", serve);
  // A service's word on whether it wants the body is not waited for: egress reads it all before it asks.
  server.on("checkContinue", (request, response) => {
    response.writeContinue();
    serve(request, response);
  });
  server.on("checkExpectation", serve);
  const refuseTunnel = (_request: IncomingMessage, socket: Duplex): void => {
    egress.note(name, tunnel);
    socket.on("error", () => undefined);
    socket.end(tunnelRefused);
  };
  server.on("connect", refuseTunnel);
  server.on("upgrade", refuseTunnel);
  server.on("clientError", (_error, socket) => {
    egress.note(name, malformed);
    if (socket.writable)
      socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    else socket.destroy();
  });

  return {
    listen: (where) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(where, () => {
          server.off("error", reject);
          resolve();
        });
      }),
    stop() {
      server.close();
      server.closeIdleConnections();
    },
    close: () => closeServer(server),
  };
}

const unknownCaller = {
  code: "EGRESS_CALLER_UNKNOWN",
  reason: "it does not say who it is, or that is not whose socket it is",
} as const;
const tunnel = {
  code: "EGRESS_PROTOCOL_REFUSED",
  reason: "it asks for a tunnel, or for another protocol",
} as const;
const malformed = {
  code: "EGRESS_HEADERS_REFUSED",
  reason: "it is no well-formed HTTP, or came too slowly",
} as const;
const tunnelBody = JSON.stringify({ error: { code: tunnel.code } });
const tunnelRefused = `HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-type: application/json\r\n${refusalHeader}: ${tunnel.code}\r\ncontent-length: ${tunnelBody.length}\r\n\r\n${tunnelBody}`;

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
