import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { freshMark } from "./wire.ts";
import type { OpenKeyHost } from "../probes/key-host.ts";

/** Offers a public key on loopback, to whoever comes. A connection is counted before anything is said on it, TLS that is never answered too. */
export const openKeyHost: OpenKeyHost = async (jwk) => {
  let hits = 0;
  const set = JSON.stringify({ keys: [jwk] });
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/jwk-set+json", connection: "close" }).end(set);
  });
  server.on("connection", () => void hits++);
  server.on("clientError", (_, socket) => socket.destroy());
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    urls: ["http", "https"].map((scheme) => `${scheme}://127.0.0.1:${port}/${freshMark()}.json`),
    hits: () => hits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
