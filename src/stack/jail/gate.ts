import { lookup } from "node:dns/promises";
import { connect, createServer, isIP } from "node:net";
import type { Server, Socket } from "node:net";
import { networkOf } from "../../contract/index.ts";
import { jailLimits } from "./jail-options.ts";

/** The one way out of a jail. */
export interface Gate {
  /** What was asked for and not let through: `host:port`, each once. */
  readonly refused: () => string[];
  close(): Promise<void>;
}

/** Options of {@link openGate}. */
export interface GateOptions {
  /** Where it listens: a Unix socket, which the jail is shown. */
  readonly path: string;
  /** `https:` origins that are let through, exactly. */
  readonly reaches: readonly string[];
  readonly allowPrivate: boolean;
}

/**
 * Listens for `CONNECT` requests (RFC 9110 §9.3.6) and lets through those to declared origins. The name is resolved here, once, and
 * the address that was checked is the one that is connected to.
 */
export async function openGate({ path, reaches, allowPrivate }: GateOptions): Promise<Gate> {
  const allowed = new Set(reaches.map(authorityOf));
  const refused = new Set<string>();
  const open = new Set<Socket>();
  let budget: number = jailLimits.transferBytes;
  const server = createServer((client) => {
    open.add(client);
    client.once("close", () => open.delete(client));
    client.on("error", () => client.destroy());
    readRequest(client, (authority, rest) => {
      if (authority === undefined || !allowed.has(authority)) {
        if (authority !== undefined && refused.size < maxRefusals) refused.add(authority);
        client.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        return;
      }
      void pass(client, authority, rest);
    });
  });

  // Each costs this process two descriptors.
  server.maxConnections = maxConnections;

  async function pass(client: Socket, authority: string, rest: Uint8Array): Promise<void> {
    const [host, port] = splitAuthority(authority);
    const address = await addressOf(host, allowPrivate);
    if (address === undefined) {
      refused.add(`${authority} (no public address)`);
      client.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const upstream = connect({ host: address, port });
    upstream.on("error", () => client.destroy());
    upstream.once("close", () => client.destroy());
    client.once("close", () => upstream.destroy());
    upstream.once("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(rest);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        from.on("data", (bytes: Uint8Array) => {
          budget -= bytes.length;
          if (budget < 0) client.destroy();
        });
        from.pipe(to);
      }
    });
  }

  await listen(server, path);
  return {
    refused: () => [...refused].sort(),
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

/** What a command tried is told, not kept without end. */
const maxRefusals = 100;
const maxHeadBytes = 8192;
const maxConnections = 256;

/** Reads one request up to its empty line. */
function readRequest(
  client: Socket,
  onRequest: (authority: string | undefined, rest: Uint8Array) => void,
): void {
  let head = Buffer.alloc(0);
  const read = (bytes: Buffer): void => {
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0 && head.length <= maxHeadBytes) return;
    client.off("data", read);
    client.pause();
    // What was refused is shown to people: a name and a port, and nothing that drives a terminal.
    const line = /^CONNECT ([\w.:[\]-]{1,300}) HTTP\/1\.[01]\r\n/.exec(head.toString("latin1"));
    onRequest(line?.[1]?.toLowerCase(), head.subarray(end < 0 ? head.length : end + 4));
  };
  client.on("data", read);
}

/** `https://api.example` as CONNECT names it: `api.example:443`. */
function authorityOf(origin: string): string {
  const { hostname, port } = new URL(origin);
  return `${hostname}:${port === "" ? 443 : port}`;
}

function splitAuthority(authority: string): [host: string, port: number] {
  const colon = authority.lastIndexOf(":");
  return [authority.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), Number(authority.slice(colon + 1))];
}

/** Never where clouds keep their machines' credentials, whatever the contract says of private addresses. */
async function addressOf(host: string, allowPrivate: boolean): Promise<string | undefined> {
  const addresses = isIP(host) > 0 ? [host] : await namesToAddresses(host);
  return addresses.find((address) => {
    const network = networkOf(address);
    return network === "public" || (allowPrivate && network !== undefined);
  });
}

const namesToAddresses = (host: string): Promise<string[]> =>
  lookup(host, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => [],
  );

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
}
