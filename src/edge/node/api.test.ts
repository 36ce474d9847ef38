import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { ApiAnswer, ApiHandler, ApiRequest } from "../api.ts";
import { ask, askSession, host, openHttp2, openRaw, protocols, readToEnd, startEdge } from "./test-edge.ts";

const json = ["content-type", "application/json"];

function api(handle: ApiHandler["handle"]): ApiHandler {
  return { matches: (path) => path.startsWith("/api/"), handle };
}

/** Says what it was given. */
const echo = api((request, respond) => {
  request.readBody(100_000, (problem, bytes) => {
    const { method, path, query, remoteAddress } = request;
    const facts = {
      method,
      path,
      query,
      remoteAddress,
      problem,
      body: Buffer.from(bytes).toString("latin1"),
    };
    const headers = {
      host: request.header("host"),
      twice: request.header("x-twice"),
      none: request.header("x-none"),
    };
    respond({
      status: problem === undefined ? 200 : 413,
      headers: json,
      body: JSON.stringify({ ...facts, headers }),
    });
  });
});

for (const protocol of protocols) {
  test(`${protocol}: the API gets method, path and query as sent, its client's address and its headers`, async (t) => {
    const { port } = await startEdge(t, { api: echo });
    const headers = { "x-twice": ["a", "b"] };
    const answer = await ask(protocol, port, {
      method: "PUT",
      path: "/api/a%20b?c=%41&&d",
      body: "hé",
      headers,
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-length"], String(answer.body.length));
    assert.deepEqual(JSON.parse(answer.body.toString()), {
      method: "PUT",
      path: "/api/a%20b",
      query: "c=%41&&d",
      remoteAddress: "127.0.0.1",
      body: Buffer.from("hé").toString("latin1"),
      headers: { host, twice: "a, b" },
    });
  });

  test(`${protocol}: a path that could be read in two ways reaches the API as it was sent, and one that hides its name does not`, async (t) => {
    const seen: string[] = [];
    const refusing = api((request, respond) => {
      seen.push(request.path);
      respond({ status: 400, headers: ["content-type", "application/problem+json"], body: "{}" });
    });
    const { port } = await startEdge(t, { api: refusing });
    const paths = ["/api/%2e%2e/x", "/api/a%2fb", "/api//x", "/api/a%00", "/api/\\x", "/api/%zz", "/api/./x"];
    for (const path of paths) {
      const answer = await ask(protocol, port, { path });
      assert.equal(answer.headers["content-type"], "application/problem+json", path);
    }
    assert.deepEqual(seen, paths);
    assert.equal((await ask(protocol, port, { path: "/%61pi/x" })).status, 404);
    assert.equal((await ask(protocol, port, { path: "/x/%2e%2e/api" })).status, 400);
    assert.equal(seen.length, paths.length);
  });

  test(`${protocol}: a body of any size up to the limit arrives whole`, async (t) => {
    const { port } = await startEdge(t, { api: echo });
    for (const size of [0, 1, 20_000, 100_000]) {
      const answer = await ask(protocol, port, { method: "POST", path: "/api/x", body: "x".repeat(size) });
      assert.equal(JSON.parse(answer.body.toString()).body.length, size);
    }
  });

  test(`${protocol}: a body beyond the limit is refused, and what is honest goes on`, async (t) => {
    const { port } = await startEdge(t, { api: echo });
    const answer = await ask(protocol, port, { method: "POST", path: "/api/x", body: "x".repeat(100_001) });
    assert.equal(answer.status, 413);
    assert.equal(JSON.parse(answer.body.toString()).problem, "too-large");
    assert.equal((await ask(protocol, port, { method: "POST", path: "/api/x", body: "x" })).status, 200);
  });

  test(`${protocol}: an API that throws, or gives an answer that can't be sent, gives a bare 500 and an event`, async (t) => {
    const answers: (() => ApiAnswer)[] = [
      () => {
        throw new Error("canary");
      },
      () => ({ status: 200, headers: ["x", "a\r\nset-cookie: canary"], body: "" }),
      () => ({ status: 200, headers: ["a b", "canary"], body: "canary" }),
      () => ({ status: 99, headers: [], body: "canary" }),
    ];
    for (const give of answers) {
      const { port, event } = await startEdge(t, { api: api((_, respond) => respond(give())) });
      const answer = await ask(protocol, port, { path: "/api/x" });
      assert.equal(answer.status, 500);
      assert.ok(answer.headers["content-security-policy"]);
      assert.doesNotMatch(JSON.stringify(answer.headers) + answer.body.toString(), /canary/);
      assert.equal((await event("api-failed")).status, 500);
    }
  });

  test(`${protocol}: only the first answer is sent`, async (t) => {
    const twice = api((_, respond) => {
      respond({ status: 200, headers: json, body: "1" });
      respond({ status: 500, headers: json, body: "2" });
    });
    const { port } = await startEdge(t, { api: twice, limits: { maxPendingRequests: 1 } });
    for (let count = 0; count < 3; count++) {
      assert.equal((await ask(protocol, port, { path: "/api/x" })).body.toString(), "1");
    }
  });

  test(`${protocol}: HEAD and 204 carry no body; bytes and text do`, async (t) => {
    const bodies: Record<string, ApiAnswer> = {
      "/api/empty": { status: 204, headers: [], body: undefined },
      "/api/bytes": { status: 200, headers: json, body: new Uint8Array([0x7b, 0x7d]) },
      "/api/text": { status: 200, headers: [...json, "content-length", "4"], body: '"é"' },
    };
    const { port } = await startEdge(t, {
      api: api((request, respond) =>
        respond(bodies[request.path] ?? { status: 404, headers: [], body: undefined }),
      ),
    });
    const empty = await ask(protocol, port, { path: "/api/empty" });
    assert.deepEqual([empty.status, empty.headers["content-length"]], [204, undefined]);
    assert.equal((await ask(protocol, port, { path: "/api/bytes" })).body.toString(), "{}");
    const text = await ask(protocol, port, { path: "/api/text" });
    assert.deepEqual([text.body.toString(), text.headers["content-length"]], ['"é"', "4"]);
    const head = await ask(protocol, port, { path: "/api/bytes", method: "HEAD" });
    assert.deepEqual([head.status, head.body.length], [200, 0]);
    const none = await ask(protocol, port, { path: "/api/none" });
    assert.deepEqual([none.status, none.headers["content-length"]], [404, "0"]);
  });

  test(`${protocol}: an answer before the body is read reaches the client, and the connection can be used again`, async (t) => {
    const early = api((_, respond) => respond({ status: 401, headers: [], body: undefined }));
    const { port } = await startEdge(t, { api: early });
    const body = "x".repeat(200_000);
    if (protocol === "h2") {
      const session = openHttp2(port);
      t.after(() => session.destroy());
      assert.equal((await askSession(session, { method: "POST", path: "/api/x", body })).status, 401);
      assert.equal((await askSession(session, {})).status, 200);
    } else {
      const socket = await openRaw(port);
      const post = `POST /api/x HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
      socket.write(`${post}GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      const answer = await readToEnd(socket);
      assert.deepEqual(answer.match(/HTTP\/1\.1 [0-9]{3}/g), ["HTTP/1.1 401", "HTTP/1.1 200"]);
    }
  });

  test(`${protocol}: a client that goes away is noticed, while its body is read and while it waits`, async (t) => {
    const seen: string[] = [];
    let notice: () => void = () => {};
    const noticed = () =>
      new Promise<void>((resolve) => {
        notice = resolve;
      });
    let waits: ApiRequest | undefined;
    const leaving = api((request, respond) => {
      const end = (what: string) => {
        seen.push(what);
        respond({ status: 200, headers: [], body: "nobody reads this" });
        notice();
      };
      waits = request;
      if (request.path === "/api/body") request.readBody(100, (problem) => end(`body ${problem}`));
      else request.onAbort(() => end("gone"));
    });
    const { port } = await startEdge(t, { api: leaving, limits: { maxPendingRequests: 1 } });
    for (const path of ["/api/body", "/api/wait"]) {
      const next = noticed();
      waits = undefined;
      if (protocol === "h2") {
        const session = openHttp2(port);
        const stream = session.request({ ":method": "POST", ":path": path, ":authority": host });
        stream.on("error", () => {});
        stream.write("a");
        while (waits === undefined) await new Promise(setImmediate);
        session.destroy();
      } else {
        const socket = await openRaw(port);
        socket.write(`POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 10\r\n\r\na`);
        while (waits === undefined) await new Promise(setImmediate);
        socket.destroy();
      }
      await next;
    }
    assert.deepEqual(seen, ["body aborted", "gone"]);
  });
}

test("http/1.1: 100 Continue is sent when somebody wants the body, and not before", async (t) => {
  const choosy = api((request, respond) => {
    if (request.path === "/api/no") respond({ status: 401, headers: [], body: undefined });
    else request.readBody(10, (_, bytes) => respond({ status: 200, headers: [], body: bytes }));
  });
  const { port } = await startEdge(t, { api: choosy });
  const ends = `host: ${host}\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n`;
  const refused = await openRaw(port);
  refused.write(`POST /api/no HTTP/1.1\r\n${ends}`);
  assert.match(await readToEnd(refused), /^HTTP\/1\.1 401[^]*connection: close/i);
  const wanted = await openRaw(port);
  wanted.write(`POST /api/yes HTTP/1.1\r\n${ends}`);
  assert.match(String((await once(wanted, "data"))[0]), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  wanted.write("abc");
  assert.match(String((await once(wanted, "data"))[0]), /^HTTP\/1\.1 200[^]*abc$/);
  wanted.destroy();
  const large = await openRaw(port);
  large.write(`POST /api/yes HTTP/1.1\r\n${ends.replace("3", "11")}`);
  assert.match(await readToEnd(large), /^HTTP\/1\.1 200[^]*connection: close/i);
});

test("http/1.1: a chunked body arrives whole, and one without end is refused at the limit", async (t) => {
  const { port } = await startEdge(t, { api: echo });
  const headers = `POST /api/x HTTP/1.1\r\nhost: ${host}\r\ntransfer-encoding: chunked\r\n`;
  const honest = await openRaw(port);
  honest.write(`${headers}connection: close\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`);
  assert.match(await readToEnd(honest), /"body":"abc"/);
  const endless = await openRaw(port);
  endless.write(`${headers}\r\n`);
  const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
  const flood = setInterval(() => endless.writable && endless.write(chunk), 1);
  t.after(() => clearInterval(flood));
  assert.match(await readToEnd(endless), /^HTTP\/1\.1 413/);
});

test("http/1.1: a body that a page has no use for is thrown away up to a limit, then the connection is cut", async (t) => {
  const { port } = await startEdge(t, { limits: { maxDiscardedBytes: 100_000 } });
  const some = await openRaw(port);
  const get = (size: number) =>
    `GET /about/ HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${size}\r\n\r\n${"x".repeat(size)}`;
  some.write(`${get(1000)}GET /none HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  assert.deepEqual((await readToEnd(some)).match(/HTTP\/1\.1 [0-9]{3}/g), ["HTTP/1.1 200", "HTTP/1.1 404"]);
  const endless = await openRaw(port);
  endless.write(get(1_000_000));
  await readToEnd(endless);
});
