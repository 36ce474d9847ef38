import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import type { RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { Pool } from "undici";
import { z } from "zod";
import { defineStack, everyone, parseContract, securityHeaders, upstream } from "../../src/contract/index.ts";
import { createEdgeServer } from "../../src/edge/index.ts";
import { createGateway, createLimitMemory, createLimitStore } from "../../src/gateway/index.ts";
import { createAssertionSigner, createUpstream } from "../../src/gateway/node.ts";
import type { AssertionSigner } from "../../src/gateway/node.ts";
import { benchCertificate, host, makeRelease, ready } from "./page.ts";

/**
 * One proxy, named on the command line: TLS 1.3 in front, HTTP/1.1 over kept connections behind, where an API answers with 1 KB of JSON. Or that
 * API, or what answers the same without anything behind it.
 */

const folder = process.env["BENCH_FOLDER"] ?? ".";
const upstreamPort = Number(process.env["BENCH_UPSTREAM"]);
const path = "/api/products/42";

const Product = z.object({
  id: z.number(),
  name: z.string(),
  price: z.number(),
  tags: z.array(z.string()),
  text: z.string(),
  stock: z.array(z.object({ shop: z.string(), count: z.number() })),
});
const product = {
  id: 42,
  name: "Rye loaf",
  price: 4.5,
  tags: ["bread", "rye", "vegan"],
  text: "Baked at four in the morning, out of the oven at five, and gone by noon on most days. ".repeat(7),
  stock: Array.from({ length: 8 }, (_, index) => ({ shop: `shop-${index}`, count: index * 3 })),
};
const asDeclared = Buffer.from(JSON.stringify(product));
/** With a field that must not leave, so that the answer has to be written anew. */
const withMore = Buffer.from(JSON.stringify({ ...product, cost: 1.25 }));
const headers = [
  ...[
    "content-type",
    "application/json; charset=utf-8",
    "cache-control",
    "no-store",
    "vary",
    "Origin, Authorization",
  ],
  ...securityHeaders(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  ).flat(),
];

/** The API: the second address answers with more than is declared. */
const answer: RequestListener = (request, response) => {
  const body = request.url?.startsWith("/more/") ? withMore : asDeclared;
  response
    .writeHead(200, ["content-type", "application/json", "content-length", String(body.length)])
    .end(body);
};

const servers: Record<string, () => Promise<number>> = {
  upstream: () => listen(createHttp(answer)),

  async "node:https, nothing behind"() {
    const { cert, key } = await benchCertificate();
    return listen(
      createHttps({ cert, key, minVersion: "TLSv1.3" }, (_request, response) => {
        response.writeHead(200, [...headers, "content-length", String(asDeclared.length)]).end(asDeclared);
      }),
    );
  },

  curtainwall: () => serveGateway({ path: "/" }),
  "curtainwall, written anew": () => serveGateway({ path: "/more/" }),
  "curtainwall, unsigned": () => serveGateway({ path: "/", signer: { sign: () => "unsigned" } }),
  "curtainwall, kept": () => serveGateway({ path: "/", cache: { seconds: 3600 } }),

  /** What the way through Node and undici costs at the least: no limit, no check, no assertion. */
  async "node:https and undici"() {
    const { cert, key } = await benchCertificate();
    const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 64, pipelining: 1 });
    return listen(
      createHttps({ cert, key, minVersion: "TLSv1.3" }, (request, response) => {
        const chunks: Buffer[] = [];
        pool.dispatch(
          { method: "GET", path: request.url ?? "/", headers: ["accept", "application/json"] },
          {
            onRequestStart: () => undefined,
            onResponseStart: () => undefined,
            onResponseData: (_controller, chunk) => void chunks.push(chunk),
            onResponseEnd() {
              const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
              response.writeHead(200, [...headers, "content-length", String(body.length)]).end(body);
            },
            onResponseError: () => void response.destroy(),
          },
        );
      }),
    );
  },

  async nginx() {
    const port = await freePort();
    const { certFile, keyFile } = await certificateFiles();
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/nginx-${name};`)
      .join(" ");
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr error; events { worker_connections 4096; }
http { access_log off; ${temporary} keepalive_requests 1000000000;
  upstream shop { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} ssl; ssl_certificate ${certFile}; ssl_certificate_key ${keyFile}; ssl_protocols TLSv1.3;
    location / { proxy_pass http://shop; proxy_http_version 1.1; proxy_set_header Connection ""; } } }\n`,
    );
    return run("nginx", ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")], port);
  },

  async haproxy() {
    const port = await freePort();
    const { certFile, keyFile } = await certificateFiles();
    const { readFileSync } = await import("node:fs");
    const pem = join(folder, "haproxy.pem");
    writeFileSync(pem, readFileSync(certFile, "utf8") + readFileSync(keyFile, "utf8"), { mode: 0o600 });
    writeFileSync(
      join(folder, "haproxy.cfg"),
      `global\n  nbthread 1\n  ssl-default-bind-options ssl-min-ver TLSv1.3\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  http-reuse always
frontend in\n  bind 127.0.0.1:${port} ssl crt ${pem}\n  default_backend shop\nbackend shop\n  server one 127.0.0.1:${upstreamPort}\n`,
    );
    return run("haproxy", ["-db", "-f", join(folder, "haproxy.cfg")], port);
  },

  async caddy() {
    const port = await freePort();
    const { certFile, keyFile } = await certificateFiles();
    const file = join(folder, "Caddyfile");
    writeFileSync(
      file,
      `{\n  admin off\n  auto_https off\n  servers {\n    protocols h1\n  }\n}
https://localhost:${port} {\n  bind 127.0.0.1\n  tls ${certFile} ${keyFile}\n  reverse_proxy 127.0.0.1:${upstreamPort}\n}\n`,
    );
    return run("caddy", ["run", "--adapter", "caddyfile", "--config", file], port, { GOMAXPROCS: "1" });
  },
};

async function serveGateway({
  path: prefix,
  cache,
  signer,
}: {
  path: string;
  cache?: { seconds: number };
  signer?: AssertionSigner;
}): Promise<number> {
  const url = `http://127.0.0.1:${upstreamPort}${prefix}`;
  const contract = parseContract(
    defineStack({
      origin: `https://${host}`,
      upstreams: { shop: upstream({ url, insecureAllowHttp: "a measurement on one machine" }) },
      routes: {
        "GET /api/products/:id": {
          access: everyone,
          limit: "100000000/min per client",
          params: { id: z.string().max(40) },
          response: Product,
          to: "shop",
          ...(cache === undefined ? {} : { cache }),
        },
      },
    }),
  );
  const shop = contract.upstreams.get("shop");
  if (shop === undefined) throw new Error("The contract has no upstream");
  const { privateKey } = generateKeyPairSync("ed25519");
  const ours = createAssertionSigner({
    key: privateKey,
    keyId: "bench",
    issuer: contract.origin,
    audience: url,
  });
  const pool = createUpstream({ upstream: shop, assertions: signer ?? ours });
  const gateway = createGateway({
    contract,
    destinations: new Map([["shop", pool.send]]),
    limits: createLimitStore(createLimitMemory()),
    events: () => {},
  });
  const { cert, key } = await benchCertificate();
  const edge = createEdgeServer({
    release: await makeRelease(),
    origin: contract.origin,
    certificate: { cert, key },
    limits: { maxConnectionsPerAddress: 10_000 },
    api: gateway,
  });
  return (await edge.listen({ host: "127.0.0.1", port: 0 })).port;
}

async function certificateFiles(): Promise<{ certFile: string; keyFile: string }> {
  const { cert, key } = await benchCertificate();
  const certFile = join(folder, "proxy.crt");
  const keyFile = join(folder, "proxy.key");
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return { certFile, keyFile };
}

/** Runs a proxy of somebody else's as a child, so that its time counts as this process's. */
async function run(
  program: string,
  args: readonly string[],
  port: number,
  env: object = {},
): Promise<number> {
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, HOME: folder, ...env },
  });
  process.once("exit", () => child.kill("SIGTERM"));
  while (!(await accepts(port))) if (child.exitCode !== null) throw new Error(`${program} ended`);
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => setTimeout(resolve, 20, false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const start = servers[process.argv[2] ?? ""];
if (start === undefined) throw new Error(`There is no server "${process.argv[2]}" of ${path}`);
ready(await start());
