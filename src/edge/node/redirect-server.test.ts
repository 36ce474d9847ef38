import assert from "node:assert/strict";
import { once } from "node:events";
import { request as requestHttp } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { baseSecurityHeaders, inertPolicy } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import type { EdgeLimits } from "../limits.ts";
import { createRedirectServer } from "./redirect-server.ts";

async function startRedirect(t: TestContext, limits: Partial<EdgeLimits> = {}): Promise<number> {
  const server = createRedirectServer({
    origin: "https://site.test:8443",
    limits: { checkIntervalMs: 20, ...limits },
  });
  t.after(() => server.close(0));
  return (await server.listen({ host: "127.0.0.1", port: 0 })).port;
}

async function ask(port: number, path: string, method = "GET", host = "site.test") {
  const request = requestHttp({ host: "127.0.0.1", port, agent: false, method, path, headers: { host } });
  request.end();
  const [response] = await once(request, "response");
  response.resume();
  return { status: response.statusCode as number, headers: response.headers as IncomingHttpHeaders };
}

/** Sends raw bytes and gives all that comes back. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.write(bytes);
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

test("A page is sent to the same path and query of the origin, with the headers that plain HTTP may carry", async (t) => {
  const port = await startRedirect(t);
  for (const method of ["GET", "HEAD"]) {
    const { status, headers } = await ask(port, "/about/?a=b", method);
    assert.equal(status, 308);
    assert.equal(headers.location, "https://site.test:8443/about/?a=b");
    assert.equal(headers["content-security-policy"], inertPolicy);
    for (const [name, value] of baseSecurityHeaders) {
      const sent = name === "strict-transport-security" ? undefined : value;
      assert.equal(headers[name], sent, name);
    }
  }
});

test("Wherever a request says it goes, it is sent to the origin alone", async (t) => {
  const port = await startRedirect(t);
  assert.match(
    String((await ask(port, "/", "GET", "evil.example")).headers.location),
    /^https:\/\/site\.test:8443\/$/,
  );
  for (const path of [
    "//evil.example/",
    "/\\evil.example",
    "/..//evil.example",
    "/%2fevil.example",
    "/a%0d%0ab",
  ]) {
    const { status, headers } = await ask(port, path);
    assert.deepEqual([status, headers.location], [400, undefined], path);
  }
  assert.match(
    await exchange(port, "GET https://evil.example/ HTTP/1.1\r\nhost: site.test\r\n\r\n"),
    /^HTTP\/1\.1 400/,
  );
});

test("A method that changes something is refused, not sent on", async (t) => {
  const port = await startRedirect(t);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
    assert.equal((await ask(port, "/", method)).status, 405);
});

test("Garbage, long targets and slow clients get their status with headers, and the connection ends", async (t) => {
  const port = await startRedirect(t, { headersTimeoutMs: 500, maxTargetLength: 100 });
  const cases: [number, string][] = [
    [400, "garbage\r\n\r\n"],
    [405, "CONNECT site.test:80 HTTP/1.1\r\nhost: site.test\r\n\r\n"],
    [408, "GET / HTTP/1.1\r\nhost: "],
    [414, `GET /${"a".repeat(100)} HTTP/1.1\r\nhost: site.test\r\n\r\n`],
    [417, "GET / HTTP/1.1\r\nhost: site.test\r\nexpect: x\r\n\r\n"],
    [431, `GET / HTTP/1.1\r\nhost: site.test\r\na: ${"b".repeat(20_000)}\r\n\r\n`],
  ];
  for (const [status, bytes] of cases) {
    const answer = await exchange(port, bytes);
    assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), answer.slice(0, 60));
    assert.match(answer, /x-content-type-options: nosniff/);
    assert.doesNotMatch(answer, /strict-transport-security/);
  }
});

test("An origin that is not https is refused at once", () => {
  assert.throws(
    () => createRedirectServer({ origin: "http://site.test" }),
    (error) => isCurtainwallError(error, "EDGE_OPTION_INVALID"),
  );
});

test("What is refused over plain HTTP is told; an honest redirect is no news", async (t) => {
  const told: string[] = [];
  const server = createRedirectServer({
    origin: "https://site.test:8443",
    onEvent: ({ kind, status }) => told.push(`${kind} ${status}`),
  });
  t.after(() => server.close(0));
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  await ask(port, "/");
  await ask(port, "/contact", "POST");
  await ask(port, "//evil.example");
  assert.deepEqual(told, ["request-refused 405", "request-refused 400"]);
});
