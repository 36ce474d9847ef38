import { createServer } from "node:net";
import type { AddressInfo, ListenOptions, Server, Socket } from "node:net";
import { addressGroup, CurtainwallError, normalizeAddress } from "../../shared/index.ts";
import type { EdgeErrorCode } from "../errors.ts";
import type { EdgeEvent } from "../event.ts";
import type { EdgeLimits } from "../limits.ts";

/** Where to listen: an inherited descriptor of a socket, or an address. */
export type ListenTarget =
  | { readonly fd: number }
  | { readonly host: string; readonly port: number; readonly reusePort?: boolean };

/** Options of {@link createDoor}. */
export interface DoorOptions {
  readonly limits: EdgeLimits;
  readonly onEvent: (event: EdgeEvent) => void;
  /** Takes a connection that was let in. */
  readonly admit: (socket: Socket) => void;
}

/** Lets connections in up to the limits, from any number of listening sockets. */
export interface Door {
  listen(target: ListenTarget): Promise<AddressInfo>;
  /** Stops listening, waits until nobody is left in, and cuts who is after `graceMs`. */
  close(graceMs: number): Promise<void>;
  /** Connections that are in. */
  readonly size: number;
}

/**
 * Creates a door: connections are counted before TLS, in total and by address (IPv6: by /64), and cut at once when there
 * are too many. What it remembers is bounded by the connections that are open.
 */
export function createDoor({ limits, onEvent, admit }: DoorOptions): Door {
  const listeners: Server[] = [];
  const byGroup = new Map<string, number>();
  const sockets = new Set<Socket>();
  let onEmpty: (() => void) | undefined;

  function accept(socket: Socket): void {
    const address = normalizeAddress(socket.remoteAddress ?? "");
    const group = addressGroup(address);
    const ofGroup = byGroup.get(group) ?? 0;
    const full = sockets.size >= limits.maxConnections;
    if (full || ofGroup >= limits.maxConnectionsPerAddress) {
      socket.destroy();
      const detail = full ? "maxConnections" : "maxConnectionsPerAddress";
      onEvent({ kind: "connection-refused", remoteAddress: address, detail });
      return;
    }
    sockets.add(socket);
    byGroup.set(group, ofGroup + 1);
    socket.once("close", () => {
      sockets.delete(socket);
      const left = (byGroup.get(group) ?? 1) - 1;
      if (left === 0) byGroup.delete(group);
      else byGroup.set(group, left);
      if (sockets.size === 0) onEmpty?.();
    });
    admit(socket);
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
    get size() {
      return sockets.size;
    },
  };
}

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
