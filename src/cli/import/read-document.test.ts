import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { maxDocumentBytes, readDescription } from "./read-document.ts";

const invalid = { code: "CLI_DESCRIPTION_INVALID" };

function file(context: TestContext, text: string | Uint8Array): string {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-description-"));
  context.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "api"), text);
  return join(root, "api");
}

test("JSON and YAML are read, whatever the file is called", async (context) => {
  assert.deepEqual((await readDescription(file(context, '{"openapi":"3.1.0"}'))).document, {
    openapi: "3.1.0",
  });
  assert.deepEqual(
    (await readDescription(file(context, "openapi: 3.1.0\npaths:\n  /a: {get: {}}\n"))).document,
    { openapi: "3.1.0", paths: { "/a": { get: {} } } },
  );
  assert.deepEqual((await readDescription(file(context, "{openapi: 3.1.0}"))).document, { openapi: "3.1.0" });
});

test("what is cut off, too large, no text, or grows while it is read is refused", async (context) => {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(", ")}]`,
  );
  const cases: Record<string, string | Uint8Array> = {
    "cut off": '{"openapi":"3.1.0","paths":{"/a',
    "not UTF-8": new Uint8Array([0x7b, 0xff, 0x7d]),
    neither: "a: [1\nb: }",
    "aliases without end": `l0: &l0 [x]\n${levels.join("\n")}\n`,
    "a tag of its own": "a: !!js/function 'x'\n- b",
    "levels without end": "[".repeat(200_000),
    "a key twice": "openapi: 3.1.0\npaths: {a: 1, b: {c: 1, c: 2}}\n",
    "a key twice, written otherwise": "openapi: 3.1.0\n'1': 1\n1: 2\n",
    "more flow than is read": `openapi: [${"[],".repeat(500_001)}]`,
    "more YAML than is read": `openapi: 3.1.0\n${"#\n".repeat(1_000_000)}`,
  };
  for (const [what, text] of Object.entries(cases))
    await assert.rejects(readDescription(file(context, text)), invalid, what);
  const large = file(context, "");
  truncateSync(large, maxDocumentBytes + 1);
  await assert.rejects(readDescription(large), { ...invalid, message: /is larger than/ });
  await assert.rejects(readDescription(tmpdir()), invalid);
  await assert.rejects(readDescription(join(tmpdir(), "there-is-none")), invalid);
});

test("a hundred thousand names beside one another take no longer than they must", async (context) => {
  const names = Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`);
  const before = process.cpuUsage().user;
  const { document } = await readDescription(file(context, `openapi: 3.1.0\n${names.join("\n")}\n`));
  assert.equal(Object.keys(document as object).length, 100_001);
  // Each compared with each other took eighty seconds; this takes one and a half.
  assert.ok(process.cpuUsage().user - before < 20_000_000);
});

test("of addresses only those of this machine are asked, and no redirect is followed", async (context) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.url === "/away") response.writeHead(302, { location: "/openapi.json" }).end();
    else if (request.url === "/gone") response.writeHead(404).end();
    else if (request.url === "/large") response.end(Buffer.alloc(maxDocumentBytes + 1, 32));
    else response.end('{"openapi":"3.1.0"}');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const at = `http://127.0.0.1:${port}`;
  const read = await readDescription(`${at}/openapi.json`);
  assert.deepEqual([read.document, read.base?.href], [{ openapi: "3.1.0" }, `${at}/openapi.json`]);
  for (const path of ["/away", "/gone", "/large"])
    await assert.rejects(readDescription(at + path), invalid, path);
  for (const address of [
    "https://api.example/openapi.json",
    "http://169.254.169.254/",
    "http://localhost.example/",
    "http://foo.localhost/",
    "file:///etc/passwd",
    "http://user:x@127.0.0.1/",
    "ftp://127.0.0.1/",
  ])
    await assert.rejects(
      readDescription(address),
      { ...invalid, message: /only addresses of this machine/ },
      address,
    );
  assert.deepEqual(asked, ["/openapi.json", "/away", "/gone", "/large"]);
});
