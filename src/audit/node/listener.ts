import { createServer, connect } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Hit, Listener } from "../probes/listener.ts";

/** A {@link Listener} to close. */
export interface OpenListener extends Listener {
  close(): Promise<void>;
}

const maxHits = 1000;
const maxBytes = 4096;
const idleMs = 5000;

/** Listens on both loopback addresses, on one free port. */
export async function openListener(): Promise<OpenListener> {
  const hits: Hit[] = [];
  const pages = new Map<string, string>();
  const sockets = new Set<Socket>();
  const treat = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.setTimeout(idleMs, () => socket.destroy());
    let text = "";
    socket.on("data", (chunk) => {
      if (text.length < maxBytes) text = (text + chunk.toString("latin1")).slice(0, maxBytes);
      // A request is whole with its head; of anything else nobody knows when it is.
      if (/^[A-Z]{3,10} /.test(text) && !text.includes("\r\n\r\n")) return;
      const page = pages.get(/^GET (\S+) /.exec(text)?.[1] ?? "");
      if (page === undefined && hits.length < maxHits) hits.push({ text });
      socket.end(answer(page));
    });
  };
  const first = await listenOn("127.0.0.1", 0, treat);
  const { port } = first.address() as AddressInfo;
  const second = await listenOn("::1", port, treat).catch(() => undefined);
  return {
    port,
    hasIpv6: second !== undefined,
    hits,
    offer(html) {
      const path = `/page-${pages.size + 1}`;
      pages.set(path, html);
      return `http://127.0.0.1:${port}${path}`;
    },
    ask: async (path) =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port }, () =>
          socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`),
        );
        socket.on("error", reject);
        socket.on("close", () => resolve());
        socket.resume();
      }),
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(
        [first, second].map(
          (server) => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())),
        ),
      );
    },
  };
}

function answer(page: string | undefined): string {
  const body = page ?? "Nobody was to come here.\n";
  const head = [
    page === undefined ? "HTTP/1.1 404 Not Found" : "HTTP/1.1 200 OK",
    `content-type: text/${page === undefined ? "plain" : "html"}; charset=utf-8`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

function listenOn(host: string, port: number, treat: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(treat);
    server.on("error", reject);
    server.listen({ host, port }, () => resolve(server));
  });
}
