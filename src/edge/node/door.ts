import { createServer } from "node:net";
import type { AddressInfo, ListenOptions, Server, Socket } from "node:net";
import { CurtainwallError, normalizeAddress } from "../../shared/index.ts";
import type { ClientRules } from "../clients/client-rules.ts";
import type { EdgeErrorCode } from "../errors.ts";
import type { EdgeEvent } from "../event.ts";
import type { EdgeLimits } from "../limits.ts";
import { readProxyHeader } from "./read-proxy-header.ts";

/** Where to listen: an inherited descriptor of a socket, or an address. */
export type ListenTarget =
  | { readonly fd: number }
  | { readonly host: string; readonly port: number; readonly reusePort?: boolean };

/** Options of {@link createDoor}. */
export interface DoorOptions {
  readonly limits: EdgeLimits;
  readonly onEvent: (event: EdgeEvent) => void;
  readonly clients: ClientRules;
  /** Takes a connection that was let in. */
  readonly admit: (socket: Socket) => void;
}

/** Lets connections in up to the limits, from any number of listening sockets. */
export interface Door {
  listen(target: ListenTarget): Promise<AddressInfo>;
  /** Stops listening, waits until nobody is left in, and cuts who is after `graceMs`. */
  close(graceMs: number): Promise<void>;
  /** Whose connection it is, normalised: its other end, or whom a proxy named before TLS. The socket may be TLS's own. */
  addressOf(socket: Pick<Socket, "remoteAddress" | "remotePort">): string;
  /** Connections that are in. */
  readonly size: number;
}

/**
 * Creates a door: connections are counted before TLS, in total and by client (IPv6: by its network), and cut at once when
 * there are too many. A declared proxy's are counted in total only, unless it names each one's client before TLS. What the
 * door remembers is bounded by the connections that are open.
 */
export function createDoor({ limits, onEvent, clients, admit }: DoorOptions): Door {
  const listeners: Server[] = [];
  const byGroup = new Map<string, number>();
  const sockets = new Set<Socket>();
  /** Whom proxies named, by the connection's other end. */
  const named = new Map<string, string>();
  let onEmpty: (() => void) | undefined;

  function accept(socket: Socket): void {
    const peer = normalizeAddress(socket.remoteAddress ?? "");
    if (sockets.size >= limits.maxConnections) return refuse(socket, peer, "maxConnections");
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) onEmpty?.();
    });
    if (!clients.readsProxyHeader) return letIn(socket, peer, clients.isProxy(peer));
    if (!clients.isProxy(peer)) return refuse(socket, peer, "it comes past the declared proxies");
    // Whoever hangs up before the header is complete is no news.
    socket.on("error", () => {});
    readProxyHeader(socket, limits.handshakeTimeoutMs, (fault, client) => {
      if (fault !== undefined) return refuse(socket, peer, fault);
      if (client === undefined) return letIn(socket, peer, true);
      const end = endOf(socket);
      named.set(end, client);
      socket.once("close", () => named.delete(end));
      letIn(socket, client, false);
    });
  }

  function letIn(socket: Socket, address: string, isProxy: boolean): void {
    if (!isProxy && !count(socket, clients.groupOf(address)))
      return refuse(socket, address, "maxConnectionsPerAddress");
    admit(socket);
  }

  function count(socket: Socket, group: string): boolean {
    const ofGroup = byGroup.get(group) ?? 0;
    if (ofGroup >= limits.maxConnectionsPerAddress) return false;
    byGroup.set(group, ofGroup + 1);
    socket.once("close", () => {
      const left = (byGroup.get(group) ?? 1) - 1;
      if (left === 0) byGroup.delete(group);
      else byGroup.set(group, left);
    });
    return true;
  }

  function refuse(socket: Socket, remoteAddress: string, detail: string): void {
    socket.destroy();
    onEvent({ kind: "connection-refused", remoteAddress, detail });
  }

  return {
    async listen(target) {
      const listener = createServer({ noDelay: true }, accept);
      const address = await startListening(listener, target);
      // Running out of descriptors must not end the process.
      listener.on("error", (error) =>
        onEvent({ kind: "connection-refused", remoteAddress: "", detail: errorCode(error) }),
      );
      listeners.push(listener);
      return address;
    },
    async close(graceMs) {
      for (const listener of listeners.splice(0)) listener.close();
      if (sockets.size === 0) return;
      const empty = new Promise<void>((resolve) => {
        onEmpty = resolve;
      });
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await empty;
      clearTimeout(cut);
    },
    addressOf(socket) {
      // Most edges have no such proxy.
      const client = named.size === 0 ? undefined : named.get(endOf(socket));
      return client ?? normalizeAddress(socket.remoteAddress ?? "");
    },
    get size() {
      return sockets.size;
    },
  };
}

/** The other end of an open connection: no two have the same. */
const endOf = ({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string =>
  `${remoteAddress} ${remotePort}`;

/** The code of an error of node's, or its name. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

function startListening(listener: Server, target: ListenTarget): Promise<AddressInfo> {
  const options: ListenOptions & { fd?: number; reusePort?: boolean } = { ...target };
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(listenError(target, error));
    listener.once("error", onError);
    listener.listen(options, () => {
      listener.removeListener("error", onError);
      const address = listener.address();
      if (address === null || typeof address === "string") {
        listener.close();
        reject(listenError(target, new Error("it is no TCP socket")));
      } else {
        resolve(address);
      }
    });
  });
}

function listenError(target: ListenTarget, cause: Error): CurtainwallError<EdgeErrorCode> {
  const where = "fd" in target ? `descriptor ${target.fd}` : `${target.host} port ${target.port}`;
  if (errorCode(cause) === "EADDRINUSE") {
    return new CurtainwallError("EDGE_PORT_IN_USE", `The edge can't listen on ${where}: it is taken.`, {
      hint: "Stop the other process (ss -ltnp shows it), or choose another port in the contract's edge.port.",
      cause,
    });
  }
  return new CurtainwallError(
    "EDGE_LISTEN_FAILED",
    `The edge can't listen on ${where}: ${errorCode(cause)}.`,
    {
      hint: "Ports below 1024 need root or CAP_NET_BIND_SERVICE; the address must be one of this machine's.",
      cause,
    },
  );
}
