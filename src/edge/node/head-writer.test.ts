import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { HeadWriter } from "./head-writer.ts";

/** Sends requests one after the other over one connection and gives back all that came, the date left out. */
async function exchange(
  t: TestContext,
  answer: (response: ServerResponse) => void,
  requests: readonly string[],
): Promise<string> {
  const server = createServer({ keepAliveTimeout: 30_000, requireHostHeader: false }, (request, response) => {
    request.resume();
    request.on("end", () => answer(response));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.after(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.setEncoding("latin1");
  let received = "";
  for (const request of requests) {
    const before = received.length;
    socket.write(request);
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      received += chunk;
      if (received.slice(before).includes("\r\n\r\n")) break;
    }
  }
  socket.destroy();
  return received.replaceAll(/Date: [^\r]+ GMT\r\n/g, "Date: now\r\n");
}

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const old = "GET / HTTP/1.0\r\n\r\n";
const head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const fixed = Object.freeze([
  "content-type",
  "text/plain",
  "x-latin",
  "caf\u00e9",
  "x-twice",
  "1",
  "x-twice",
  "2",
]);

function isRemembered(response: ServerResponse): boolean {
  // What Node was asked to write has a reason phrase set; what was remembered has none.
  return response.statusMessage === undefined || response.statusMessage === "";
}

for (const [name, status, ownHeaders, length, requests] of [
  ["plain answers", 200, undefined, 2, [get, get, get]],
  ["answers with headers of their own", 200, ["ratelimit", '"client";r=5;t=1'], 2, [get, get, get]],
  ["another status", 404, undefined, 2, [get, get]],
  ["HEAD", 200, undefined, 2, [get, head, head]],
  ["HTTP/1.0", 200, undefined, 2, [get, get, old]],
  ["a connection that ends", 200, undefined, 2, [get, get, close]],
  ["204", 204, undefined, 0, [get, get, get]],
  ["304", 304, undefined, 0, [get, get, get]],
  ["a header that Node acts on", 200, ["connection", "close"], 2, [get]],
] as const) {
  test(`what is remembered is sent as Node would write it: ${name}`, async (t) => {
    const writer = new HeadWriter();
    const body = (response: ServerResponse): void => {
      if (length === 0) response.end();
      else response.end("ok", "latin1");
    };
    const ours = await exchange(
      t,
      (response) => {
        writer.write(response, { status, headers: fixed, ownHeaders }, length);
        body(response);
      },
      requests,
    );
    const nodes = await exchange(
      t,
      (response) => {
        const lengthLines = length === 0 ? [] : ["content-length", String(length)];
        response.writeHead(status, [...fixed, ...(ownHeaders ?? []), ...lengthLines]);
        body(response);
      },
      requests,
    );
    assert.equal(ours, nodes);
    assert.equal(ours.split("HTTP/1.1 ").length - 1, requests.length);
  });
}

test("the second answer with a frozen list is remembered, one with a list that may change is not", async (t) => {
  const writer = new HeadWriter();
  const seen: boolean[] = [];
  const loose = ["x-kind", "loose"];
  const lists = [fixed, fixed, loose, loose];
  await exchange(
    t,
    (response) => {
      writer.write(response, { status: 200, headers: lists[seen.length] ?? [] }, 0);
      seen.push(isRemembered(response));
      response.end();
    },
    [get, get, get, get],
  );
  assert.deepEqual(seen, [false, true, false, false]);
});

test("a header of its own can't bring another line into a remembered answer", async (t) => {
  const writer = new HeadWriter();
  const refused: unknown[] = [];
  const text = await exchange(
    t,
    (response) => {
      const ownHeaders = refused.length === 0 ? undefined : ["x-own", "a\r\nset-cookie: b"];
      for (const own of [
        ["x-own", "a\r\nset-cookie: b"],
        ["x-own: a\r\nset-cookie", "b"],
        ["x-own", "\u2028"],
      ]) {
        try {
          if (ownHeaders !== undefined)
            writer.write(response, { status: 200, headers: fixed, ownHeaders: own }, 0);
        } catch (error) {
          refused.push(error);
        }
      }
      if (ownHeaders === undefined) refused.push("first");
      writer.write(response, { status: 200, headers: fixed }, 0);
      response.end();
    },
    [get, get],
  );
  assert.equal(refused.length, 4);
  assert.doesNotMatch(text, /set-cookie/);
});

test("an answer is not begun twice, remembered or not", async (t) => {
  const writer = new HeadWriter();
  const codes: unknown[] = [];
  await exchange(
    t,
    (response) => {
      writer.write(response, { status: 200, headers: fixed }, 0);
      try {
        writer.write(response, { status: 200, headers: fixed }, 0);
      } catch (error) {
        codes.push((error as NodeJS.ErrnoException).code);
      }
      response.end();
    },
    [get, get],
  );
  assert.deepEqual(codes, ["ERR_HTTP_HEADERS_SENT", "ERR_HTTP_HEADERS_SENT"]);
});

test("lists without end don't gather, and each is sent whole", async (t) => {
  const writer = new HeadWriter();
  let count = 0;
  const text = await exchange(
    t,
    (response) => {
      writer.write(response, { status: 200, headers: Object.freeze(["x-kind", String(count++)]) }, 0);
      response.end();
    },
    Array.from({ length: 1100 }, () => get),
  );
  assert.equal(new Set(text.match(/x-kind: [0-9]+\r\n/g)).size, 1100);
});
