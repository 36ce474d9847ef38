import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import type { ApiHandler } from "../api.ts";
import {
  ask,
  askSession,
  emptied,
  host,
  makeRelease,
  openHttp2,
  openRaw,
  readToEnd,
  startEdge,
} from "./test-edge.ts";

const request = `GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** Answers when the body is there, or says why it is not. */
const reading: ApiHandler = {
  matches: (path) => path === "/api",
  handle: (incoming, respond) => {
    incoming.readBody(1000, (problem, bytes) => {
      const status = problem === "timeout" ? 408 : problem === "too-large" ? 413 : 200;
      respond({ status, headers: ["x-read", String(bytes.length)], body: undefined });
    });
  },
};
/** Never answers before it is told to. */
const waiting = () => {
  const released: (() => void)[] = [];
  const api: ApiHandler = {
    matches: (path) => path === "/api",
    handle: (_, respond) => released.push(() => respond({ status: 204, headers: [], body: undefined })),
  };
  return { api, released };
};

/** One frame of HTTP/2 (RFC 9113 §4.1). */
function frame(type: number, flags: number, stream: number, payload: number[] = []): Buffer {
  const { length } = payload;
  return Buffer.from([
    length >> 16,
    (length >> 8) & 255,
    length & 255,
    type,
    flags,
    0,
    0,
    0,
    stream,
    ...payload,
  ]);
}

/** `:method GET`, `:scheme https`, `:path` and `:authority` as HPACK (RFC 7541) writes them without compression. */
function head(path: string, ...extra: [string, string][]): number[] {
  const text = (value: string) => [value.length, ...Buffer.from(value)];
  const literal = ([name, value]: [string, string]) => [0x00, ...text(name), ...text(value)];
  return [0x82, 0x87, 0x04, ...text(path), 0x01, ...text(host), ...extra.flatMap(literal)];
}

/** Frames that a raw connection was sent: their type and stream. */
function frames(bytes: string): { type: number; stream: number; payload: Buffer }[] {
  const buffer = Buffer.from(bytes, "latin1");
  const found = [];
  for (let at = 0; at + 9 <= buffer.length;) {
    const length = buffer.readUIntBE(at, 3);
    const payload = buffer.subarray(at + 9, at + 9 + length);
    found.push({ type: buffer[at + 3] ?? 0, stream: buffer.readUInt32BE(at + 5), payload });
    at += 9 + length;
  }
  return found;
}

async function openRawHttp2(port: number): Promise<TLSSocket> {
  const socket = await openRaw(port, "h2");
  socket.write(Buffer.concat([Buffer.from(preface), frame(4, 0, 0)]));
  return socket;
}

const closed = (socket: TLSSocket) => readToEnd(socket);
const answered = async (socket: TLSSocket) => String((await once(socket, "data"))[0]);

test("Connections beyond the number for one address are cut before TLS; when one ends, the next is let in", async (t) => {
  const { port, event } = await startEdge(t, { limits: { maxConnectionsPerAddress: 2 } });
  const first = await openRaw(port);
  const second = await openRaw(port);
  await assert.rejects(ask("http/1.1", port));
  assert.deepEqual(await event("connection-refused"), {
    kind: "connection-refused",
    remoteAddress: "127.0.0.1",
    detail: "maxConnectionsPerAddress",
  });
  first.write(request.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
  await closed(first);
  assert.equal((await ask("h2", port)).status, 200);
  second.destroy();
});

test("Connections beyond the total are cut before TLS", async (t) => {
  const { port, event } = await startEdge(t, { limits: { maxConnections: 1 } });
  const only = await openRaw(port);
  await assert.rejects(ask("h2", port));
  assert.equal((await event("connection-refused")).detail, "maxConnections");
  only.write(request);
  assert.match(await answered(only), /^HTTP\/1\.1 200/);
  only.destroy();
});

test("A client that connects and says nothing is cut when its handshake takes too long", async (t) => {
  const { port, event } = await startEdge(t, { limits: { handshakeTimeoutMs: 50 } });
  const { connect } = await import("node:net");
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  await once(socket.resume(), "close");
  assert.equal((await event("handshake-failed")).detail, "ERR_TLS_HANDSHAKE_TIMEOUT");
});

test("http/1.1: a client that sends its headers too slowly gets 408, with all headers, and is cut", async (t) => {
  const { port, event } = await startEdge(t, { limits: { headersTimeoutMs: 500 } });
  const slow = await openRaw(port);
  slow.write("GET / HTTP/1.1\r\nhost: ");
  const answer = await closed(slow);
  assert.match(answer, /^HTTP\/1\.1 408/);
  assert.match(answer, /strict-transport-security: /);
  assert.equal((await event("client-too-slow")).status, 408);
  // One that sends nothing at all fares no better.
  assert.match(await closed(await openRaw(port)), /^HTTP\/1\.1 408/);
  assert.equal((await ask("http/1.1", port)).status, 200);
});

test("http/1.1: a connection that has been used and lies idle is closed", async (t) => {
  const { edge, port } = await startEdge(t, { limits: { idleTimeoutMs: 60 } });
  const idle = await openRaw(port);
  idle.write(request);
  assert.match(await closed(idle), /^HTTP\/1\.1 200/);
  await emptied(edge);
});

test("http/1.1: too many headers, or too large ones, get 431 with all headers", async (t) => {
  const { port } = await startEdge(t, { limits: { maxHeaders: 10, maxHeaderBytes: 2000 } });
  for (const extra of ["a: b\r\n".repeat(10), `a: ${"b".repeat(2000)}\r\n`]) {
    const socket = await openRaw(port);
    socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n${extra}connection: close\r\n\r\n`);
    const answer = await closed(socket);
    assert.match(answer, /^HTTP\/1\.1 431/);
    assert.match(answer, /strict-transport-security: /);
  }
  const fine = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`x-${index}`, "y"]));
  assert.equal((await ask("http/1.1", port, { headers: fine })).status, 200);
});

test("h2: too many headers, or too large ones, end the stream and not the session", async (t) => {
  const { port } = await startEdge(t, { limits: { maxHeaders: 10, maxHeaderBytes: 2000 } });
  const session = openHttp2(port);
  t.after(() => session.destroy());
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x-${index}`, "y"]));
  await assert.rejects(askSession(session, { headers: many }));
  await assert.rejects(askSession(session, { headers: { a: "b".repeat(3000) } }));
  assert.equal((await askSession(session, { headers: { a: "b" } })).status, 200);
});

test("h2: a session that never makes a request is ended, whether silent, pinging or in the middle of its headers", async (t) => {
  const { edge, port, event } = await startEdge(t, { limits: { headersTimeoutMs: 500 } });
  const silent = await openRawHttp2(port);
  const pinging = await openRawHttp2(port);
  const pings = setInterval(() => pinging.write(frame(6, 0, 0, Array<number>(8).fill(0))), 10);
  t.after(() => clearInterval(pings));
  // HEADERS without END_HEADERS: the block would go on in CONTINUATION, which never comes.
  const unfinished = await openRawHttp2(port);
  unfinished.write(frame(1, 1, 1, head("/")));
  const never = await openRaw(port, "h2");
  await Promise.all([silent, pinging, unfinished, never].map(closed));
  assert.equal((await event("client-too-slow")).detail, "headersTimeoutMs");
  await emptied(edge);
  assert.equal((await ask("h2", port)).status, 200);
});

test("h2: a session that has been used and lies idle is told good-bye, pings or not", async (t) => {
  const { port, events } = await startEdge(t, { limits: { idleTimeoutMs: 60 } });
  const session = openHttp2(port);
  assert.equal((await askSession(session, {})).status, 200);
  const pings = setInterval(() => !session.closed && session.ping(() => {}), 10);
  t.after(() => clearInterval(pings));
  const [code] = (await once(session, "goaway")) as [number];
  assert.equal(code, 0);
  if (!session.destroyed) await once(session, "close");
  assert.deepEqual(events, []);
});

test("h2: a flood of CONTINUATION frames ends the session", async (t) => {
  const { edge, port } = await startEdge(t);
  const socket = await openRawHttp2(port);
  socket.write(frame(1, 1, 1, head("/")));
  const flood = setInterval(
    () => socket.writable && socket.write(frame(9, 0, 1, [0x00, 1, 0x61, 1, 0x62])),
    1,
  );
  t.after(() => clearInterval(flood));
  await closed(socket);
  await emptied(edge);
});

for (const protocol of ["http/1.1", "h2"] as const) {
  test(`${protocol}: a body that comes too slowly is given up on, and the API answers 408`, async (t) => {
    const { port, event } = await startEdge(t, { api: reading, limits: { bodyTimeoutMs: 500 } });
    if (protocol === "h2") {
      const session = openHttp2(port);
      t.after(() => session.destroy());
      const stream = session.request({ ":method": "POST", ":path": "/api", ":authority": host });
      stream.on("error", () => {});
      stream.write("a");
      const [headers] = await once(stream, "response");
      assert.equal(headers[":status"], 408);
      assert.equal((await askSession(session, { path: "/api", method: "POST", body: "ab" })).status, 200);
    } else {
      const slow = await openRaw(port);
      slow.write(`POST /api HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 10\r\n\r\na`);
      const answer = await closed(slow);
      assert.match(answer, /^HTTP\/1\.1 408[^]*connection: close/i);
    }
    assert.equal((await event("client-too-slow")).detail, "bodyTimeoutMs");
  });

  test(`${protocol}: a client that does not read its answer is cut, one that reads slowly but steadily is not`, async (t) => {
    const bytes = Buffer.alloc(24_000_000, "a");
    const release = await makeRelease([{ path: "/big", headers: [], bytes: { identity: bytes } }]);
    const limits = { responseTimeoutMs: 100, minBytesPerSecond: 400_000_000, idleTimeoutMs: 100 };
    const { edge, port, event } = await startEdge(t, { release, limits });
    if (protocol === "h2") {
      // With a window of nothing the server can't send a single byte.
      const session = openHttp2(port, { initialWindowSize: 0 });
      const stream = session.request({ ":path": "/about/", ":authority": host });
      stream.on("error", () => {});
      t.after(() => session.destroy());
    } else {
      const socket = await openRaw(port);
      socket.pause();
      socket.write(`GET /big HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      await event("client-too-slow");
      t.after(() => socket.destroy());
    }
    assert.equal((await event("client-too-slow")).detail, "responseTimeoutMs");
    await emptied(edge);
    const honest = await startEdge(t, { release });
    assert.equal((await ask(protocol, honest.port, { path: "/big" })).body.length, bytes.length);
  });

  test(`${protocol}: API requests beyond the number that may wait get 503 and Retry-After, static pages go on`, async (t) => {
    const { api, released } = waiting();
    const { port } = await startEdge(t, { api, limits: { maxPendingRequests: 2 } });
    const pending = [ask(protocol, port, { path: "/api" }), ask(protocol, port, { path: "/api" })];
    while (released.length < 2) await new Promise(setImmediate);
    const refused = await ask(protocol, port, { path: "/api" });
    assert.equal(refused.status, 503);
    assert.equal(refused.headers["retry-after"], "1");
    assert.ok(refused.headers["strict-transport-security"]);
    assert.equal((await ask(protocol, port)).status, 200);
    for (const release of released.splice(0)) release();
    for (const answer of await Promise.all(pending)) assert.equal(answer.status, 204);
    const again = ask(protocol, port, { path: "/api" });
    while (released.length < 1) await new Promise(setImmediate);
    released[0]?.();
    assert.equal((await again).status, 204);
  });
}

test("h2: requests beyond those allowed at once are refused, the allowed ones are answered", async (t) => {
  const { api, released } = waiting();
  const { port } = await startEdge(t, { api, limits: { maxConcurrentStreams: 2 } });
  const socket = await openRawHttp2(port);
  const received = closed(socket);
  for (const stream of [1, 3, 5, 7]) socket.write(frame(1, 5, stream, head("/api")));
  while (released.length < 2) await new Promise(setImmediate);
  // A ping is answered after what came before it.
  socket.write(frame(6, 0, 0, Array<number>(8).fill(7)));
  for (const release of released) release();
  socket.write(frame(7, 0, 0, Array<number>(8).fill(0)));
  const got = frames(await received);
  assert.equal(released.length, 2);
  const refused = got.filter(({ type, payload }) => type === 3 && payload.readUInt32BE() === 7);
  assert.deepEqual(
    refused.map(({ stream }) => stream),
    [5, 7],
  );
  assert.deepEqual(
    got.filter(({ type }) => type === 1).map(({ stream }) => stream),
    [1, 3],
  );
});

for (const [name, code] of [
  ["CANCEL", 8],
  ["NO_ERROR", 0],
] as const)
  test(`h2: a session that makes requests only to cancel them, with ${name}, is ended (CVE-2023-44487)`, async (t) => {
    const { api, released } = waiting();
    const { edge, port, event } = await startEdge(t, {
      api,
      limits: { streamResetBurst: 20, streamResetPerSecond: 1 },
    });
    const socket = await openRawHttp2(port);
    const received = closed(socket);
    const flood = [];
    for (let stream = 1; stream < 200; stream += 2) {
      flood.push(frame(1, 5, stream, head("/api")), frame(3, 0, stream, [0, 0, 0, code]));
    }
    socket.write(Buffer.concat(flood));
    await received;
    assert.equal((await event("session-refused")).detail, "streamResetBurst");
    await emptied(edge);
    // The API was asked no more often than the burst, though all requests came in one piece.
    assert.ok(released.length <= 21, `${released.length} requests reached the API`);
    for (const release of released) release();
  });

test("h2: requests that were answered whole are no cancelled ones, however they end", async (t) => {
  const api: ApiHandler = {
    matches: (path) => path === "/api",
    handle: (_, respond) => respond({ status: 401, headers: [], body: undefined }),
  };
  const { port } = await startEdge(t, { api, limits: { streamResetBurst: 5 } });
  const session = openHttp2(port);
  t.after(() => session.destroy());
  const first = await askSession(session, { path: "/about/" });
  const tag = String(first.headers.etag);
  for (let count = 0; count < 10; count++) {
    assert.equal((await askSession(session, { path: "/about/" })).status, 200);
    assert.equal((await askSession(session, { path: "/about/", method: "HEAD" })).status, 200);
    assert.equal(
      (await askSession(session, { path: "/about/", headers: { "if-none-match": tag } })).status,
      304,
    );
    assert.equal((await askSession(session, { path: "/api", method: "POST", body: "unread" })).status, 401);
  }
});

test("h2: a client may cancel some requests and go on", async (t) => {
  const { port } = await startEdge(t, { limits: { streamResetBurst: 20 } });
  const session = openHttp2(port);
  t.after(() => session.destroy());
  for (let count = 0; count < 10; count++) {
    const stream = session.request({ ":path": "/", ":authority": host });
    stream.on("error", () => {});
    stream.close(8);
    await once(stream, "close");
  }
  assert.equal((await askSession(session, {})).status, 200);
});

test("Closing lets what is under way finish, says good-bye, and cuts what does not finish in time", async (t) => {
  const { api, released } = waiting();
  const { edge, port } = await startEdge(t, { api });
  const idle = await openRaw(port);
  idle.write(request);
  await answered(idle);
  const unused = openHttp2(port);
  await once(unused, "connect");
  const goaway = once(unused, "goaway");
  const pending = [ask("http/1.1", port, { path: "/api" }), ask("h2", port, { path: "/api" })];
  while (released.length < 2) await new Promise(setImmediate);
  const closing = edge.close(5000);
  await Promise.all([closed(idle), goaway]);
  await assert.rejects(ask("http/1.1", port));
  for (const release of released) release();
  const answers = await Promise.all(pending);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [204, 204],
  );
  assert.equal(answers[0]?.headers.connection, "close");
  await closing;
  await emptied(edge);
});

test("Closing cuts, after its time, whoever holds on", async (t) => {
  const { api, released } = waiting();
  const { edge, port } = await startEdge(t, { api });
  const stuck = [ask("http/1.1", port, { path: "/api" }), ask("h2", port, { path: "/api" })];
  const ends = Promise.allSettled(stuck);
  while (released.length < 2) await new Promise(setImmediate);
  await edge.close(50);
  await emptied(edge);
  assert.deepEqual(
    (await ends).map(({ status }) => status),
    ["rejected", "rejected"],
  );
  for (const release of released) release();
});
