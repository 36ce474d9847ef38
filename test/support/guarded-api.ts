import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { TestContext } from "node:test";
import { defineStack, parseContract, upstream } from "../../src/contract/index.ts";
import type { SecurityEvent } from "../../src/contract/index.ts";
import type { EdgeServerOptions } from "../../src/edge/index.ts";
import { host, startEdge } from "../../src/edge/node/test-edge.ts";
import type { Running } from "../../src/edge/node/test-edge.ts";
import { createGateway, createLimitMemory, createLimitStore } from "../../src/gateway/index.ts";
import type { AssertionSigner } from "../../src/gateway/assertion.ts";
import { createUpstream, tokenDigest } from "../../src/gateway/node.ts";

/** A request as the upstream's own parser read it. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** An upstream over real sockets that answers as it is told, and writes down what it was asked. */
export interface RealUpstream {
  readonly port: number;
  readonly seen: SeenRequest[];
  /** What its parser could not read. */
  readonly unreadable: string[];
  answer: (request: SeenRequest, response: ServerResponse, socket: Socket) => void;
  /** Connections open now. */
  readonly connections: number;
}

/** A listening edge with the gateway behind it and a real upstream behind that. */
export interface GuardedApi extends Running {
  readonly upstream: RealUpstream;
  readonly ledger: SecurityEvent[];
}

/** Starts one; all of it ends with the test. `routes` are checked when they are parsed. */
export async function startGuardedApi(
  context: TestContext,
  routes: object,
  {
    edge = {},
    stack = {},
    now = Date.now,
  }: { edge?: Partial<EdgeServerOptions>; stack?: object; now?: () => number } = {},
): Promise<GuardedApi> {
  const shop = await startUpstream(context);
  const contract = parseContract(
    defineStack({
      origin: `https://${host}`,
      upstreams: {
        shop: upstream({
          url: `http://127.0.0.1:${shop.port}`,
          timeoutMs: 2000,
          insecureAllowHttp: "inside a test",
        }),
      },
      ...stack,
      routes,
    }),
  );
  const declared = contract.upstreams.get("shop");
  if (declared === undefined) throw new Error("no upstream");
  const pool = createUpstream({ upstream: declared, assertions: unsigned });
  context.after(() => pool.close());
  const ledger: SecurityEvent[] = [];
  const gateway = createGateway({
    contract,
    destinations: new Map([["shop", pool.send]]),
    limits: createLimitStore(createLimitMemory()),
    events: (event) => ledger.push(event),
    digest: tokenDigest,
    now,
  });
  // Its timers would keep the test's process for a minute.
  context.after(() => gateway.close());
  const running = await startEdge(context, { api: gateway, ...edge });
  return Object.assign(running, { upstream: shop, ledger });
}

/** Signing is tested elsewhere; here it would only cost time. */
const unsigned: AssertionSigner = { sign: async () => "unsigned" };

async function startUpstream(context: TestContext): Promise<RealUpstream> {
  const seen: SeenRequest[] = [];
  const unreadable: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ insecureHTTPParser: false }, (request, response) => {
    read(request).then(
      (body) => {
        const { method = "", url = "", rawHeaders } = request;
        const asked = { method, target: url, headers: rawHeaders, body };
        seen.push(asked);
        shop.answer(asked, response, request.socket);
      },
      () => undefined,
    );
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // A request whose client left is called off by cutting its connection: no text that could not be read.
    if (error.code !== "ECONNRESET") unreadable.push(error.message);
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const shop: RealUpstream = {
    port: (server.address() as AddressInfo).port,
    seen,
    unreadable,
    answer: answerJson({ ok: true }),
    get connections() {
      return sockets.size;
    },
  };
  return shop;
}

/** Answers with JSON. */
export function answerJson(value: unknown, status = 200): RealUpstream["answer"] {
  return (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
