import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { isCurtainwallError } from "../../shared/index.ts";
import { testCertificate } from "../fixtures/certificate.ts";
import { createFetch } from "./fetch.ts";
import type { BoundFetch } from "./fetch.ts";

const mebibyte = 1_048_576;

interface Asked {
  fetch: BoundFetch;
  url: string;
  close(): void;
}

async function startServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Asked> {
  const { cert, key, ca } = await testCertificate();
  const server = createServer({ cert, key }, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    fetch: createFetch(ca),
    url: `https://localhost:${(server.address() as AddressInfo).port}/`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test("a compressed answer is refused before it is unpacked, whatever it would grow to", async () => {
  // 512 MiB in half a MiB: parts of a gzip file follow one another (RFC 1952 §2.2).
  const part = gzipSync(Buffer.alloc(16 * mebibyte));
  const bomb = Buffer.concat(Array.from({ length: 32 }, () => part));
  assert.ok(bomb.length < mebibyte);
  const closed = Promise.withResolvers<void>();
  const { fetch, url, close } = await startServer((_, response) => {
    void once(response, "close").then(() => closed.resolve());
    response.writeHead(200, { "content-type": "text/html", "content-encoding": "gzip" }).end(bomb);
  });
  const peakMib = (): number => process.resourceUsage().maxRSS / 1024;
  const before = peakMib();
  try {
    await assert.rejects(
      fetch(url).then((response) => response.text()),
      (error) =>
        isCurtainwallError(error, "AUDIT_ANSWER_INVALID") && error.message.includes("content-encoding gzip"),
    );
    await closed.promise;
    assert.ok(peakMib() - before < 96, `it took ${Math.round(peakMib() - before)} MiB`);
  } finally {
    close();
  }
});

test("what is not compressed is asked for, and read", async () => {
  const { fetch, url, close } = await startServer(({ headers }, response) =>
    response
      .setHeader("content-encoding", "identity")
      .end(`${headers["accept-encoding"]}, ${headers.accept}`),
  );
  try {
    const headers = { accept: "text/html", "accept-encoding": "br" };
    assert.equal(await (await fetch(url, { headers })).text(), "identity, text/html");
  } finally {
    close();
  }
});

test("an answer of more than 1 MiB is not read to its end, whether its length is told or not", async () => {
  const { fetch, url, close } = await startServer((request, response) => {
    if (request.url === "/told") response.setHeader("content-length", mebibyte + 1);
    response.write(Buffer.alloc(mebibyte));
    response.end("x");
  });
  try {
    for (const path of ["told", "not-told"])
      await assert.rejects(
        async () => (await fetch(url + path)).arrayBuffer(),
        (error: Error) => (error.cause as { code?: string }).code === "UND_ERR_RES_EXCEEDED_MAX_SIZE",
      );
  } finally {
    close();
  }
});
