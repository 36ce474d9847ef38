import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { isCurtainwallError } from "../../shared/index.ts";
import { testCertificate } from "../fixtures/certificate.ts";
import { startSite } from "../fixtures/site.ts";
import type { Protocol } from "../probes/probe.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import { createWire } from "./wire.ts";
import type { OpenWire } from "./wire.ts";

/** A wire to a plain server that treats connections as it likes. */
async function withServer(
  treat: (socket: Socket) => void,
  work: (wire: OpenWire) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    treat(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const wire = createWire({
    target: new URL(`http://localhost:${(server.address() as AddressInfo).port}`),
    timeoutMs: 1000,
    maxBytes: 1000,
  });
  try {
    await work(wire);
  } finally {
    wire.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

for (const protocol of ["http/1.1", "h2"] as const satisfies Protocol[]) {
  test(`a request arrives as it was written, and its answer comes back, over ${protocol}`, async () => {
    const site = await startSite();
    const wire = createWire({ target: site.target, ca: site.ca });
    try {
      const response = await wire.send({
        method: "GET",
        path: "/api/breads/rye?unit=g",
        protocol,
        headers: [["accept", "application/json"]],
      });
      assert.deepEqual(
        [response.protocol, response.status, response.header("content-type")],
        [protocol, 200, "application/json"],
      );
      assert.deepEqual(JSON.parse(response.text()), { id: "rye", name: "Rye" });
    } finally {
      wire.close();
      await site.close();
    }
  });

  test(`requests come from the loopback address that was asked for, over ${protocol}`, async () => {
    const { cert, key, ca } = await testCertificate();
    const seen: (string | undefined)[] = [];
    const server = createTlsServer({ cert, key, ALPNProtocols: [protocol] }, (socket) => {
      seen.push(socket.remoteAddress);
      socket.on("error", () => undefined).destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const wire = createWire({
      target: new URL(`https://localhost:${(server.address() as AddressInfo).port}`),
      ca,
    });
    await assert.rejects(
      wire.send({ method: "GET", path: "/", protocol, client: "127.9.8.7" }),
      isCurtainwallError,
    );
    assert.deepEqual(seen, ["127.9.8.7"]);
    wire.close();
    server.close();
  });
}

test("a target that is slow to open a connection gets all that waits for it, over HTTP/2", async () => {
  const { key, cert, ca } = await testCertificate();
  const server = createSecureServer({ key, cert }, (_request, response) => response.end("here"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Longer than a connection is kept that nobody uses.
  const slow = createServer((socket) => {
    setTimeout(() => {
      const { port } = server.address() as AddressInfo;
      const there = connect(port, "127.0.0.1", () => socket.pipe(there).pipe(socket));
      for (const end of [socket, there]) end.on("error", () => undefined);
      socket.on("close", () => there.destroy());
    }, 3500);
  });
  await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const { port } = slow.address() as AddressInfo;
  const wire = createWire({ target: new URL(`https://localhost:${port}`), ca });
  try {
    const asked = ["/one", "/two"].map((path) => wire.send({ method: "GET", path, protocol: "h2" }));
    assert.deepEqual(
      (await Promise.all(asked)).map((response) => response.text()),
      ["here", "here"],
    );
  } finally {
    wire.close();
    slow.close();
    server.close();
  }
});

test("a body beyond the bound is cut and marked", async () => {
  await withServer(
    (socket) =>
      socket.on("data", () =>
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n${"a".repeat(5000)}`),
      ),
    async (wire) => {
      const response = await wire.send({ method: "GET", path: "/" });
      assert.deepEqual([response.body.length, response.truncated], [1000, true]);
    },
  );
});

test("an answer that stops half-way is an error, not a short answer", async () => {
  await withServer(
    (socket) => socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf")),
    async (wire) => {
      await assert.rejects(wire.send({ method: "GET", path: "/" }), (error) => isCurtainwallError(error));
    },
  );
});

test("an answer whose stream is ended half-way is one that was cut off, over HTTP/2; one that never began is none", async (t) => {
  const { key, cert, ca } = await testCertificate();
  const server = createSecureServer({ key, cert });
  server.on("stream", (stream: ServerHttp2Stream, { ":path": path }) => {
    stream.on("error", () => undefined);
    if (path === "/never") return void stream.destroy(new Error("never"));
    stream.respond({ ":status": 200 });
    stream.write("half", () => stream.destroy(new Error("no more")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const wire = createWire({
    target: new URL(`https://localhost:${(server.address() as AddressInfo).port}`),
    ca,
  });
  t.after(() => {
    wire.close();
    server.close();
  });
  await assert.rejects(wire.send({ method: "GET", path: "/half", protocol: "h2" }), {
    code: "AUDIT_ANSWER_INVALID",
    message: "the answer was cut off",
  });
  await assert.rejects(wire.send({ method: "GET", path: "/never", protocol: "h2" }), {
    code: "AUDIT_TARGET_UNREACHABLE",
  });
});

test("after eight failures in a row the target is given up", async () => {
  let connections = 0;
  await withServer(
    (socket) => {
      connections++;
      socket.destroy();
    },
    async (wire) => {
      for (let count = 0; count < 12; count++) await assert.rejects(wire.send({ method: "GET", path: "/" }));
      assert.equal(connections, 8);
    },
  );
});

const odd: readonly (readonly [what: string, treat: (stream: ServerHttp2Stream) => void])[] = [
  ["resets the stream", (stream) => stream.close(2)],
  [
    "says goodbye in the middle",
    (stream) => {
      stream.respond({ ":status": 200 });
      stream.session?.goaway(0);
    },
  ],
  ["closes the session", (stream) => stream.session?.destroy()],
  ["says nothing", () => undefined],
  [
    "never ends its body",
    (stream) => {
      stream.respond({ ":status": 200 });
      const drip = setInterval(() => (stream.destroyed ? clearInterval(drip) : stream.write(" ")), 5);
    },
  ],
  [
    "is about to answer, for ever",
    (stream) => {
      const hint = setInterval(
        () => (stream.destroyed ? clearInterval(hint) : stream.additionalHeaders({ ":status": 103 })),
        5,
      );
    },
  ],
  [
    "has more headers than anybody reads",
    (stream) => {
      stream.respond({
        ":status": 200,
        ...Object.fromEntries(Array.from({ length: 1900 }, (_, index) => [`x-${index}`, "y".repeat(50)])),
      });
    },
  ],
];

for (const [what, treat] of odd)
  test(
    `a request over h2 comes to its end with a server that ${what}, and the next one too`,
    { timeout: 60_000 },
    async () => {
      const { cert, key, ca } = await testCertificate();
      const sessions = new Set<ServerHttp2Session>();
      const server = createSecureServer({ cert, key });
      server.on("session", (session) => sessions.add(session.on("error", () => undefined)));
      server.on("stream", (stream: ServerHttp2Stream) => {
        stream.on("error", () => undefined);
        treat(stream);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const target = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
      const wire = createWire({ target, ca, timeoutMs: 300 });
      for (let count = 0; count < 2; count++)
        await assert.rejects(wire.send({ method: "GET", path: "/", protocol: "h2" }), isCurtainwallError);
      wire.close();
      for (const session of sessions) session.destroy();
      server.close();
    },
  );

test("an answer that changes the protocol is an error, not a wait", { timeout: 60_000 }, async () => {
  await withServer(
    (socket) =>
      socket.on("data", () =>
        socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"),
      ),
    async (wire) => {
      await assert.rejects(wire.send({ method: "GET", path: "/" }), /changed to another protocol/);
    },
  );
});

const trickleOptions = {
  protocol: "http/1.1",
  head: new TextEncoder().encode("GET / HTTP/1.1\r\nx: "),
  drip: new TextEncoder().encode("a"),
  maxMs: 1500,
} as const;

test("a server that lets a slow client stay is seen", async () => {
  await withServer(
    () => undefined,
    async (wire) => assert.equal((await wire.trickle(trickleOptions)).ended, false),
  );
});

test("a server that ends a slow client is seen, with when", async () => {
  await withServer(
    (socket) => setTimeout(() => socket.destroy(), 300),
    async (wire) => {
      // It ends when the server ends it; how late a busy machine may tell is no matter of this test.
      const { ended, afterMs } = await wire.trickle({ ...trickleOptions, maxMs: 20_000 });
      assert.equal(ended, true);
      assert.ok(afterMs >= 200 && afterMs < 20_000, `${afterMs} ms`);
    },
  );
});

test("only names and addresses of this machine are loopback", () => {
  for (const host of ["localhost", "shop.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
    assert.equal(isLoopbackHost(host), true, host);
  for (const host of [
    "example.com",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "10.0.0.1",
    "[::2]",
    "0.0.0.0",
  ])
    assert.equal(isLoopbackHost(host), false, host);
});

test("a moment in which all that was under way failed makes no target gone", async () => {
  let isAway = true;
  const treat = (socket: Socket): void => {
    if (isAway) socket.destroy();
    else socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
  };
  await withServer(treat, async (wire) => {
    const ask = (): Promise<unknown> => wire.send({ method: "GET", path: "/" });
    const asked = await Promise.allSettled(Array.from({ length: 20 }, ask));
    assert.ok(asked.every(({ status }) => status === "rejected"));
    isAway = false;
    await ask();
    isAway = true;
    for (let moment = 0; moment < 3; moment++) await Promise.allSettled(Array.from({ length: 4 }, ask));
    await assert.rejects(ask(), /the target stopped answering/);
  });
});

test("a connection that was kept and ends when it is used again, over HTTP/1.1, loses no request", async () => {
  let connections = 0;
  const treat = (socket: Socket): void => {
    const isFirst = ++connections === 1;
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      socket.once("data", () => socket.resetAndDestroy());
      if (!isFirst) socket.end();
    });
  };
  await withServer(treat, async (wire) => {
    for (const count of [1, 2]) {
      assert.equal((await wire.send({ method: "GET", path: "/" })).status, 200);
      assert.equal(connections, count);
    }
  });
});

test("a session that was kept and ends when it is used again loses no request", async () => {
  const { cert, key, ca } = await testCertificate();
  const sockets: Socket[] = [];
  let streams = 0;
  const server = createSecureServer({ cert, key }).on("stream", (stream: ServerHttp2Stream) => {
    if (++streams === 2) sockets[0]?.resetAndDestroy();
    else stream.respond({ ":status": 200 }, { endStream: true });
  });
  server.on("connection", (socket: Socket) => sockets.push(socket)).on("sessionError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const target = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
  const wire = createWire({ target, ca });
  try {
    for (const count of [1, 2]) {
      assert.equal((await wire.send({ method: "GET", path: "/", protocol: "h2" })).status, 200);
      assert.equal(sockets.length, count);
    }
  } finally {
    wire.close();
    server.close();
  }
});

for (const protocol of ["http/1.1", "h2"] as const satisfies Protocol[]) {
  test(`a request that nobody waits for comes, and is gone before its answer, over ${protocol}`, async () => {
    const { cert, key, ca } = await testCertificate();
    const came: string[] = [];
    const ports = new Set<number | undefined>();
    const gone = Promise.withResolvers<void>();
    // It answers nothing: what ends was ended by who asked.
    const server = createSecureServer({ cert, key, allowHTTP1: true }, (request) => {
      ports.add((request.stream?.session?.socket ?? request.socket).remotePort);
      request.once("close", () => {
        came.push(`${request.method} ${request.url}`);
        if (came.length === 2) gone.resolve();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const target = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
    const wire = createWire({ target, ca });
    try {
      await wire.abandon({ method: "GET", path: "/one", protocol });
      await wire.abandon({ method: "POST", path: "/two", protocol, body: "much" });
      await gone.promise;
      assert.deepEqual(came, ["GET /one", "POST /two"]);
      assert.equal(ports.size, protocol === "h2" ? 1 : 2, "over HTTP/2 the connection stays");
    } finally {
      wire.close();
      server.close();
    }
    const nobody = createWire({ target, ca });
    await assert.rejects(nobody.abandon({ method: "GET", path: "/", protocol }), isCurtainwallError);
    nobody.close();
  });
}

for (const protocol of ["http/1.1", "h2"] as const satisfies Protocol[]) {
  test(`requests go over the connection that they name, and over no other, over ${protocol}`, async () => {
    const { cert, key, ca } = await testCertificate();
    const ports: (number | undefined)[] = [];
    const server = createSecureServer({ cert, key, allowHTTP1: true }, ({ stream, socket }, response) => {
      ports.push((stream?.session?.socket ?? socket).remotePort);
      response.end();
    });
    const sockets: Socket[] = [];
    server.on("connection", (socket: Socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const target = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
    const wire = createWire({ target, ca });
    const over = wire.connect(protocol, "127.9.8.7");
    const ask = async (request: object): Promise<number> =>
      (await wire.send({ method: "GET", path: "/", protocol, client: "127.9.8.7", ...request })).status;
    try {
      for (const request of [{ over }, {}, { over }, {}, { over }]) assert.equal(await ask(request), 200);
      const [own, others] = ports;
      assert.notEqual(own, others);
      assert.deepEqual(ports, [own, others, own, others, own]);
      const closed = sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
      await assert.rejects(ask({ over }), isCurtainwallError);
      await assert.rejects(ask({ over }), isCurtainwallError);
      assert.equal(await ask({}), 200);
    } finally {
      wire.close();
      server.close();
    }
  });
}
