import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { securityHeaders } from "../../contract/index.ts";
import { ask, askSession, host, makeRelease, openHttp2, openRaw, protocols, startEdge } from "./test-edge.ts";

const film = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
const words = Buffer.from("Rye and wheat. ".repeat(500));
const release = await makeRelease(
  [
    {
      path: "/film.mp4",
      headers: [["content-type", "video/mp4"], ...securityHeaders("default-src 'none'")],
      bytes: { identity: film },
    },
    {
      path: "/words.txt",
      headers: [["content-type", "text/plain"]],
      bytes: { identity: words, gzip: gzipSync(words) },
    },
  ],
  "/404.html",
);

for (const protocol of protocols) {
  suite(`Ranges over ${protocol}`, () => {
    test("One range gets 206 with these bytes, and every header of the whole answer (RFC 9110 §15.3.7)", async (t) => {
      const { port, events } = await startEdge(t, { release });
      const whole = await ask(protocol, port, { path: "/film.mp4" });
      assert.equal(whole.headers["accept-ranges"], "bytes");
      for (const [range, start, end] of [
        ["bytes=0-", 0, 100_000],
        ["bytes=1000-1999", 1000, 2000],
        ["bytes=99999-", 99_999, 100_000],
        ["bytes=-10", 99_990, 100_000],
      ] as const) {
        const { status, headers, body } = await ask(protocol, port, {
          path: "/film.mp4",
          headers: { range },
        });
        assert.equal(status, 206, range);
        assert.equal(headers["content-range"], `bytes ${start}-${end - 1}/100000`);
        assert.equal(headers["content-length"], String(end - start));
        assert.deepEqual(body, film.subarray(start, end));
        for (const name of Object.keys(whole.headers))
          if (name !== ":status" && name !== "content-length" && name !== "date")
            assert.deepEqual(headers[name], whole.headers[name], name);
      }
      assert.deepEqual(events, []);
    });

    test("A range behind the end gets 416 with the file's size, and no security header is missing", async (t) => {
      const { port, events } = await startEdge(t, { release });
      const { status, headers } = await ask(protocol, port, {
        path: "/film.mp4",
        headers: { range: "bytes=100000-" },
      });
      assert.equal(status, 416);
      assert.equal(headers["content-range"], "bytes */100000");
      for (const [name, value] of securityHeaders("default-src 'none'"))
        if (name !== "content-security-policy") assert.equal(headers[name], value, name);
      assert.match(String(headers["content-security-policy"]), /^default-src 'none'/);
      assert.equal(headers.etag, undefined);
      // Who resumes a download that was complete attacks nobody.
      assert.deepEqual(events, []);
    });

    test("Many and overlapping ranges get the file once: they can't make an answer larger than it", async (t) => {
      const { port } = await startEdge(t, { release });
      const range = `bytes=${"0-,".repeat(300)}0-`;
      const { status, headers, body } = await ask(protocol, port, { path: "/film.mp4", headers: { range } });
      assert.equal(status, 200);
      assert.equal(headers["content-range"], undefined);
      assert.equal(body.length, film.length);
    });

    test("Of a compressed form no part is sent; who asks for the file itself gets one (RFC 9110 §14.2)", async (t) => {
      const { port } = await startEdge(t, { release });
      const range = "bytes=0-9";
      const path = "/words.txt";
      const packed = await ask(protocol, port, { path, headers: { range, "accept-encoding": "gzip" } });
      assert.equal(packed.status, 200);
      assert.equal(packed.headers["content-encoding"], "gzip");
      const plain = await ask(protocol, port, {
        path,
        headers: { range, "accept-encoding": "identity;q=1, *;q=0" },
      });
      assert.equal(plain.status, 206);
      assert.equal(plain.body.toString(), "Rye and wh");
      assert.equal(plain.headers.vary, "accept-encoding");
    });

    test("HEAD, a file the client has already, redirects and unknown paths know nothing of ranges", async (t) => {
      const { port } = await startEdge(t, { release });
      const headers = { range: "bytes=0-9" };
      const head = await ask(protocol, port, { method: "HEAD", path: "/film.mp4", headers });
      assert.equal(head.status, 200);
      assert.equal(head.headers["content-length"], "100000");
      const path = "/film.mp4";
      const tag = String(head.headers.etag);
      const known = await ask(protocol, port, { path, headers: { ...headers, "if-none-match": tag } });
      assert.equal(known.status, 304);
      const resumed = await ask(protocol, port, { path, headers: { ...headers, "if-range": tag } });
      assert.equal(resumed.status, 206);
      const changed = await ask(protocol, port, { path, headers: { ...headers, "if-range": '"older"' } });
      assert.equal(changed.status, 200);
      assert.equal((await ask(protocol, port, { path: "/about", headers })).status, 308);
      assert.equal((await ask(protocol, port, { path: "/none", headers })).status, 404);
    });
  });
}

const large = Buffer.alloc(64 * 1_048_576, 7);
const largeRelease = await makeRelease([
  { path: "/large.mp4", headers: [["content-type", "video/mp4"]], bytes: { identity: large } },
]);

for (const protocol of protocols) {
  test(`A large file arrives whole over ${protocol}`, async (t) => {
    const { port } = await startEdge(t, { release: largeRelease });
    const { body } = await ask(protocol, port, { path: "/large.mp4" });
    assert.ok(body.equals(large));
  });
}

test("Who asks for a large file over HTTP/1.1 and does not read makes the edge hold a part of it, not the file", async (t) => {
  const { port } = await startEdge(t, { release: largeRelease });
  const before = process.memoryUsage.rss();
  const sockets = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const socket = await openRaw(port);
      socket.pause();
      socket.write(`GET /large.mp4 HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      return socket;
    }),
  );
  // An answer on another connection comes after these were begun.
  for (let turn = 0; turn < 20; turn++) await ask("http/1.1", port, { path: "/about/" });
  const grown = process.memoryUsage.rss() - before;
  for (const socket of sockets) socket.destroy();
  assert.ok(grown < 2 * large.length, `${grown} bytes for 8 clients of ${large.length} bytes`);
});

test("Two large files that were asked for at once come one after the other", async (t) => {
  const { port } = await startEdge(t, { release: largeRelease });
  const socket = await openRaw(port);
  const ask1 = `GET /large.mp4 HTTP/1.1\r\nhost: ${host}\r\n`;
  socket.write(`${ask1}\r\n${ask1}connection: close\r\n\r\n`);
  let length = 0;
  for await (const chunk of socket) length += (chunk as Buffer).length;
  assert.ok(length > 2 * large.length && length < 2 * large.length + 8192, String(length));
});

test("Over HTTP/2 a large file that is not read, or was cancelled, keeps no other request from being answered", async (t) => {
  const { port } = await startEdge(t, { release: largeRelease });
  const session = openHttp2(port);
  t.after(() => session.destroy());
  const film = session.request({ ":path": "/large.mp4", ":authority": host });
  film.on("error", () => {});
  await once(film, "response");
  film.pause();
  assert.equal((await askSession(session, { path: "/about/" })).status, 200);
  film.close(constants.NGHTTP2_CANCEL);
  const end = await askSession(session, { path: "/large.mp4", headers: { range: "bytes=-5" } });
  assert.equal(end.status, 206);
  assert.equal((await askSession(session, { path: "/large.mp4" })).body.length, large.length);
});
