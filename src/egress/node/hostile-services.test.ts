import assert from "node:assert/strict";
import { connect, createServer as createTcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { bearer, fn, secret } from "../../contract/index.ts";
import type { EgressOriginOptions, UseText } from "../../contract/index.ts";
import { freePort } from "../../../test/support/child-server.ts";
import { authority, makeAuthority, selfSigned } from "../fixtures/certificates.ts";
import { makeVault, openEgress } from "../fixtures/open-egress.ts";
import type { OpenEgress } from "../fixtures/open-egress.ts";
import { startLiar, startService } from "../fixtures/service.ts";
import type { EgressPartOptions } from "./egress.ts";

const key = "canary-of-nobody-0123456789";

/** Egress for one service, which a function may ask for anything with a key. */
function open(
  t: TestContext,
  origin: string,
  reached: EgressOriginOptions = {},
  options: Partial<EgressPartOptions> = {},
): Promise<OpenEgress> {
  const use = (method: string): UseText => `${method} ${origin}/**` as UseText;
  return openEgress(
    t,
    {
      functions: { quotes: {}, other: {} },
      secrets: {
        KEY: secret({ use: [use("GET"), use("POST")], by: [fn("quotes"), fn("other")], inject: bearer() }),
      },
      egress: { origins: { [origin as `https://${string}`]: { network: "loopback" as const, ...reached } } },
    },
    { vault: makeVault({ KEY: key }), ...options },
  );
}

/** What a caller is told, and that nobody is told the value. */
async function outcome({ call, events }: OpenEgress, origin: string): Promise<string> {
  const came = await call(`${origin}/x`).catch((error: Error & { code?: string }) => ({
    status: 0,
    code: error.code,
    body: "",
    headers: {},
  }));
  assert.doesNotMatch(JSON.stringify(came) + JSON.stringify(events), /canary/);
  return `${came.status} ${came.code}`;
}

suite("a service", () => {
  test("that is down is an answer of 502", async (t) => {
    const origin = `https://api.example:${await freePort()}`;
    assert.equal(await outcome(await open(t, origin), origin), "502 EGRESS_SERVICE_UNAVAILABLE");
  });

  test("that takes connections and says nothing, or stops halfway, is given up in time", async (t) => {
    const silent = await startLiar(t, () => undefined);
    assert.equal(
      await outcome(await open(t, silent.origin, { timeoutMs: 150 }), silent.origin),
      "504 EGRESS_SERVICE_TIMEOUT",
    );
    const tcp = createTcpServer(() => undefined);
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    t.after(() => tcp.close());
    const origin = `https://api.example:${(tcp.address() as AddressInfo).port}`;
    assert.equal(
      await outcome(await open(t, origin, { timeoutMs: 150 }), origin),
      "504 EGRESS_SERVICE_TIMEOUT",
    );
    const half = await startLiar(t, (socket) =>
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"),
    );
    // Its first bytes were passed on: who reads them sees the answer break off.
    assert.equal(await outcome(await open(t, half.origin, { timeoutMs: 1500 }), half.origin), "0 ECONNRESET");
  });

  test("that dribbles its first lines or its body is given up in time, however often something comes", async (t) => {
    for (const [before, expected] of [
      ["HTTP/1.1 200 OK\r\nx: ", "504 EGRESS_SERVICE_TIMEOUT"],
      // Its first bytes were passed on.
      ["HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", "0 ECONNRESET"],
    ] as const) {
      const { origin } = await startLiar(t, (socket) => {
        socket.write(before);
        const timer = setInterval(() => socket.write("a"), 20);
        socket.on("close", () => clearInterval(timer));
      });
      const opened = await open(t, origin, { timeoutMs: 1500 });
      assert.equal(await outcome(opened, origin), expected);
      const [failed] = opened.events;
      assert.ok(failed?.type === "egress.failed" && failed.code === "EGRESS_SERVICE_TIMEOUT");
    }
  });

  test("that says less than it announced is seen to break off, and what it says beyond is nobody's answer", async (t) => {
    const short = await startLiar(t, (socket) =>
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"),
    );
    assert.equal(await outcome(await open(t, short.origin), short.origin), "0 ECONNRESET");
    const next = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    const long = await startLiar(t, (socket) =>
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok${next}`),
    );
    const { call } = await open(t, long.origin, { concurrency: 1 });
    for (let time = 0; time < 3; time++) assert.equal((await call(`${long.origin}/x`)).body, "ok");
  });

  test("that repeats a value as a header's name, or where a visitor is sent to, is not repeated", async (t) => {
    const { origin } = await startLiar(t, (socket) =>
      socket.write(
        `HTTP/1.1 302 ${key}\r\nx-${key.toUpperCase()}: a\r\nlocation: https://169.254.169.254/?k=${key}\r\ncontent-length: 0\r\n\r\n`,
      ),
    );
    const opened = await open(t, origin);
    const { status, headers } = await opened.call(`${origin}/x`);
    assert.equal(status, 302);
    assert.doesNotMatch(JSON.stringify([headers, opened.events]), /canary/i);
    assert.equal(headers.location, "https://169.254.169.254/?k=[redacted]");
    // Whoever follows it is asked what it may, as with anything else.
    const followed = await opened.call("https://169.254.169.254/?k=1");
    assert.equal(followed.code, "EGRESS_USE_UNDECLARED");
  });

  const lies: [what: string, bytes: string, expected: string][] = [
    ["answers with no HTTP", "SSH-2.0-x\r\n\r\n", "502 EGRESS_ANSWER_INVALID"],
    [
      "has two lengths",
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
      "502 EGRESS_ANSWER_INVALID",
    ],
    [
      "has a length and chunks",
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "502 EGRESS_ANSWER_INVALID",
    ],
    ["has huge headers", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(40_000)}\r\n\r\n`, "502 EGRESS_ANSWER_INVALID"],
    ["has broken header lines", "HTTP/1.1 200 OK\r\nx : y\r\n\r\n", "502 EGRESS_ANSWER_INVALID"],
    [
      "switches protocols",
      "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
      "502 EGRESS_SERVICE_UNAVAILABLE",
    ],
    [
      "never comes to its answer",
      "HTTP/1.1 103 Early\r\nlink: </x>\r\n\r\n".repeat(100),
      "502 EGRESS_ANSWER_INVALID",
    ],
    [
      "announces more than is read",
      "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n",
      "502 EGRESS_ANSWER_TOO_LARGE",
    ],
    [
      "speaks HTTP/2 unasked",
      "\0\0\x04\x08\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\x01",
      "502 EGRESS_ANSWER_INVALID",
    ],
    ...["x: a\rset-cookie: b", "x: a\0b", "x: a\r\n b: c", "x: a\x01b", "content-length: -1"].map(
      (line): [string, string, string] => [
        `splits its headers with ${JSON.stringify(line)}`,
        `HTTP/1.1 200 OK\r\n${line}\r\ncontent-length: 0\r\n\r\n`,
        "502 EGRESS_ANSWER_INVALID",
      ],
    ),
    ...["000", "099", "600", "999", "1000"].map((status): [string, string, string] => [
      `has the status ${status}`,
      `HTTP/1.1 ${status} OK\r\ncontent-length: 0\r\n\r\n`,
      "502 EGRESS_ANSWER_INVALID",
    ]),
    [
      "compresses on the way",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
      "502 EGRESS_ANSWER_INVALID",
    ],
    [
      "says twice how it is coded",
      "HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nab",
      "502 EGRESS_ANSWER_INVALID",
    ],
    [
      "compresses unasked",
      "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nab",
      "502 EGRESS_ANSWER_INVALID",
    ],
  ];
  for (const [what, bytes, expected] of lies)
    test(`that ${what} is an answer of 502`, async (t) => {
      const { origin } = await startLiar(t, (socket) => socket.write(bytes));
      assert.equal(await outcome(await open(t, origin, { timeoutMs: 2000 }), origin), expected);
    });

  test("whose headers are in no known alphabet is passed on, byte by byte", async (t) => {
    const { origin } = await startLiar(t, (socket) =>
      socket.write("HTTP/1.1 200 OK\r\nx-name: bl\u00e5b\u00e6r \u20ac\r\ncontent-length: 2\r\n\r\nok"),
    );
    const { call } = await open(t, origin);
    const { status, headers } = await call(`${origin}/x`);
    assert.equal(status, 200);
    assert.equal(Buffer.from(String(headers["x-name"]), "latin1").toString(), "bl\u00e5b\u00e6r \u20ac");
  });

  test("that quotes what it was sent in a malformed answer gets it into no error", async (t) => {
    const { origin } = await startLiar(t, (socket) => socket.write(`Bearer ${key}\r\n\r\n`));
    assert.equal(await outcome(await open(t, origin), origin), "502 EGRESS_ANSWER_INVALID");
  });

  test("that answers without end is cut at the cap, and memory stays flat", async (t) => {
    const chunk = `${(65_536).toString(16)}\r\n${"x".repeat(65_536)}\r\n`;
    const { origin } = await startLiar(t, (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", more);
      more();
    });
    const { call } = await open(t, origin, { maxResponseBytes: 67_108_864, timeoutMs: 60_000 });
    const before = process.memoryUsage().rss;
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    await assert.rejects(call(`${origin}/x`));
    clearInterval(timer);
    // The test's own client keeps all that it reads.
    assert.ok(most - before < 67_108_864 + 100_000_000, `${Math.round((most - before) / 1e6)} MB more`);
  });

  test("whose certificate ran out, is another's, or nobody's is not talked to", async (t) => {
    const stranger = await makeAuthority();
    const reasons: string[] = [];
    for (const certificate of [
      await authority.issue(["api.example"], -1),
      await authority.issue(["other.example"]),
      await stranger.issue(["api.example"]),
      await selfSigned("api.example"),
    ]) {
      const service = await startService(t, undefined, { certificate });
      const opened = await open(t, service.origin);
      assert.equal(await outcome(opened, service.origin), "502 EGRESS_CERTIFICATE_REFUSED");
      assert.deepEqual(service.asked, []);
      const [failed] = opened.events;
      assert.ok(failed?.type === "egress.failed" && failed.code === "EGRESS_CERTIFICATE_REFUSED");
      reasons.push(failed.reason ?? "");
    }
    assert.deepEqual(reasons, [
      "CERT_HAS_EXPIRED",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "CERT_SIGNATURE_FAILURE",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
    ]);
  });

  test("is verified whatever the environment says", async (t) => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
    const service = await startService(t, undefined, {
      certificate: await authority.issue(["other.example"]),
    });
    assert.equal(
      await outcome(await open(t, service.origin), service.origin),
      "502 EGRESS_CERTIFICATE_REFUSED",
    );
  });

  test("whose name comes to mean something else (DNS rebinding) keeps the address that was checked", async (t) => {
    const service = await startService(t);
    let now = 1_800_000_000_000;
    let lookups = 0;
    const opened = await open(
      t,
      service.origin,
      {},
      { now: () => now, lookup: async () => (lookups++ === 0 ? ["127.0.0.1"] : ["169.254.169.254"]) },
    );
    assert.equal(await outcome(opened, service.origin), "200 undefined");
    now += 31_000;
    for (let count = 0; count < 3; count++)
      assert.equal(await outcome(opened, service.origin), "200 undefined");
    assert.equal(lookups, 2);
    // A clock that was set back, or far ahead, neither opens nor closes anything for good.
    now -= 86_400_000;
    assert.equal(await outcome(opened, service.origin), "502 EGRESS_ADDRESS_REFUSED");
  });

  test(
    "is asked by no more at once than the contract says, and one function's flood does not keep another's from it",
    { timeout: 120_000 },
    async (t) => {
      let inside = 0;
      let most = 0;
      const held: (() => void)[] = [];
      const service = await startService(t, (_, response) => {
        most = Math.max(most, ++inside);
        held.push(() => {
          inside--;
          response.end("ok");
        });
      });
      const { call, callers } = await open(t, service.origin, { concurrency: 2 });
      const flood = Array.from({ length: 20 }, () => call(`${service.origin}/flood`));
      // One of the two places is kept for the other.
      while (held.length < 1 || callers.length < 20) await new Promise(setImmediate);
      const other = call(`${service.origin}/other`, { fn: "other" });
      while (held.length < 2) await new Promise(setImmediate);
      assert.deepEqual(
        service.asked.map(({ line }) => line),
        ["GET /flood", "GET /other"],
      );
      let isOver = false;
      const all = Promise.all([...flood, other]).then(() => (isOver = true));
      while (!isOver) {
        held.shift()?.();
        await new Promise(setImmediate);
      }
      await all;
      assert.equal(most, 2);
    },
  );

  test("is not asked more often than the contract says", async (t) => {
    const service = await startService(t);
    const { call } = await open(t, service.origin, { rate: "3/h", timeoutMs: 2000 });
    const came = await Promise.all(Array.from({ length: 5 }, () => call(`${service.origin}/x`)));
    assert.equal(service.asked.length, 3);
    assert.equal(came.filter(({ code }) => code === "EGRESS_SERVICE_TIMEOUT").length, 2);
  });

  test("is left alone when who asked has gone", async (t) => {
    const closed = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const { origin } = await startLiar(t, (socket) => {
      socket.on("close", () => closed.resolve());
      asked.resolve();
    });
    const { path } = await open(t, origin);
    const socket = connect(path);
    socket.write(`GET ${origin}/x HTTP/1.1\r\nx-curtainwall-function: quotes\r\n\r\n`);
    await asked.promise;
    socket.destroy();
    await closed.promise;
  });
});
