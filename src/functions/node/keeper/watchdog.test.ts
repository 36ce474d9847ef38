import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createWatchdog, pingOnce } from "./watchdog.ts";

async function listening(t: TestContext, answer: RequestListener): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-watchdog-"));
  const socket = join(folder, "group");
  const server = createServer(answer).listen(socket);
  t.after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  await once(server, "listening");
  return socket;
}

test("a ping is answered by 204 and nothing else; what has no end is not read", async (t) => {
  const well = await listening(t, (_request, response) => void response.writeHead(204).end());
  assert.equal(await pingOnce(well), true);
  let written = 0;
  const endless = await listening(t, (_request, response) => {
    const write = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536))) written++;
    };
    response.on("drain", write);
    write();
  });
  assert.equal(await pingOnce(endless), false);
  assert.ok(written < 1000, String(written));
  assert.equal(await pingOnce(`${well}-none`), false);
});

test("a group that answers pings is alive; one that stops is told once", async (t) => {
  let isMute = false;
  const socket = await listening(t, (_request, response) => {
    if (!isMute) response.writeHead(204).end();
  });
  const silent = Promise.withResolvers<void>();
  let alive = 0;
  let told = 0;
  const watchdog = createWatchdog({
    socket,
    pingMs: 5,
    silentMs: 200,
    onAlive() {
      if (++alive === 5) isMute = true;
    },
    onSilent() {
      told++;
      silent.resolve();
    },
  });
  t.after(() => watchdog.stop());
  await silent.promise;
  assert.ok(alive >= 5, String(alive));
  assert.equal(told, 1);
});
