import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Socket } from "node:net";

/** Connects to a Redis: by TLS for `rediss://`, whose certificate must be right, else in plain. */
export function openRedisSocket(url: URL, ca: string | undefined): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? 6379 : Number(url.port);
  return new Promise((resolve, reject) => {
    const isPlain = url.protocol === "redis:";
    const socket = isPlain
      ? connectTcp({ host, port, noDelay: true, keepAlive: true })
      : connectTls({
          host,
          port,
          servername: isAddress(host) ? "" : host,
          minVersion: "TLSv1.2",
          ...(ca === undefined ? {} : { ca }),
        });
    socket.setNoDelay(true);
    socket.once("error", reject);
    socket.once(isPlain ? "connect" : "secureConnect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(":");
