import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { baseSecurityHeaders, inertPolicy } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import type { ApiHandler } from "../api.ts";
import {
  ask,
  askSession,
  certificate,
  emptied,
  host,
  makeRelease,
  openHttp2,
  openRaw,
  page,
  pagePolicy,
  plainRelease,
  protocols,
  readToEnd,
  startEdge,
} from "./test-edge.ts";
import type { Answer, Ask } from "./test-edge.ts";
import { createEdgeServer } from "./edge-server.ts";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

function assertSecured(answer: Answer, policy = inertPolicy): void {
  assert.equal(answer.headers["content-security-policy"], policy);
  for (const [name, value] of baseSecurityHeaders) assert.equal(answer.headers[name], value, name);
}

for (const protocol of protocols) {
  test(`${protocol}: a page comes with its own policy, a strong tag and the encoding that is wanted`, async (t) => {
    const { port } = await startEdge(t);
    const plain = await ask(protocol, port);
    assert.equal(plain.status, 200);
    assert.deepEqual(plain.body, page);
    assert.equal(plain.headers["content-length"], String(page.length));
    assert.equal(plain.headers["vary"], "accept-encoding");
    assertSecured(plain, pagePolicy);
    const br = await ask(protocol, port, { headers: { "accept-encoding": "gzip, br" } });
    const gzip = await ask(protocol, port, { headers: { "accept-encoding": "gzip, br;q=0.1" } });
    assert.deepEqual(brotliDecompressSync(br.body), page);
    assert.deepEqual(gunzipSync(gzip.body), page);
    assert.equal(br.headers["content-encoding"], "br");
    const tags = [plain, br, gzip].map((answer) => String(answer.headers["etag"]));
    assert.equal(new Set(tags).size, 3);
    for (const tag of tags) assert.match(tag, /^"[A-Za-z0-9_-]{22}"$/);
  });

  test(`${protocol}: a known tag gives 304 with all headers and no body (RFC 9110 §15.4.5)`, async (t) => {
    const { port } = await startEdge(t);
    const { headers } = await ask(protocol, port);
    const tag = String(headers["etag"]);
    for (const value of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
      const answer = await ask(protocol, port, { headers: { "if-none-match": value } });
      assert.equal(answer.status, 304);
      assert.equal(answer.body.length, 0);
      assert.equal(answer.headers["etag"], tag);
      assert.equal(answer.headers["cache-control"], "no-cache");
      assert.equal(answer.headers["content-type"], undefined);
      assertSecured(answer, pagePolicy);
    }
    // The tag is of another encoding's bytes.
    const other = await ask(protocol, port, { headers: { "if-none-match": tag, "accept-encoding": "br" } });
    assert.equal(other.status, 200);
  });

  test(`${protocol}: HEAD gives the headers of GET and no body`, async (t) => {
    const { port } = await startEdge(t);
    const get = await ask(protocol, port);
    const head = await ask(protocol, port, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    for (const name of ["content-length", "etag", "content-type", "content-security-policy"]) {
      assert.equal(head.headers[name], get.headers[name], name);
    }
  });

  test(`${protocol}: every refusal carries the whole set of headers`, async (t) => {
    const { port } = await startEdge(t, {
      limits: { maxTargetLength: 100 },
      api: {
        matches: (path) => path === "/api/broken",
        handle: () => {
          throw new Error("secret");
        },
      },
    });
    const cases: [number, Ask][] = [
      [308, { path: "/about" }],
      [400, { path: "/a/../b" }],
      [404, { path: "/none" }],
      [404, { path: "/none", method: "POST" }],
      [405, { method: "POST" }],
      [405, { method: "OPTIONS" }],
      [405, { method: "DELETE", path: "/about" }],
      [405, { method: "TRACE" }],
      [414, { path: `/${"a".repeat(100)}` }],
      [421, { headers: { host: "evil.example", ":authority": "evil.example" } }],
      [500, { path: "/api/broken" }],
    ];
    for (const [status, request] of cases) {
      if (protocol === "h2") delete request.headers?.["host"];
      else delete request.headers?.[":authority"];
      const answer = await ask(protocol, port, request);
      assert.equal(answer.status, status, JSON.stringify(request));
      assertSecured(answer);
      assert.doesNotMatch(answer.body.toString(), /secret/);
      if (status === 405) assert.equal(answer.headers["allow"], "GET, HEAD");
    }
  });

  test(`${protocol}: a folder's name without its slash leads to the folder, with the query`, async (t) => {
    const { port } = await startEdge(t);
    const answer = await ask(protocol, port, { path: "/about?utm=1" });
    assert.equal(answer.status, 308);
    assert.equal(answer.headers["location"], "/about/?utm=1");
    assert.equal((await ask(protocol, port, { path: "/about/?utm=1" })).body.toString(), "about");
  });

  test(`${protocol}: a path is decoded once, and nothing but its own file answers`, async (t) => {
    const { port } = await startEdge(t);
    const good = {
      "/a%20b/%C3%A9.txt": "escaped",
      "/a%20b/%c3%a9.txt": "escaped",
      "/%252e": "a percent sign",
    };
    for (const [path, body] of Object.entries(good)) {
      const answer = await ask(protocol, port, { path });
      assert.equal(answer.body.toString(), body, path);
      assertSecured(answer);
    }
    const attacks = [
      "/about%2f",
      "/%61bout%5c",
      "/x/../about/",
      "/%2e%2e/about/",
      "//about/",
      "/about//",
      "/%2e",
      "/about/%00",
    ];
    for (const path of [
      ...attacks,
      "/%2",
      "/%",
      "/%c0%af",
      "/about/.",
      "/about/..;/",
      "/.git/config",
      "/.env",
      "/index.html.map",
    ]) {
      const answer = await ask(protocol, port, { path });
      assert.ok(answer.status === 400 || answer.status === 404, `${path} gave ${answer.status}`);
    }
  });

  test(`${protocol}: the site's own 404 page is sent with 404, encoded as wanted, uncached`, async (t) => {
    const { port } = await startEdge(t, { release: await makeRelease([], "/404.html") });
    const answer = await ask(protocol, port, { path: "/none" });
    assert.equal(answer.status, 404);
    assert.equal(answer.body.toString(), "not here");
    assert.equal(answer.headers["cache-control"], "no-cache");
    assert.equal(answer.headers["etag"], undefined);
    assertSecured(answer, pagePolicy);
  });

  test(`${protocol}: an alias is answered, any other host is misdirected`, async (t) => {
    const { port } = await startEdge(t, { aliases: ["127.0.0.1"] });
    const name = protocol === "h2" ? ":authority" : "host";
    assert.equal((await ask(protocol, port, { headers: { [name]: "127.0.0.1" } })).status, 200);
    assert.equal((await ask(protocol, port, { headers: { [name]: "SITE.test:443" } })).status, 200);
    for (const other of ["127.0.0.2", "site.test.evil.example", "site.test:80", "site.test."]) {
      assert.equal((await ask(protocol, port, { headers: { [name]: other } })).status, 421, other);
    }
  });
}

/** Sends raw bytes and gives all that comes back. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = await openRaw(port);
  socket.write(bytes, "latin1");
  return readToEnd(socket);
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(answer)?.[1] ?? 0);

test("http/1.1: what the parser can't read gets 400 with all headers, and the connection ends", async (t) => {
  const { port, events } = await startEdge(t);
  const attacks = [
    "garbage\r\n\r\n",
    `GET / HTTP/1.1\r\nhost: ${host}\r\nbad header\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n`,
    `POST / HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: ${host}\r\n folded: x\r\n\r\n`,
    `GET / HTTP/1.1\nhost: ${host}\n\n`,
  ];
  for (const bytes of attacks) {
    const answer = await exchange(port, bytes);
    assert.equal(statusOf(answer), 400, JSON.stringify(bytes));
    for (const [name, value] of baseSecurityHeaders)
      assert.ok(answer.includes(`${name}: ${value}\r\n`), name);
    assert.ok(answer.includes(`content-security-policy: ${inertPolicy}\r\n`));
  }
  assert.ok(events.some((event) => event.status === 400 && event.remoteAddress === "127.0.0.1"));
});

test("http/1.1: a missing, repeated or empty Host is refused (RFC 9112 §3.2)", async (t) => {
  const { port } = await startEdge(t);
  const close = "connection: close\r\n\r\n";
  assert.equal(statusOf(await exchange(port, `GET / HTTP/1.1\r\n${close}`)), 400);
  assert.equal(statusOf(await exchange(port, `GET / HTTP/1.0\r\n\r\n`)), 400);
  assert.equal(
    statusOf(await exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nHOST: ${host}\r\n${close}`)),
    400,
  );
  assert.equal(statusOf(await exchange(port, `GET / HTTP/1.1\r\nhost:\r\n${close}`)), 421);
  assert.equal(statusOf(await exchange(port, `GET / HTTP/1.1\r\nhost: ${host}\r\n${close}`)), 200);
});

test("http/1.1: the absolute form is taken for this site alone (RFC 9112 §3.2.2)", async (t) => {
  const { port } = await startEdge(t);
  const close = `host: ${host}\r\nconnection: close\r\n\r\n`;
  assert.equal(statusOf(await exchange(port, `GET https://${host}/about/ HTTP/1.1\r\n${close}`)), 200);
  assert.equal(statusOf(await exchange(port, `GET https://evil.example/ HTTP/1.1\r\n${close}`)), 421);
  assert.equal(statusOf(await exchange(port, `GET http://${host}/ HTTP/1.1\r\n${close}`)), 400);
  assert.equal(statusOf(await exchange(port, `OPTIONS * HTTP/1.1\r\n${close}`)), 405);
  assert.equal(statusOf(await exchange(port, `CONNECT ${host}:443 HTTP/1.1\r\n${close}`)), 405);
});

test("http/1.1: an upgrade is answered as the request that it is; another expectation gets 417", async (t) => {
  const { port } = await startEdge(t);
  const upgrade = "connection: close, upgrade\r\nupgrade: websocket\r\n\r\n";
  assert.equal(statusOf(await exchange(port, `GET / HTTP/1.1\r\nhost: ${host}\r\n${upgrade}`)), 200);
  const answer = await exchange(
    port,
    `GET / HTTP/1.1\r\nhost: ${host}\r\nexpect: x\r\nconnection: close\r\n\r\n`,
  );
  assert.equal(statusOf(answer), 417);
  assert.ok(answer.includes("strict-transport-security"));
});

test("http/1.1: requests sent together are answered in order", async (t) => {
  const { port } = await startEdge(t);
  const first = `GET /about/ HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
  const last = `GET /none HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
  const answer = await exchange(port, first + first + last);
  assert.deepEqual(answer.match(/HTTP\/1\.1 [0-9]{3}/g), ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 404"]);
});

test("h2: an authority that differs from Host is refused (RFC 9113 §8.3.1)", async (t) => {
  const { port } = await startEdge(t);
  const session = openHttp2(port);
  t.after(() => session.destroy());
  assert.equal((await askSession(session, { headers: { host: "evil.example" } })).status, 400);
  assert.equal((await askSession(session, { headers: { host } })).status, 200);
});

test("TLS 1.2 is not spoken", async (t) => {
  const { port, event } = await startEdge(t);
  const { connect } = await import("node:tls");
  const socket = connect({
    host: "127.0.0.1",
    port,
    ca: certificate.ca,
    servername: host,
    maxVersion: "TLSv1.2",
  });
  const error = await new Promise<Error>((resolve) => {
    socket.once("error", resolve);
  });
  assert.match(String(error), /protocol version/i);
  assert.equal((await event("handshake-failed")).remoteAddress, "127.0.0.1");
});

test("Whatever path is asked for, 200 means that it names the file", async (t) => {
  const { port } = await startEdge(t);
  const session = openHttp2(port);
  t.after(() => session.destroy());
  const paths = new Set(plainRelease.manifest.files.map((file) => file.path));
  const piece = fc.constantFrom(
    "/",
    "about",
    "a%20b",
    "%C3%A9.txt",
    "..",
    ".",
    "%2e",
    "%252e",
    "%2f",
    "?x",
    "\\",
    "%5c",
    "404.html",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
      const path = `/${pieces.join("")}`;
      const { status } = await askSession(session, { path });
      if (status === 200) assert.ok(paths.has(decodeURIComponent(path.split("?", 1)[0] ?? "")), path);
      else assert.ok([308, 400, 404].includes(status), `${path} gave ${status}`);
    }),
    { numRuns: 200 },
  );
});

test("A certificate is replaced while connections go on; one that can't be used changes nothing", async (t) => {
  const { edge, port } = await startEdge(t);
  const { developmentCertificate } = await import("./development-certificate.ts");
  const { mkdtemp, rm } = await import("node:fs/promises");
  const folder = await mkdtemp("/tmp/curtainwall-edge-next-");
  t.after(() => rm(folder, { recursive: true }));
  const next = await developmentCertificate({ folder, hosts: [host] });
  const before = await openRaw(port);
  const old = before.getPeerCertificate().fingerprint256;
  assert.throws(
    () => edge.setCertificate({ cert: next.cert, key: certificate.key }),
    (error) => isCurtainwallError(error, "EDGE_CERTIFICATE_INVALID"),
  );
  assert.equal((await ask("h2", port)).status, 200);
  edge.setCertificate(next);
  const { connect } = await import("node:tls");
  const after = connect({
    host: "127.0.0.1",
    port,
    ca: next.ca,
    servername: host,
    ALPNProtocols: ["http/1.1"],
  });
  await new Promise((resolve) => {
    after.once("secureConnect", resolve);
  });
  assert.notEqual(after.getPeerCertificate().fingerprint256, old);
  assert.equal(after.getProtocol(), "TLSv1.3");
  after.destroy();
  before.write(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  assert.equal(statusOf(await readToEnd(before)), 200);
});

test("What can't be served is refused at start, with a code", async () => {
  const base = { release: plainRelease, origin: `https://${host}`, certificate };
  const cases: [string, Parameters<typeof createEdgeServer>[0]][] = [
    ["EDGE_RELEASE_TOO_LARGE", { ...base, limits: { maxReleaseBytes: 10 } }],
    ["EDGE_OPTION_INVALID", { ...base, origin: "http://site.test" }],
    ["EDGE_OPTION_INVALID", { ...base, limits: { maxHeaders: 0 } }],
    ["EDGE_CERTIFICATE_INVALID", { ...base, certificate: { cert: "x", key: "y" } }],
    [
      "EDGE_RELEASE_REFUSED",
      { ...base, api: { matches: (path) => path.startsWith("/about"), handle: () => {} } },
    ],
  ];
  const odd = [
    { path: "/../etc", headers: [], bytes: { identity: Buffer.from("x") } },
    { path: "/a//b", headers: [], bytes: { identity: Buffer.from("x") } },
    { path: "/cookie", headers: [["set-cookie", "a=b"] as const], bytes: { identity: Buffer.from("x") } },
    {
      path: "/twice",
      headers: [["x", "1"] as const, ["x", "2"] as const],
      bytes: { identity: Buffer.from("x") },
    },
  ];
  for (const file of odd)
    cases.push(["EDGE_RELEASE_REFUSED", { ...base, release: await makeRelease([file]) }]);
  for (const [code, options] of cases) {
    assert.throws(
      () => createEdgeServer(options),
      (error) => isCurtainwallError(error, code),
      code,
    );
  }
});

test("A port that is taken, or an address that is not ours, is a clear error", async (t) => {
  const { edge, port } = await startEdge(t);
  await assert.rejects(edge.listen({ host: "127.0.0.1", port }), (error) =>
    isCurtainwallError(error, "EDGE_PORT_IN_USE"),
  );
  await assert.rejects(edge.listen({ host: "192.0.2.1", port: 0 }), (error) =>
    isCurtainwallError(error, "EDGE_LISTEN_FAILED"),
  );
  assert.equal((await ask("h2", port)).status, 200);
});

test("http/1.1: a request that asks for an upgrade is answered, and its connection ends: node drops what follows it", async (t) => {
  const api: ApiHandler = {
    matches: (path) => path === "/api",
    handle: (_, respond) => respond({ status: 200, headers: [], body: "plain" }),
  };
  const { port } = await startEdge(t, { api });
  const next = `GET /none HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
  for (const path of ["/about/", "/api"]) {
    const socket = await openRaw(port);
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${next}`,
    );
    const answer = await readToEnd(socket);
    assert.match(answer, /^HTTP\/1\.1 200[^]*connection: close/i);
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
  }
});

test("http/1.1: a body whose chunks are broken is answered with 400 and all headers while nothing was, and cut off afterwards", async (t) => {
  const api: ApiHandler = {
    matches: (path) => path.startsWith("/api/"),
    handle: (request, respond) => {
      if (request.path === "/api/early") respond({ status: 401, headers: [], body: "early" });
      else request.readBody(1000, (problem) => respond({ status: 200, headers: [], body: String(problem) }));
    },
  };
  const broken = (path: string): string =>
    `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n`;
  const unread = await startEdge(t, { api });
  const first = await openRaw(unread.port);
  first.write(broken("/api/read"));
  const refusal = await readToEnd(first);
  assert.match(refusal, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(refusal, /content-security-policy: default-src 'none'/);
  assert.match(refusal, /connection: close\r\n\r\n400 Bad Request\n$/i);
  assert.equal((await unread.event("request-refused")).status, 400);

  const answered = await startEdge(t, { api });
  const second = await openRaw(answered.port);
  second.write(broken("/api/early"));
  assert.equal((await readToEnd(second)).match(/HTTP\/1\.1 /g)?.length ?? 0, 1);
  assert.equal((await answered.event("request-refused")).status, undefined);
});

test("http/1.1: of more requests at once than there is room to answer, those that were read are answered; then the connection ends", async (t) => {
  const { edge, port, event } = await startEdge(t);
  const get = (count: number): string =>
    `GET /none HTTP/1.1\r\nhost: ${host}\r\nx: ${"y".repeat(80)}\r\n\r\n`.repeat(count);
  const countOf = (answers: string): number => answers.match(/HTTP\/1\.1 404/g)?.length ?? 0;
  const honest = await openRaw(port);
  honest.write(`${get(40)}GET /none HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  assert.equal(countOf(await readToEnd(honest)), 41);
  const greedy = await openRaw(port);
  greedy.write(get(300));
  const answers = await readToEnd(greedy);
  assert.ok(countOf(answers) >= 20 && countOf(answers) < 300, `${countOf(answers)} answers`);
  assert.match(answers, /404 Not Found\n$/);
  assert.match((await event("request-refused")).detail, /pipelined/);
  await emptied(edge);
});
