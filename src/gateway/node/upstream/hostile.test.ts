// Upstreams that lie about where an answer ends, or that never come to an end. What one request is answered must not become another's.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { openShop } from "./fixtures/plain-shop.ts";
import type { PlainShop } from "./fixtures/plain-shop.ts";

/** A server of bytes: called for each request, which it does not read further than to its empty line. */
async function startRaw(
  t: TestContext,
  answer: (socket: Socket, request: string, count: number) => void,
): Promise<{ shop: PlainShop; connections: () => number; requests: string[] }> {
  let connections = 0;
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      for (const request of chunk.toString("latin1").split(/(?=(?:GET|POST) )/)) {
        requests.push(request.split("\r\n", 1)[0] ?? "");
        answer(socket, request, requests.length);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const shop = openShop(t, { url: new URL(`http://127.0.0.1:${port}`), retries: 0 }, { connections: 1 });
  return { shop, connections: () => connections, requests };
}

const answerOf = (value: unknown): string => {
  const text = JSON.stringify(value);
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

suite("an answer that says too little of its length (response splitting)", () => {
  const evil = answerOf("evil");
  const kinds: [string, string][] = [
    ["a second answer behind the first", answerOf("mine") + evil],
    ["a length that is too short", answerOf("mine").replace('mine"', `mine"${evil}`)],
    [
      "bytes behind the last chunk",
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n6\r\n"mine"\r\n0\r\n\r\n${evil}`,
    ],
    [
      "a body behind 204",
      `HTTP/1.1 204 No Content\r\ncontent-type: application/json\r\ncontent-length: ${evil.length}\r\n\r\n${evil}`,
    ],
    ["a body behind 304", `HTTP/1.1 304 Not Modified\r\ncontent-length: ${evil.length}\r\n\r\n${evil}`],
  ];
  for (const [name, bytes] of kinds)
    test(`${name} is never another request's answer`, async (t) => {
      const { shop, connections } = await startRaw(t, (socket, _, count) =>
        socket.write(count === 1 ? bytes : answerOf("honest")),
      );
      assert.notEqual(await shop.tell(), "evil");
      const [second, third] = [shop.tell(), shop.tell()];
      assert.deepEqual([await second, await third], ["honest", "honest"]);
      assert.equal(connections(), 2, "that connection is not used again");
    });

  test("nor what comes a while later, on a connection that waits, however often that was used", async (t) => {
    let last: Socket | undefined;
    const { shop, connections } = await startRaw(t, (socket) => {
      last = socket;
      socket.write(answerOf("honest"));
    });
    for (let uses = 1; uses <= 5; uses++) {
      for (let use = 0; use < uses; use++) assert.equal(await shop.tell(), "honest");
      const closed = once(last as unknown as Socket, "close");
      last?.write(evil);
      await closed;
      assert.equal(connections(), uses);
    }
    assert.equal(await shop.tell(), "honest");
  });
});

suite("an answer that never comes to its end", () => {
  const within = { timeoutMs: 200 };

  test("a flood of interim answers ends with the route's time", async (t) => {
    const hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(1000);
    const { shop } = await startRaw(t, (socket) => {
      const flood = (): void => {
        if (!socket.destroyed) socket.write(hints, () => setImmediate(flood));
      };
      flood();
    });
    assert.equal(await shop.tell(within), "GATEWAY_UPSTREAM_TIMEOUT");
  });

  test("a hundred of them, and 102, are passed over", async (t) => {
    const { shop } = await startRaw(t, (socket) =>
      socket.write(
        `${"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(50)}${answerOf(1)}`,
      ),
    );
    assert.equal(await shop.tell(), 1);
  });

  for (const [name, bytes] of [
    ["a head of a megabyte", `HTTP/1.1 200 OK\r\nx-a: ${"a".repeat(1_000_000)}\r\n\r\n`],
    ["fifty thousand header lines", `HTTP/1.1 200 OK\r\n${"x-a: b\r\n".repeat(50_000)}\r\n`],
    [
      "trailers of a megabyte",
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n${"x-a: b\r\n".repeat(120_000)}\r\n`,
    ],
  ] as const)
    test(`${name} is refused before it is read`, async (t) => {
      const { shop } = await startRaw(t, (socket) => socket.write(bytes));
      assert.equal(await shop.tell(), "GATEWAY_ANSWER_INVALID");
    });

  test("a status line without an end ends with the route's time", async (t) => {
    const { shop } = await startRaw(t, (socket) => socket.write(`HTTP/1.1 200 ${"O".repeat(1_000_000)}`));
    assert.equal(await shop.tell(within), "GATEWAY_UPSTREAM_TIMEOUT");
  });

  test("chunks that consist of their extensions end with the route's time", async (t) => {
    const { shop } = await startRaw(t, (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
      const drip = (): void => {
        if (!socket.destroyed) socket.write(`1;${"a".repeat(1000)}\r\n1\r\n`, () => setTimeout(drip, 5));
      };
      drip();
    });
    assert.match(String(await shop.tell(within)), /TIMEOUT|INVALID/);
  });
});

test("100 Continue, which nobody asked for, is no answer, and the connection is not used again", async (t) => {
  const { shop, connections } = await startRaw(t, (socket, _, count) =>
    socket.write(count === 1 ? `HTTP/1.1 100 Continue\r\n\r\n${answerOf("late")}` : answerOf("honest")),
  );
  assert.match(String(await shop.tell({ method: "POST" })), /^GATEWAY_/);
  assert.equal(await shop.tell(), "honest");
  assert.equal(connections(), 2);
});

suite("an answer that comes in pieces", () => {
  const json = "content-type: application/json\r\n";
  const bytes = `HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n${json}trailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\n{"o\r\n8\r\nk":true}\r\n0\r\nx-sum: 1\r\n\r\n`;

  /** Its pieces, each read before the next is written. */
  async function startPieces(t: TestContext, cutsOf: (count: number) => readonly number[]) {
    return startRaw(t, (socket, _, count) => {
      socket.setNoDelay(true);
      const edges = [0, ...cutsOf(count), bytes.length];
      const writeFrom = (index: number): void => {
        const [from, to] = edges.slice(index) as [number, number | undefined];
        if (to !== undefined && !socket.destroyed)
          socket.write(bytes.slice(from, to), () => setImmediate(() => setImmediate(writeFrom, index + 1)));
      };
      writeFrom(0);
    });
  }

  test("is the same wherever it is cut, interim answers, chunks and trailers too", async (t) => {
    const { shop, connections } = await startPieces(t, (count) => [count]);
    for (let cut = 1; cut < bytes.length; cut++) assert.deepEqual(await shop.tell(), { ok: true }, `${cut}`);
    assert.equal(connections(), 1);
  });

  test("is the same wherever it is cut twice, or at every byte", async (t) => {
    const begin = bytes.indexOf("\r\n\r\n3;");
    const span = bytes.length - begin;
    // Of a pair, the second wanders slowly over the chunks while the first runs.
    const pair = (count: number): number[] => {
      const [first, second] = [begin + (count % span), begin + ((count * 7 + (count >> 3)) % span)];
      return [Math.min(first, second), Math.max(first, second)];
    };
    const { shop, connections } = await startPieces(t, (count) =>
      count > 400 ? Array.from({ length: bytes.length - 1 }, (_, index) => index + 1) : pair(count),
    );
    for (let count = 1; count <= 402; count++)
      assert.deepEqual(await shop.tell(), { ok: true }, String(pair(count)));
    assert.equal(connections(), 1);
  });

  test("one that somebody on the way ended too early is no answer", async (t) => {
    const { shop } = await startRaw(t, (socket) =>
      socket.write(`HTTP/1.1 200 OK\r\n${json}transfer-encoding: chunked\r\n\r\n3\r\n{"o\r\n0\r\n\r\n`),
    );
    assert.equal(await shop.tell(), "GATEWAY_ANSWER_INVALID");
  });
});

suite("an answer that leads elsewhere", () => {
  test("redirects are not followed, however many", async (t) => {
    const { shop, requests } = await startRaw(t, (socket) =>
      socket.write("HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n"),
    );
    assert.equal(await shop.tell(), 302);
    assert.deepEqual(requests, ["GET /api/orders HTTP/1.1"]);
  });

  test("an upgrade that nobody asked for, and CONNECT's answer, are none", async (t) => {
    for (const head of [
      "101 Switching Protocols\r\nupgrade: websocket",
      "101 Switching Protocols\r\nupgrade: h2c",
    ]) {
      const { shop } = await startRaw(t, (socket) =>
        socket.write(`HTTP/1.1 ${head}\r\nconnection: upgrade\r\n\r\n${answerOf("evil")}`),
      );
      assert.match(String(await shop.tell({ timeoutMs: 500 })), /^GATEWAY_/);
    }
  });

  test("a connection that is said to stay and does not costs no request that may be done twice", async (t) => {
    const { shop } = await startRaw(t, (socket, _, count) => {
      socket.write(answerOf(count));
      socket.end();
    });
    for (let count = 0; count < 10; count++) {
      assert.equal(typeof (await shop.tell()), "number");
      await turn();
    }
  });
});
