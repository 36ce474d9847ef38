import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { fetchForeignScript } from "./fetch-script.ts";

test("a script is asked for by GET and by nothing but its address; what fails or is too large does not come", async (context) => {
  const seen: { method: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    seen.push({ method: request.method, headers: request.headers });
    if (request.url === "/gone.js") return void response.writeHead(404).end("no");
    if (request.url !== "/large.js")
      return void response.setHeader("content-type", "text/javascript; charset=utf-8").end("f()");
    const chunk = Buffer.alloc(1_048_576, " ");
    response.on("error", () => undefined);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
      response.once("drain", more);
    };
    more();
  });
  await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const script = (await fetchForeignScript(`${origin}/x.js?id=1`)) ?? assert.fail("it did not come");
  assert.equal(Buffer.from(script.bytes).toString(), "f()");
  assert.equal(script.contentType, "text/javascript; charset=utf-8");
  assert.deepEqual(
    [seen[0]?.method, seen[0]?.headers.cookie, seen[0]?.headers.referer],
    ["GET", undefined, undefined],
  );
  assert.equal(await fetchForeignScript(`${origin}/gone.js`), undefined);
  assert.equal(await fetchForeignScript(`${origin}/large.js`), undefined);
  assert.equal(await fetchForeignScript("https://nothing.invalid/x.js"), undefined);
});
