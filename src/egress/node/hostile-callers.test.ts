import assert from "node:assert/strict";
import { connect } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { bearer, fn, secret } from "../../contract/index.ts";
import type { UseText } from "../../contract/index.ts";
import { makeVault, openEgress } from "../fixtures/open-egress.ts";
import type { OpenEgress } from "../fixtures/open-egress.ts";
import { startService, talkTo } from "../fixtures/service.ts";
import type { TestService } from "../fixtures/service.ts";

const key = "canary-of-nobody-0123456789";

async function open(t: TestContext): Promise<OpenEgress & { service: TestService }> {
  const service = await startService(t);
  const use = (method: string): UseText => `${method} ${service.origin}/v1/*` as UseText;
  const opened = await openEgress(
    t,
    {
      functions: { quotes: {} },
      secrets: { KEY: secret({ use: [use("GET"), use("POST")], by: fn("quotes"), inject: bearer() }) },
    },
    { vault: makeVault({ KEY: key }) },
  );
  return { ...opened, service };
}

suite("a caller", () => {
  test("that asks for a tunnel, another protocol, or smuggles is refused, and no service hears of it", async (t) => {
    const { path, service, events } = await open(t);
    const { origin } = service;
    const host = origin.slice(8);
    const who = "x-curtainwall-function: quotes";
    const attempts: [request: string, status: RegExp][] = [
      [`CONNECT ${host} HTTP/1.1\r\nhost: ${host}\r\n\r\n`, /^HTTP\/1\.1 403 .*EGRESS_PROTOCOL_REFUSED/s],
      [`CONNECT ${host} HTTP/1.1\r\n${who}\r\n\r\nGET /v1/x HTTP/1.1\r\n\r\n`, /^HTTP\/1\.1 403/],
      [
        `GET ${origin}/v1/x HTTP/1.1\r\n${who}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
        /^HTTP\/1\.1 403/,
      ],
      [
        `GET ${origin}/v1/x HTTP/1.1\r\n${who}\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n\r\n`,
        /^HTTP\/1\.1 403/,
      ],
      [
        `POST ${origin}/v1/x HTTP/1.1\r\n${who}\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET`,
        /^HTTP\/1\.1 400/,
      ],
      [
        `POST ${origin}/v1/x HTTP/1.1\r\n${who}\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd`,
        /^HTTP\/1\.1 400/,
      ],
      [
        `POST ${origin}/v1/x HTTP/1.1\r\n${who}\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
        /^HTTP\/1\.1 400/,
      ],
      [
        `POST ${origin}/v1/x HTTP/1.1\r\n${who}\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n`,
        /^HTTP\/1\.1 400/,
      ],
      [`GET ${origin}/v1/x HTTP/1.1\r\n${who}\r\nx: a\r\n b\r\n\r\n`, /^HTTP\/1\.1 400/],
      [`GET ${origin}/v1/x HTTP/1.1\r\n${who}\r\nx: a\0b\r\n\r\n`, /^HTTP\/1\.1 400/],
      [`GET ${origin}/v1/x HTTP/1.1\r\n${who}\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 4/],
      [`GET /v1/x HTTP/1.1\r\nhost: ${host}\r\n${who}\r\nconnection: close\r\n\r\n`, /EGRESS_TARGET_REFUSED/],
      [
        `GET ${origin}/v1/x HTTP/1.1\r\nhost: evil.example\r\n${who}\r\nconnection: close\r\n\r\n`,
        /EGRESS_HEADERS_REFUSED/,
      ],
      [
        `GET ${origin}/v1/x HTTP/1.1\r\n${who}\r\n${who}\r\nconnection: close\r\n\r\n`,
        /EGRESS_HEADERS_REFUSED/,
      ],
      [`GET ${origin}/v1/x HTTP/1.1\r\nconnection: close\r\n\r\n`, /EGRESS_CALLER_UNKNOWN/],
      [
        `GET ${origin}/v1/x HTTP/1.1\r\n${who}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab`,
        /EGRESS_BODY_REFUSED/,
      ],
      [`OPTIONS * HTTP/1.1\r\n${who}\r\nconnection: close\r\n\r\n`, /EGRESS_TARGET_REFUSED/],
      [`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, /^HTTP\/1\.1 4/],
      ["\x16\x03\x01\x02\x00\x01\x00", /^HTTP\/1\.1 400/],
    ];
    for (const [request, expected] of attempts)
      assert.match(await talkTo(path, request), expected, request.slice(0, 120));
    assert.deepEqual(service.asked, []);
    assert.equal(events.filter(({ type }) => type === "egress.refused").length, attempts.length);
    // And an honest one still is let through.
    const honest = `GET ${origin}/v1/x HTTP/1.1\r\n${who}\r\nconnection: close\r\n\r\n`;
    assert.match(await talkTo(path, honest), /^HTTP\/1\.1 200 OK/);
  });

  test("writes no line of its own into the log", async (t) => {
    const { call, events } = await open(t);
    await call("https://evil.example/%0a");
    await call(`https://${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.example/v1`);
    for (const event of events) {
      assert.doesNotMatch(Object.values(event).join(""), /[\r\n]/);
      assert.ok(JSON.stringify(event).length < 600);
    }
  });

  test("that sends more than the contract permits is answered 413, whether it says so or not", async (t) => {
    const { call, path, service } = await open(t);
    const body = "x".repeat(1_048_577);
    assert.equal((await call(`${service.origin}/v1/x`, { method: "POST", body })).status, 413);
    const chunks = `${(65_536).toString(16)}\r\n${"x".repeat(65_536)}\r\n`.repeat(17);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(path, () =>
        socket.write(
          `POST ${service.origin}/v1/x HTTP/1.1\r\nx-curtainwall-function: quotes\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`,
        ),
      );
      socket.once("data", (bytes: Buffer) => {
        resolve(bytes.toString());
        socket.destroy();
      });
    });
    assert.match(answer, /^HTTP\/1\.1 413/);
    assert.deepEqual(service.asked, []);
    assert.equal((await call(`${service.origin}/v1/x`, { method: "POST", body: body.slice(1) })).status, 200);
  });

  test("that fills its share of memory is refused, and another is not", async (t) => {
    const service = await startService(t);
    const use = `POST ${service.origin}/v1/*` as UseText;
    const { call, path, callers } = await openEgress(
      t,
      {
        functions: { quotes: {}, other: {} },
        secrets: { KEY: secret({ use, by: [fn("quotes"), fn("other")], inject: bearer() }) },
      },
      { vault: makeVault({ KEY: key }), maxBodyBytes: 400_000 },
    );
    // It never sends the last byte.
    const head = `POST ${service.origin}/v1/x HTTP/1.1\r\nx-curtainwall-function: quotes\r\ncontent-length: 90001\r\n\r\n`;
    const slow = connect(path, () => slow.write(head + "x".repeat(90_000)));
    while (callers.length === 0) await new Promise(setImmediate);
    const send = async (of: string): Promise<number> =>
      (await call(`${service.origin}/v1/x`, { method: "POST", body: "x".repeat(50_000), fn: of })).status;
    assert.equal(await send("other"), 200);
    let status = await send("quotes");
    // What was sent first may still be on its way.
    while (status === 200) status = await send("quotes");
    assert.equal(status, 503);
    assert.equal(await send("other"), 200);
    slow.destroy();
    while ((await send("quotes")) !== 200);
  });

  test("whose requests are slow holds no place that is another's, who is answered meanwhile", async (t) => {
    const held: (() => void)[] = [];
    const service = await startService(t, ({ line }, response) => {
      if (line.endsWith("/slow")) held.push(() => response.end());
      else response.end("ok");
    });
    const use = `GET ${service.origin}/v1/*` as UseText;
    const { call } = await openEgress(
      t,
      {
        functions: { quotes: {}, other: {} },
        secrets: {
          KEY: secret({ use, by: fn("quotes"), inject: bearer() }),
          OTHER: secret({ use, by: fn("other"), inject: bearer() }),
        },
        egress: {
          origins: { [service.origin as `https://${string}`]: { concurrency: 4, network: "loopback" } },
        },
      },
      { vault: makeVault({ KEY: key, OTHER: key }) },
    );
    const slow = Array.from({ length: 8 }, () => call(`${service.origin}/v1/slow`));
    while (held.length < 3) await new Promise(setImmediate);
    for (let asked = 0; asked < 5; asked++)
      assert.equal((await call(`${service.origin}/v1/x`, { fn: "other" })).status, 200);
    assert.equal(held.length, 3);
    let isOver = false;
    const all = Promise.all(slow).then((came) => {
      isOver = true;
      return came;
    });
    while (!isOver) {
      held.shift()?.();
      await new Promise(setImmediate);
    }
    assert.deepEqual(new Set((await all).map(({ status }) => status)), new Set([200]));
  });

  test("that asks thousands of things at once gets an answer to each, over few connections", async (t) => {
    const { call, service } = await open(t);
    const came = await Promise.all(Array.from({ length: 1500 }, () => call(`${service.origin}/v1/x`)));
    assert.deepEqual(new Set(came.map(({ status }) => status)), new Set([200]));
    assert.ok(service.connections() <= 32, String(service.connections()));
  });
});
