import { mkdirSync, writeFileSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import { createSecureServer } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { createEdgeServer } from "../../src/edge/index.ts";
import { benchCertificate, fullHeaders, host, makeRelease, page, pageHeaders, ready } from "./page.ts";

/** One static server, named on the command line, over TLS 1.3 on a free port. */

const { cert, key } = await benchCertificate();
const tls = { cert, key, minVersion: "TLSv1.3" as const };
const lines = fullHeaders.flat();
const fields = Object.fromEntries(fullHeaders);
const rest = Object.fromEntries(pageHeaders);

const servers: Record<string, () => Promise<number> | number> = {
  "node:https": () =>
    listen(
      createHttps(tls, (request, response) => {
        if (request.url !== "/") response.writeHead(404).end();
        else response.writeHead(200, lines).end(page);
      }),
    ),
  "node:http2": () => {
    const server = createSecureServer(tls);
    server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on("error", () => {});
      if (headers[":path"] !== "/") return stream.respond({ ":status": 404 }, { endStream: true });
      stream.respond(fields);
      stream.end(page);
    });
    return listen(server);
  },
  "node:http2 (compat)": () =>
    listen(
      createSecureServer(tls, (request, response) => {
        if (request.url === "/") response.writeHead(200, fields);
        response.end(page);
      }),
    ),
  async curtainwall() {
    const limits = { maxConnectionsPerAddress: 10_000 };
    const release = await makeRelease();
    const edge = createEdgeServer({ release, origin: `https://${host}`, certificate: { cert, key }, limits });
    return (await edge.listen({ host: "127.0.0.1", port: 0 })).port;
  },
  async "express + helmet"() {
    const { default: express } = await import("express");
    const { default: helmet } = await import("helmet");
    const app = express();
    app.use(helmet());
    app.get("/", (_, response) => {
      response.type("html").set("cache-control", "no-cache").send(page);
    });
    return listen(createHttps(tls, app));
  },
  async "fastify + helmet"() {
    const { default: fastify } = await import("fastify");
    const { default: helmet } = await import("@fastify/helmet");
    const app = fastify({ https: tls });
    await app.register(helmet);
    app.get("/", (_, reply) => {
      void reply.type("text/html; charset=utf-8").header("cache-control", "no-cache").send(page);
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    return (app.server.address() as AddressInfo).port;
  },
  async "hono + node-server"() {
    const { Hono } = await import("hono");
    const { secureHeaders } = await import("hono/secure-headers");
    const { serve } = await import("@hono/node-server");
    const app = new Hono();
    app.use(secureHeaders());
    const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" };
    app.get("/", (context) => context.body(page, 200, headers));
    return new Promise((resolve) => {
      const options = { fetch: app.fetch, hostname: "127.0.0.1", port: 0 };
      serve({ ...options, createServer: createHttps, serverOptions: tls }, ({ port }) => resolve(port));
    });
  },
  async sirv() {
    const { default: sirv } = await import("sirv");
    const folder = join(process.env["BENCH_FOLDER"] ?? ".", "sirv");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "index.html"), page);
    const serveFiles = sirv(folder, {
      etag: true,
      setHeaders: (response) => {
        for (const [name, value] of Object.entries(rest)) response.setHeader(name, value);
      },
    });
    return listen(createHttps(tls, (request, response) => serveFiles(request, response)));
  },
};

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const start = servers[process.argv[2] ?? ""];
if (start === undefined) throw new Error(`There is no static server "${process.argv[2]}"`);
ready(await start());
