import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect, createServer, isIP } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { networkOf } from "../../contract/index.ts";
import { bareHost, connectAddress } from "./address.ts";

/** The one way out of the browser. */
export interface BrowserProxy {
  readonly port: number;
  /** Lets pages ask this host at this port, wherever it lies. */
  allow(url: URL): void;
  /** Does something, and tells which hosts and ports were refused meanwhile, each once. */
  during<T>(work: () => Promise<T>): Promise<{ result: T; refused: string[] }>;
  close(): void;
}

/** Far more than a report tells of. */
const maxRefused = 50;

/**
 * Connects the browser to the internet, and to nothing of this machine or its networks but what is allowed by name: a page of somebody else's must not
 * use the auditor's browser to ask what only the auditor can reach. It is here that a name is looked up and its addresses are checked, and those are
 * connected to: a name that means something else a moment later (DNS rebinding) gains nothing.
 *
 * @see RFC 1928 (SOCKS5), which carries all of a browser's connections alike, those of WebSockets among them
 */
export async function openBrowserProxy(): Promise<BrowserProxy> {
  const allowed = new Set<string>();
  const watchers = new Set<Set<string>>();
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    keep(socket);
    takeRequest(socket)
      .then(async ({ host, port }) => {
        const name = nameOf(host, port);
        const addresses = await findAddresses(host);
        const isRefused = !allowed.has(name) && !addresses.every(isPublic);
        if (isRefused) for (const seen of watchers) if (seen.size < maxRefused) seen.add(name);
        if (isRefused || addresses.length === 0) socket.end(unreachable);
        else if (!socket.destroyed) join(socket, keep(connectTo(host, port, addresses)));
      })
      .catch(() => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    allow: ({ hostname, port, protocol }) =>
      allowed.add(nameOf(bareHost(hostname), Number(port || (protocol === "https:" ? 443 : 80)))),
    async during(work) {
      const seen = new Set<string>();
      watchers.add(seen);
      try {
        return { result: await work(), refused: [...seen] };
      } finally {
        watchers.delete(seen);
      }
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const nameOf = (host: string, port: number): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

const isPublic = (address: string): boolean => networkOf(address) === "public";

/** Where the browser wants to go. It asks by name, and resolves none itself. */
async function takeRequest(socket: Socket): Promise<{ host: string; port: number }> {
  await takeMessage(socket, ([, methods = Infinity]) => 2 + methods);
  // No password: who is on this machine may go there without us.
  socket.write(Uint8Array.of(5, 0));
  const request = await takeMessage(socket, ([, , , , length = Infinity]) => 7 + length);
  const [, command, , type] = request;
  if (command !== connectCommand || type !== domainName) throw new Error("the browser asks for no name");
  return {
    host: bareHost(request.toString("latin1", 5, request.length - 2)),
    port: request.readUInt16BE(request.length - 2),
  };
}

const connectCommand = 1;
const domainName = 3;

/** The browser waits for an answer to each, so that nothing comes behind one. */
async function takeMessage(socket: Socket, lengthOf: (bytes: Buffer) => number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < lengthOf(bytes)) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes[0] !== 5) throw new Error("this is not SOCKS5");
  }
  if (bytes.length > lengthOf(bytes)) throw new Error("the browser says more than was asked");
  return bytes;
}

/** None where it has none. */
async function findAddresses(host: string): Promise<string[]> {
  const known = connectAddress(host);
  if (isIP(known) > 0) return [known];
  const found = await lookup(known, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}

/** Goes to these addresses, and looks nothing up anew. */
const connectTo = (host: string, port: number, addresses: readonly string[]): Socket =>
  connect({
    host: connectAddress(host),
    port,
    autoSelectFamily: true,
    lookup: (_host, _options, found) =>
      found(
        null,
        addresses.map((address) => ({ address, family: isIP(address) })),
      ),
  });

const answerWith = (code: number): Uint8Array => Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0);
const connected = answerWith(0);
/** "Host unreachable": of any other reason the browser believes that it is the proxy's. */
const unreachable = answerWith(4);

function join(socket: Socket, service: Socket): void {
  let isConnected = false;
  service.on("connect", () => {
    isConnected = true;
    socket.write(connected);
    socket.pipe(service).pipe(socket);
  });
  service.on("close", () => (isConnected ? socket.destroySoon() : socket.end(unreachable)));
  socket.on("close", () => service.destroy());
}
