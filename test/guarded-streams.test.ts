// Answers that come in parts, over real sockets: an upstream that writes events and files, the gateway's checks, the edge, a client of either
// protocol.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { request as requestHttps } from "node:https";
import type { IncomingMessage } from "node:http";
import { suite, test } from "node:test";
import { download, eventStream, everyone } from "curtainwall";
import { z } from "zod";
import {
  ask,
  certificate,
  host,
  openHttp2,
  openRaw,
  protocols,
  readToEnd,
} from "../src/edge/node/test-edge.ts";
import { startGuardedApi } from "./support/guarded-api.ts";
import type { GuardedApi } from "./support/guarded-api.ts";

const base = { access: everyone, limit: "100000/s per client", to: "shop" };
const canary = "canary-of-the-bakery";
const routes = {
  "GET /api/prices": {
    ...base,
    response: eventStream(
      { price: z.object({ rye: z.number() }), message: z.string() },
      { maxEventBytes: 500 },
    ),
    headers: { "last-event-id": z.string().max(20).optional() },
  },
  "GET /api/beats": {
    ...base,
    response: eventStream({ price: z.number() }, { heartbeatSeconds: 1, maxSeconds: 2 }),
  },
  "GET /api/invoice": {
    ...base,
    response: download({
      types: ["application/pdf", "text/html"],
      maxBytes: 3_000_000,
      fileName: "invoice.pdf",
    }),
  },
  "GET /api/plain": {
    ...base,
    response: z.object({ ok: z.boolean() }),
    etag: true,
    responseHeaders: { "x-total": z.string().optional() },
  },
};
const start = (t: Parameters<typeof startGuardedApi>[0]): Promise<GuardedApi> =>
  startGuardedApi(t, routes, { stack: { leaks: { canaries: [canary] } } });

const events =
  (...texts: string[]) =>
  (_: unknown, response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "x-internal": "shop-7" });
    for (const text of texts) response.write(text);
    response.end();
  };

const file =
  (bytes: Buffer, headers: object = {}) =>
  (_: unknown, response: ServerResponse): void => {
    response.writeHead(200, {
      "content-type": "application/pdf",
      "content-length": bytes.length,
      ...headers,
    });
    response.end(bytes);
  };

/** Whether an answer was cut, on either protocol. */
const isCut = (answer: Promise<unknown>): Promise<boolean> =>
  answer.then(
    () => false,
    () => true,
  );

for (const protocol of protocols) {
  suite(protocol, () => {
    test("events as declared arrive, written anew, with their ids, and numbers as the upstream wrote them", async (t) => {
      const api = await start(t);
      api.upstream.answer = events(
        'id: 1\nevent: price\ndata: {"rye":\ndata: 1.10}\n\n',
        'data: "hello"\n\n',
        ":comment\n\n",
      );
      const { status, headers, body } = await ask(protocol, api.port, {
        path: "/api/prices",
        headers: { "last-event-id": "0" },
      });
      assert.equal(status, 200);
      assert.equal(body.toString(), 'id: 1\nevent: price\ndata: {"rye":1.10}\n\ndata: "hello"\n\n');
      assert.equal(headers["content-type"], "text/event-stream; charset=utf-8");
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["x-internal"], undefined);
      assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
      assert.ok(api.upstream.seen[0]?.headers.includes("last-event-id"));
    });

    test("of an event what is not declared is dropped, once told; an event that is not declared is left out", async (t) => {
      const api = await start(t);
      const secret = 'event: price\ndata: {"rye":1,"cost":0.2}\n\n';
      api.upstream.answer = events(secret, secret, 'event: admin\ndata: "secret"\n\n', secret);
      const { body } = await ask(protocol, api.port, { path: "/api/prices" });
      assert.equal(body.toString(), 'event: price\ndata: {"rye":1}\n\n'.repeat(3));
      assert.deepEqual(
        api.ledger.map((event) => "fields" in event && event.fields),
        [["events/price/cost"], ["events/admin"]],
      );
    });

    const broken: [string, string][] = [
      ["an event that is not as declared", 'event: price\ndata: {"rye":"1"}\n\n'],
      ["data that is no JSON", "event: price\ndata: rye\n\n"],
      ["an event that is too large", `data: "${"a".repeat(600)}"\n\n`],
      ["an event with a canary in it", `data: "${canary}"\n\n`],
    ];
    for (const [name, text] of broken)
      test(`${name} ends the stream before it leaves, and the upstream is told`, async (t) => {
        const api = await start(t);
        let upstreamGone: Promise<unknown> | undefined;
        api.upstream.answer = (_, response) => {
          upstreamGone = once(response, "close");
          response.writeHead(200, { "content-type": "text/event-stream" });
          response.write(`data: "first"\n\n${text}data: "last"\n\n`);
        };
        assert.ok(await isCut(ask(protocol, api.port, { path: "/api/prices" })));
        await upstreamGone;
        assert.equal(api.ledger[0]?.type, "gateway.answer.refused");
        assert.ok(!JSON.stringify(api.ledger).includes(canary));
      });

    test("a file leaves whole, as a file to be saved and never to be shown", async (t) => {
      const api = await start(t);
      const bytes = Buffer.alloc(2_500_000, "0123456789");
      api.upstream.answer = file(bytes, {
        "content-type": "text/html; charset=utf-8",
        "content-disposition": "inline",
        "set-cookie": "a=b",
      });
      const { status, headers, body } = await ask(protocol, api.port, { path: "/api/invoice" });
      assert.equal(status, 200);
      assert.ok(body.equals(bytes));
      assert.equal(headers["content-disposition"], 'attachment; filename="invoice.pdf"');
      assert.equal(headers["content-length"], "2500000");
      assert.equal(headers["content-type"], "text/html");
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.match(String(headers["content-security-policy"]), /sandbox/);
      assert.equal(headers["set-cookie"], undefined);
    });

    test("HEAD gets a file's headers, and its upstream is not read", async (t) => {
      const api = await start(t);
      api.upstream.answer = file(Buffer.alloc(1_000_000));
      const { status, headers, body } = await ask(protocol, api.port, {
        method: "HEAD",
        path: "/api/invoice",
      });
      assert.deepEqual([status, headers["content-length"], body.length], [200, "1000000", 0]);
    });

    test("a file of another type, announced too large, or compressed does not begin to leave", async (t) => {
      const api = await start(t);
      const small = Buffer.from("x");
      const answers = [
        file(small, { "content-type": "image/svg+xml" }),
        file(Buffer.alloc(3_000_001)),
        file(small, { "content-encoding": "gzip" }),
        events('data: "x"\n\n'),
      ];
      for (const answer of answers) {
        api.upstream.answer = answer;
        assert.equal((await ask(protocol, api.port, { path: "/api/invoice" })).status, 502);
      }
      api.upstream.answer = file(small);
      assert.equal((await ask(protocol, api.port, { path: "/api/plain" })).status, 502);
    });

    test("a file that turns out too large, has a canary in it, or breaks off is cut: nobody takes it for whole", async (t) => {
      const api = await start(t);
      const chunked =
        (...parts: Buffer[]) =>
        (_: unknown, response: ServerResponse) => {
          response.writeHead(200, { "content-type": "application/pdf" });
          for (const part of parts) response.write(part);
          response.end();
        };
      api.upstream.answer = chunked(Buffer.alloc(2_000_000), Buffer.alloc(2_000_000));
      assert.ok(await isCut(ask(protocol, api.port, { path: "/api/invoice" })));
      api.upstream.answer = chunked(
        Buffer.alloc(100_000),
        Buffer.from(canary.slice(0, 8)),
        Buffer.from(canary.slice(8)),
      );
      assert.ok(await isCut(ask(protocol, api.port, { path: "/api/invoice" })));
      assert.deepEqual(
        api.ledger.map((event) => "reason" in event && event.reason),
        ["the file is too large", "the file has a canary in it"],
      );
      api.upstream.answer = (_, response, socket) => {
        response.writeHead(200, { "content-type": "application/pdf", "content-length": 10 });
        response.write("12345", () => socket.destroy());
      };
      assert.ok(await isCut(ask(protocol, api.port, { path: "/api/invoice" })));
      api.upstream.answer = chunked(Buffer.from("whole"));
      assert.equal((await ask(protocol, api.port, { path: "/api/invoice" })).body.toString(), "whole");
    });
  });
}

for (const protocol of protocols)
  test(`${protocol}: who has what would leave gets 304, with the declared headers and no body`, async (t) => {
    const api = await start(t);
    api.upstream.answer = (_, response) =>
      void response
        .writeHead(200, { "content-type": "application/json", "x-total": "7", etag: '"theirs"' })
        .end('{"ok":true}');
    const first = await ask(protocol, api.port, { path: "/api/plain" });
    assert.deepEqual(
      [first.status, first.headers["x-total"], first.body.toString()],
      [200, "7", '{"ok":true}'],
    );
    const { etag = "" } = first.headers;
    const again = await ask(protocol, api.port, { path: "/api/plain", headers: { "if-none-match": etag } });
    assert.deepEqual([again.status, again.headers.etag, again.body.length], [304, etag, 0]);
    assert.ok(again.headers["strict-transport-security"]);
  });

test("http/1.1: a client of HTTP/1.0, which could not tell a part from the whole, gets a file of known length only", async (t) => {
  const api = await start(t);
  const askOld = async (): Promise<string> => {
    const socket = await openRaw(api.port);
    const received = readToEnd(socket);
    socket.write(`GET /api/invoice HTTP/1.0\r\nHost: ${host}\r\n\r\n`);
    return received;
  };
  api.upstream.answer = file(Buffer.from("whole"));
  assert.match(await askOld(), /^HTTP\/1\.1 200 [^]*\r\n\r\nwhole$/);
  api.upstream.answer = (_, response) => {
    response.writeHead(200, { "content-type": "application/pdf" });
    response.write("part", () => response.end("s"));
  };
  assert.match(await askOld(), /^HTTP\/1\.1 400 /);
});

test("while nothing comes a line is sent now and then, and in time the stream ends well", async (t) => {
  const api = await start(t);
  api.upstream.answer = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
  };
  const { body } = await ask("h2", api.port, { path: "/api/beats" });
  assert.match(body.toString(), /^(:\n\n){1,2}$/);
});

test("http/1.1: when the listener goes, its upstream is told", async (t) => {
  const api = await start(t);
  const gone = Promise.withResolvers<void>();
  api.upstream.answer = (_, response) => {
    response.on("close", () => gone.resolve());
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('data: "first"\n\n');
  };
  const outgoing = requestHttps({
    host: "127.0.0.1",
    port: api.port,
    servername: host,
    ca: certificate.ca,
    agent: false,
    path: "/api/prices",
    headers: { host },
  });
  outgoing.on("error", () => undefined);
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  await once(response, "data");
  outgoing.destroy();
  await gone.promise;
});

test("h2: when a listener cancels, its upstream is told, and the session goes on", async (t) => {
  const api = await start(t);
  const gone = Promise.withResolvers<void>();
  api.upstream.answer = ({ target }, response) => {
    if (target === "/api/plain")
      return void response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}');
    response.on("close", () => gone.resolve());
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('data: "first"\n\n');
  };
  const session = openHttp2(api.port);
  t.after(() => session.destroy());
  const stream = session.request({ ":path": "/api/prices", ":authority": host });
  await once(stream, "data");
  stream.close(8);
  await gone.promise;
  const plain = session.request({ ":path": "/api/plain", ":authority": host });
  const [headers] = await once(plain, "response");
  assert.equal(headers[":status"], 200);
  plain.resume();
});

test("of a file that its client does not read little is kept here: the upstream has to wait", async (t) => {
  const api = await start(t);
  const written = { bytes: 0 };
  const part = Buffer.alloc(65_536);
  api.upstream.answer = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const line = `data: "${"x".repeat(400)}"\n\n`.repeat(100);
    const more = (): void => {
      while (response.write(line)) written.bytes += line.length;
      written.bytes += part.length;
    };
    response.on("drain", more);
    more();
  };
  const socket = await openRaw(api.port);
  t.after(() => socket.destroy());
  socket.pause();
  socket.write(`GET /api/prices HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  // Nothing tells that nothing will happen any more: what was written stands still while a hundred other requests are answered.
  let before = -1;
  while (before !== written.bytes || before === 0) {
    before = written.bytes;
    for (let round = 0; round < 20; round++) await ask("http/1.1", api.port, { path: "/about/" });
  }
  assert.ok(written.bytes < 20_000_000, `${written.bytes} bytes`);
});

test("a client may hold so many streams and no more; others are answered meanwhile", async (t) => {
  const api = await start(t);
  api.upstream.answer = ({ target }, response) => {
    if (target === "/api/plain")
      return void response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}');
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
  };
  const session = openHttp2(api.port);
  t.after(() => session.destroy());
  const open = async (): Promise<number> => {
    const stream = session.request({ ":path": "/api/prices", ":authority": host });
    stream.on("error", () => undefined);
    const [headers] = await once(stream, "response");
    return Number(headers[":status"]);
  };
  const statuses = await Promise.all(Array.from({ length: 40 }, open));
  assert.deepEqual(
    [statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 503).length],
    [32, 8],
  );
  assert.equal((await ask("h2", api.port, { path: "/api/plain" })).status, 200);
});
