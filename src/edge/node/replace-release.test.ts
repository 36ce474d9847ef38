import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { brotliCompressSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { decodeRelease, encodeRelease } from "../../contract/index.ts";
import type { Release, ReleaseExtras, ReleaseInput } from "../../contract/index.ts";
import { ask, openHttp2, askSession, protocols, startEdge } from "./test-edge.ts";

const releaseOf = async (inputs: ReleaseInput[], extras: ReleaseExtras = {}): Promise<Release> =>
  decodeRelease(await encodeRelease(inputs, extras));
const page = (path: string, body: string): ReleaseInput => ({
  path,
  headers: [["content-type", "text/html"]],
  bytes: { identity: Buffer.from(body) },
});

for (const protocol of protocols) {
  suite(`A release over ${protocol}`, () => {
    test("is replaced between two requests: the next is answered from the new one, and one that can't be served changes nothing", async (t) => {
      const { edge, port } = await startEdge(t, {
        release: await releaseOf([page("/", "old"), page("/gone", "here")]),
      });
      assert.equal(String((await ask(protocol, port)).body), "old");
      edge.setRelease(await releaseOf([page("/", "new")]));
      assert.equal(String((await ask(protocol, port)).body), "new");
      assert.equal((await ask(protocol, port, { path: "/gone" })).status, 404);
      const unservable = { ...page("/", "x"), headers: [["content-length", "7"] as const] };
      const broken = await releaseOf([unservable]);
      assert.throws(() => edge.setRelease(broken), { code: "EDGE_RELEASE_REFUSED" });
      assert.equal(String((await ask(protocol, port)).body), "new");
    });

    test("is sent in zstd to those who take it, and in brotli to those who take both", async (t) => {
      const body = Buffer.from("rye and wheat ".repeat(200));
      const bytes = { identity: body, br: brotliCompressSync(body), zstd: zstdCompressSync(body) };
      const { port } = await startEdge(t, { release: await releaseOf([{ path: "/", headers: [], bytes }]) });
      const zstd = await ask(protocol, port, { headers: { "accept-encoding": "gzip, zstd" } });
      assert.equal(zstd.headers["content-encoding"], "zstd");
      assert.equal(zstd.headers.vary, "accept-encoding");
      assert.deepEqual(zstdDecompressSync(zstd.body), body);
      const both = await ask(protocol, port, { headers: { "accept-encoding": "gzip, deflate, br, zstd" } });
      assert.equal(both.headers["content-encoding"], "br");
      assert.deepEqual((await ask(protocol, port, { headers: { "accept-encoding": "gzip" } })).body, body);
    });

    test("redirects where its manifest says so, with the query unless the target has one", async (t) => {
      const redirects = [
        { path: "/old page", to: "/new/", status: 301 as const },
        { path: "/shop", to: "https://shop.example/?from=site", status: 302 as const },
      ];
      const { port } = await startEdge(t, { release: await releaseOf([page("/new/", "x")], { redirects }) });
      const moved = await ask(protocol, port, { path: "/old%20page?a=1" });
      assert.equal(moved.status, 301);
      assert.equal(moved.headers.location, "/new/?a=1");
      assert.ok(moved.headers["content-security-policy"]);
      const away = await ask(protocol, port, { path: "/shop?b=2" });
      assert.equal(away.status, 302);
      assert.equal(away.headers.location, "https://shop.example/?from=site");
    });
  });
}

test("No request is dropped or mixed while releases are replaced under load", async (t) => {
  const releases = await Promise.all(
    ["a", "b"].map((letter) => releaseOf([page("/", letter.repeat(50_000))])),
  );
  const { edge, port } = await startEdge(t, { release: releases[0] as Release });
  const session = openHttp2(port);
  const answers = Array.from({ length: 300 }, async (_, index) => {
    const answer = askSession(session, {});
    if (index % 3 === 0) edge.setRelease(releases[(index / 3) % 2] as Release);
    if (index % 20 === 0) await answer;
    return answer;
  });
  for (const { status, body } of await Promise.all(answers)) {
    assert.equal(status, 200);
    assert.match(String(body), /^(?:a{50000}|b{50000})$/);
  }
  session.destroy();
});
