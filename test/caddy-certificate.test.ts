import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { emitHost } from "../src/hosts/index.ts";
import { requires } from "./requires.ts";
import { bakeryRelease } from "./support/bakery-release.ts";
import { declaredSite, startCaddy, temporaryFolder, writeEmission } from "./support/host-servers.ts";

const caddy = requires("caddy");

/** Caddy asks an authority for names like \`www.example.com\`, and is its own for those below \`localhost\`: the way there is the same. */
const hostname = "bakery.localhost";

test(
  "Caddy gets a certificate by itself for the origin's host, as the documentation says",
  { skip: caddy.skip, timeout: 120_000 },
  async (context) => {
    const release = await bakeryRelease(context);
    const folder = temporaryFolder(context);
    const site = declaredSite(release, `https://${hostname}`);
    writeEmission(
      folder,
      emitHost("caddy", site, { caddy: { folder, listen: [`unix/${folder}/s`] } }),
      release,
    );
    await keepToItself(join(folder, "caddy.json"));
    const door = await startCaddy(context, caddy.path, folder);
    const root = join(folder, "caddy", "pki", "authorities", "local", "root.crt");
    while (!existsSync(root)) await pause(20);
    assert.ok("socketPath" in door);
    assert.equal(await statusOf(door.socketPath, readFileSync(root, "utf8")), 200);
  },
);

/** Its authority is not to be trusted by this machine, and its redirects must not take port 80. */
async function keepToItself(file: string): Promise<void> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const config = JSON.parse(readFileSync(file, "utf8")) as { apps: Record<string, Record<string, unknown>> };
  Object.assign(config.apps.http ?? {}, { http_port: port });
  config.apps.pki = { certificate_authorities: { local: { install_trust: false } } };
  writeFileSync(file, JSON.stringify(config));
}

/** Asks until there is a certificate: it is made while Caddy answers already. */
async function statusOf(socketPath: string, ca: string): Promise<number | undefined> {
  for (;;) {
    try {
      return await new Promise((resolve, reject) => {
        const outgoing = request({
          socketPath,
          servername: hostname,
          ca,
          agent: false,
          headers: { host: hostname },
        });
        outgoing.on("error", reject);
        outgoing.on("response", (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        outgoing.end();
      });
    } catch (error) {
      if (!/internal error/i.test(String(error))) throw error;
      await pause(50);
    }
  }
}
