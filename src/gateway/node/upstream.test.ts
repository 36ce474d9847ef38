import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { exportJWK, generateKeyPair } from "jose";
import type { ContractRoute } from "../../contract/index.ts";
import { assertionHeader, verifyAssertion } from "../assertion.ts";
import { createAssertionSigner } from "./assertion-signer.ts";
import type { ForwardedAnswer, ForwardedRequest } from "../types.ts";
import { certificate, listen, skip } from "../../../test/support/https-server.ts";
import type { TestServer } from "../../../test/support/https-server.ts";
import { createUpstream } from "./upstream.ts";
import type { UpstreamPool, UpstreamPoolOptions } from "./upstream.ts";

const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
const issuer = "https://www.bakery.test";
const publicKeys = { keys: [{ ...(await exportJWK(publicKey)), kid: "a1", alg: "EdDSA" }] };

function open(
  t: TestContext,
  origin: string,
  { path = "/", ...options }: Partial<UpstreamPoolOptions> & { path?: string } = {},
): UpstreamPool {
  const url = new URL(path, origin);
  const pool = createUpstream({
    upstream: { name: "shop", url, timeoutMs: 2000, maxResponseBytes: 1000, caFile: undefined },
    ca: certificate.ca,
    assertions: createAssertionSigner({ key: privateKey, keyId: "a1", issuer, audience: url.href }),
    ...options,
  });
  t.after(() => pool.close());
  return pool;
}

function ask(
  { send }: UpstreamPool,
  request: Partial<Omit<ForwardedRequest, "route">> & { method?: string; timeoutMs?: number } = {},
): Promise<ForwardedAnswer> {
  const { method = "GET", timeoutMs = 2000, ...others } = request;
  const route = { method, timeoutMs, errors: new Map() } as unknown as ContractRoute;
  return new Promise((resolve) => {
    let answers = 0;
    send(
      { route, id: "r1", target: "/api/orders", body: undefined, caller: undefined, ...others },
      (answer) => {
        assert.equal(++answers, 1);
        // What the value was read from, and the headers, have tests of their own.
        const { kind } = answer;
        resolve(kind === "answer" ? { kind, status: answer.status, value: answer.value } : answer);
      },
    );
  });
}

type Handle = (request: IncomingMessage, response: ServerResponse, socket: Socket) => void;

async function askOnce(
  t: TestContext,
  handle: Handle,
  request?: Parameters<typeof ask>[1],
): Promise<ForwardedAnswer> {
  const server = await listen(t, handle);
  return ask(open(t, server.origin), request);
}

const json =
  (text: string, status = 200): Handle =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(text);
  };

/** Writes bytes of its own choosing instead of an answer. */
const raw =
  (bytes: string, end = true): Handle =>
  (_request, _response, socket) => {
    socket.write(bytes);
    if (end) socket.end();
  };

const failure = (answer: ForwardedAnswer): string =>
  answer.kind === "failed" ? answer.code : JSON.stringify(answer);

suite("an upstream that works", { skip }, () => {
  test("gets the rebuilt target, the body written anew, and an assertion for exactly that; nothing of the client's", async (t) => {
    let body = "";
    const server: TestServer = await listen(t, (request, response) => {
      request.setEncoding("utf8");
      request.on("data", (chunk: string) => (body += chunk));
      request.on("end", () => json('{"ok":true}')(request, response, request.socket));
    });
    const caller = { subject: "alice", roles: ["staff"] };
    const answer = await ask(open(t, server.origin, { path: "/v1/" }), {
      method: "POST",
      target: "/api/orders?x=1",
      body: { a: "ü" },
      caller,
    });
    assert.deepEqual(answer, { kind: "answer", status: 200, value: { ok: true } });
    assert.deepEqual(server.asked, ["POST /v1/api/orders?x=1"]);
    assert.equal(body, '{"a":"ü"}');
    const headers = server.headers[0] as string[];
    const names = headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    assert.deepEqual(names.toSorted(), [
      "accept",
      "connection",
      "content-length",
      "content-type",
      assertionHeader,
      "host",
      "request-id",
    ]);
    const assertion = headers[headers.indexOf(assertionHeader) + 1];
    const verified = await verifyAssertion(
      assertion,
      { method: "POST", path: "/v1/api/orders?x=1", body },
      { keys: publicKeys, issuer, audience: `${server.origin}/v1/` },
    );
    assert.deepEqual(verified, { ...caller, id: "r1" });
  });

  test("204 and an empty body are an answer without a value", async (t) => {
    assert.deepEqual(await askOnce(t, (_, response) => response.writeHead(204).end()), {
      kind: "answer",
      status: 204,
      value: undefined,
    });
    assert.deepEqual(await askOnce(t, json("")), { kind: "answer", status: 200, value: undefined });
  });

  test("what an error says is not read, whatever its type", async (t) => {
    for (const status of [301, 302, 307, 400, 401, 404, 418, 500, 503]) {
      const server = await listen(t, (_, response) => {
        response.writeHead(status, { location: "/elsewhere", "content-type": "text/html" });
        response.end("<h1>canary</h1>");
      });
      assert.deepEqual(await ask(open(t, server.origin)), { kind: "answer", status, value: undefined });
      assert.deepEqual(server.asked, ["GET /api/orders"]);
    }
  });

  test("early hints and a JSON type with a suffix or a charset are understood", async (t) => {
    const answer = await askOnce(t, (_, response) => {
      response.writeEarlyHints({ link: "</a>; rel=preload" });
      response.writeHead(200, { "content-type": "application/hal+json; charset=utf-8" });
      response.end("[1]");
    });
    assert.deepEqual(answer, { kind: "answer", status: 200, value: [1] });
  });

  test("one connection serves many requests, one after the other", async (t) => {
    const ports = new Set<number | undefined>();
    const server = await listen(t, (request, response) => {
      ports.add(request.socket.remotePort);
      json("1")(request, response, request.socket);
    });
    const pool = open(t, server.origin);
    for (let count = 0; count < 5; count++) {
      await ask(pool);
      // A connection is free again in the next turn of the loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(ports.size, 1);
  });
});

suite("an upstream that does not", { skip }, () => {
  test("one that is down is unavailable", async (t) => {
    const server = await listen(t, json("1"));
    await server.close();
    assert.equal(failure(await ask(open(t, server.origin))), "GATEWAY_UPSTREAM_UNAVAILABLE");
  });

  test("one that does not answer, or not to the end, is out of time, and its connection is cut", async (t) => {
    for (const start of [false, true]) {
      let cut: Promise<unknown> | undefined;
      const answer = await askOnce(
        t,
        (_, response, socket) => {
          cut = new Promise((resolve) => {
            socket.once("close", resolve);
          });
          if (start) response.writeHead(200, { "content-type": "application/json" }).write('{"a":');
        },
        { timeoutMs: 100 },
      );
      assert.equal(failure(answer), "GATEWAY_UPSTREAM_TIMEOUT");
      await cut;
    }
  });

  test("one that drips a byte at a time has no more time than the others", async (t) => {
    const answer = await askOnce(
      t,
      (_, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        const drip = setInterval(() => response.write(" "), 10);
        response.on("close", () => clearInterval(drip));
      },
      { timeoutMs: 150 },
    );
    assert.equal(failure(answer), "GATEWAY_UPSTREAM_TIMEOUT");
  });

  const broken: [string, Handle][] = [
    [
      "a type that is not JSON",
      (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("{}"),
    ],
    ["no type", (_, response) => response.writeHead(200).end("{}")],
    [
      "a type that only begins like JSON",
      (_, response) => response.writeHead(200, { "content-type": "application/jsonp" }).end("{}"),
    ],
    ["malformed JSON", json('{"a":')],
    [
      "bytes that are no UTF-8",
      (_, response) =>
        response.writeHead(200, { "content-type": "application/json" }).end(Buffer.of(0x22, 0xff, 0x22)),
    ],
    [
      "compressed bytes",
      (_, response) =>
        response
          .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
          .end(Buffer.of(0x1f, 0x8b, 8)),
    ],
    ["too many bytes", json(JSON.stringify("x".repeat(1000)))],
    [
      "too many bytes, and says so",
      (_, response) =>
        response.writeHead(200, { "content-type": "application/json", "content-length": "5000" }).write("1"),
    ],
    [
      "fewer bytes than it said",
      raw('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"a":1}'),
    ],
    ["bytes that are no HTTP", raw("\u0000\u0001garbage\r\n\r\n")],
    [
      "two lengths",
      raw(
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n1",
      ),
    ],
    [
      "a length and chunks",
      raw(
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\ncontent-type: application/json\r\n\r\n1\r\n1\r\n0\r\n\r\n",
      ),
    ],
  ];
  for (const [name, handle] of broken)
    test(`one that sends ${name} has given an unusable answer`, async (t) => {
      assert.equal(failure(await askOnce(t, handle)), "GATEWAY_ANSWER_INVALID");
    });

  test("one that closes the connection without a word is unavailable", async (t) => {
    assert.equal(
      failure(await askOnce(t, (_request, _response, socket) => socket.destroy())),
      "GATEWAY_UPSTREAM_UNAVAILABLE",
    );
  });

  test("one with a certificate that nobody vouches for, or for another name, is unavailable and asked nothing", async (t) => {
    const server = await listen(t, json("1"));
    for (const pool of [
      open(t, server.origin, { ca: undefined }),
      open(t, server.origin.replace("127.0.0.1", "localhost")),
    ])
      assert.equal(failure(await ask(pool)), "GATEWAY_UPSTREAM_UNAVAILABLE");
    assert.deepEqual(server.asked, []);
  });

  test("a request that ran out of time while it waited for a connection is never sent", async (t) => {
    let release: () => void = () => undefined;
    const server = await listen(t, (request, response) => {
      release = () => json("1")(request, response, request.socket);
    });
    const pool = open(t, server.origin, { connections: 1 });
    const slow = ask(pool, { target: "/slow" });
    while (server.asked.length < 1) await new Promise((resolve) => setImmediate(resolve));
    const waiting = await ask(pool, { target: "/waiting", method: "POST", timeoutMs: 100 });
    assert.equal(failure(waiting), "GATEWAY_UPSTREAM_TIMEOUT");
    release();
    assert.equal((await slow).kind, "answer");
    const after = ask(pool, { target: "/after" });
    while (server.asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
    release();
    assert.equal((await after).kind, "answer");
    assert.deepEqual(server.asked, ["GET /slow", "GET /after"]);
  });

  test("a slow one gathers no more requests than allowed; when it answers again, so does the gateway", async (t) => {
    const held: (() => void)[] = [];
    const server = await listen(t, (request, response) =>
      held.push(() => json("1")(request, response, request.socket)),
    );
    const pool = open(t, server.origin, { connections: 1, maxRequests: 3 });
    const release = async (): Promise<void> => {
      while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
      held.shift()?.();
    };
    const waiting = [ask(pool), ask(pool), ask(pool)];
    assert.equal(failure(await ask(pool)), "GATEWAY_UPSTREAM_UNAVAILABLE");
    for (const _ of waiting) await release();
    for (const request of waiting) assert.equal((await request).kind, "answer");
    const again = ask(pool);
    await release();
    assert.equal((await again).kind, "answer");
  });

  test("one that asks for an upgrade, or pipelines a second answer, breaks nothing", async (t) => {
    const two = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n1";
    const server = await listen(t, raw(`${two}${two.replace(/1$/, "2")}`, false));
    const pool = open(t, server.origin);
    assert.deepEqual(await ask(pool), { kind: "answer", status: 200, value: 1 });
    // The second answer must not be taken for that of the next request.
    assert.deepEqual(await ask(pool), { kind: "answer", status: 200, value: 1 });
    const upgrade = await askOnce(
      t,
      raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    );
    assert.equal(upgrade.kind, "failed");
  });
});
