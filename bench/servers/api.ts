import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { createPublicKey, verify } from "node:crypto";
import { importJWK, jwtVerify } from "jose";
import type { JWK } from "jose";
import { z } from "zod";
import { defineStack, parseContract, securityHeaders, signedIn, upstream } from "../../src/contract/index.ts";
import { createEdgeServer } from "../../src/edge/index.ts";
import type { ApiHandler } from "../../src/edge/index.ts";
import {
  createGateway,
  createLimitMemory,
  createLimitStore,
  createTokenVerifier,
} from "../../src/gateway/index.ts";
import { readSignatureKeys, tokenDigest } from "../../src/gateway/node.ts";
import { benchCertificate, host, makeRelease, ready } from "./page.ts";

/**
 * One API server, named on the command line: a POST of JSON that needs an EdDSA token, is limited by client, validated with
 * Zod, open to one other origin, and answered with what it was sent.
 */

const issuer = "https://login.example/";
const audience = "https://localhost/api";
const otherOrigin = "https://shop.example";
const { cert, key } = await benchCertificate();
const tls = { cert, key, minVersion: "TLSv1.3" as const };
const jwk = JSON.parse(process.env["BENCH_JWK"] ?? "{}") as JWK;
const Contact = z.strictObject({
  name: z.string().min(1).max(100),
  email: z.email().max(200),
  topic: z.enum(["order", "allergy", "other"]),
  message: z.string().min(1).max(2000),
});
const perMinute = 100_000_000;
const verifyOptions = { issuer, audience, algorithms: ["EdDSA"], typ: "at+jwt" };

/** What the gateway sends with an answer. */
const headers = [
  ...["content-type", "application/json", "cache-control", "no-store", "vary", "origin"],
  ...securityHeaders(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  ).flat(),
  ...["access-control-allow-origin", otherOrigin],
  ...["access-control-expose-headers", "RateLimit, RateLimit-Policy, Retry-After"],
  ...["ratelimit-policy", '"1";q=100000000;w=60', "ratelimit", '"1";r=99999999;t=1'],
];

const servers: Record<string, () => Promise<number>> = {
  "node:https echo"() {
    return listen(
      createHttps(tls, (request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          const body = Buffer.concat(chunks);
          response.writeHead(200, [...headers, "content-length", String(body.length)]).end(body);
        });
      }),
    );
  },

  /** What a call with a new token takes at the least. */
  "node:https echo, one verify"() {
    const publicKey = createPublicKey({ key: jwk, format: "jwk" });
    return listen(
      createHttps(tls, (request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          const token = request.headers.authorization?.slice(7) ?? "";
          const end = token.lastIndexOf(".");
          const signature = Buffer.from(token.slice(end + 1), "base64url");
          const isValid = verify(null, Buffer.from(token.slice(0, end)), publicKey, signature);
          const body = Buffer.concat(chunks);
          const length = ["content-length", String(body.length)];
          response.writeHead(isValid ? 200 : 401, [...headers, ...length]).end(body);
        });
      }),
    );
  },

  /** The edge without the gateway: what HTTP alone costs. */
  async "curtainwall, edge alone"() {
    const limits = { maxConnectionsPerAddress: 10_000 };
    const release = await makeRelease();
    const api: ApiHandler = {
      matches: (path) => path === "/api/contact",
      handle: (request, respond) =>
        request.readBody(65_536, (problem, body) =>
          respond({ status: problem === undefined ? 200 : 400, headers, body }),
        ),
    };
    const edge = createEdgeServer({
      release,
      origin: `https://${host}`,
      certificate: { cert, key },
      limits,
      api,
    });
    return (await edge.listen({ host: "127.0.0.1", port: 0 })).port;
  },

  async curtainwall() {
    const stack = defineStack({
      origin: `https://${host}`,
      identity: { issuer, audience, jwksUrl: "https://login.example/keys" },
      upstreams: { echo: upstream({ url: "https://echo.example" }) },
      cors: { origins: [otherOrigin] },
      routes: {
        "POST /api/contact": {
          access: signedIn,
          limit: `${perMinute}/min per client`,
          body: Contact,
          response: Contact,
          to: "echo",
        },
      },
    });
    const contract = parseContract(stack);
    if (contract.identity === undefined) throw new Error("The contract has no issuer");
    const keys = { epoch: 1, keys: readSignatureKeys([jwk]) };
    const gateway = createGateway({
      contract,
      // The proxy is another measurement: what is forwarded comes straight back.
      destinations: new Map([
        ["echo", ({ body }, done) => done({ kind: "answer", status: 200, value: body })],
      ]),
      limits: createLimitStore(createLimitMemory()),
      tokens: createTokenVerifier({
        identity: contract.identity,
        keys: { current: () => keys, refresh: () => Promise.resolve(keys) },
        digest: tokenDigest,
      }),
      events: () => {},
    });
    const limits = { maxConnectionsPerAddress: 10_000 };
    const release = await makeRelease();
    const edge = createEdgeServer({
      release,
      origin: contract.origin,
      certificate: { cert, key },
      limits,
      api: gateway,
    });
    return (await edge.listen({ host: "127.0.0.1", port: 0 })).port;
  },

  async fastify() {
    const { default: fastify } = await import("fastify");
    const { default: helmet } = await import("@fastify/helmet");
    const { default: cors } = await import("@fastify/cors");
    const { default: jwt } = await import("@fastify/jwt");
    const { default: rateLimit } = await import("@fastify/rate-limit");
    const app = fastify({ https: tls });
    await app.register(helmet);
    await app.register(cors, { origin: [otherOrigin] });
    await app.register(rateLimit, { max: perMinute, timeWindow: "1 minute" });
    const publicKey = createPublicKey({ key: jwk, format: "jwk" }).export({
      type: "spki",
      format: "pem",
    });
    await app.register(jwt, {
      secret: { public: publicKey },
      verify: { algorithms: ["EdDSA"], allowedIss: issuer, allowedAud: audience, cache: true },
    });
    app.post("/api/contact", { onRequest: (request) => request.jwtVerify() }, async (request, reply) => {
      const body = Contact.safeParse(request.body);
      if (!body.success) return reply.code(400).send({});
      return body.data;
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    return (app.server.address() as AddressInfo).port;
  },

  async express() {
    const { default: express } = await import("express");
    const { default: helmet } = await import("helmet");
    const { default: cors } = await import("cors");
    const { rateLimit } = await import("express-rate-limit");
    const publicKey = await importJWK(jwk, "EdDSA");
    const app = express();
    app.use(helmet(), cors({ origin: otherOrigin }));
    app.use(
      rateLimit({ limit: perMinute, windowMs: 60_000, standardHeaders: "draft-8", legacyHeaders: false }),
    );
    app.use(express.json({ limit: 65_536 }));
    app.post("/api/contact", async (request, response) => {
      await jwtVerify(request.headers.authorization?.slice(7) ?? "", publicKey, verifyOptions);
      const body = Contact.safeParse(request.body);
      response.status(body.success ? 200 : 400).json(body.success ? body.data : {});
    });
    return listen(createHttps(tls, app));
  },

  async hono() {
    const { Hono } = await import("hono");
    const { cors } = await import("hono/cors");
    const { secureHeaders } = await import("hono/secure-headers");
    const { serve } = await import("@hono/node-server");
    const { getConnInfo } = await import("@hono/node-server/conninfo");
    const publicKey = await importJWK(jwk, "EdDSA");
    const counts = new Map<string, number>();
    const app = new Hono();
    app.use(secureHeaders(), cors({ origin: otherOrigin }));
    app.post("/api/contact", async (context) => {
      const address = getConnInfo(context).remote.address ?? "";
      const count = (counts.get(address) ?? 0) + 1;
      counts.set(address, count);
      if (count > perMinute) return context.json({}, 429);
      await jwtVerify(context.req.header("authorization")?.slice(7) ?? "", publicKey, verifyOptions);
      const body = Contact.safeParse(await context.req.json());
      return body.success ? context.json(body.data) : context.json({}, 400);
    });
    return new Promise((resolve) => {
      const options = { fetch: app.fetch, hostname: "127.0.0.1", port: 0 };
      serve({ ...options, createServer: createHttps, serverOptions: tls }, ({ port }) => resolve(port));
    });
  },
};

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const start = servers[process.argv[2] ?? ""];
if (start === undefined) throw new Error(`There is no API server "${process.argv[2]}"`);
ready(await start());
