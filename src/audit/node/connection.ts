import { connect as connectPlain } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls, createSecureContext } from "node:tls";
import type { SecureContext } from "node:tls";
import type { Protocol } from "../probes/probe.ts";
import { connectAddress, serverName } from "./address.ts";

/** How to reach the target, and the bounds of one answer. */
export interface Endpoint {
  target: URL;
  isSecure: boolean;
  host: string;
  port: number;
  /** What TLS needs to verify the target. Its authorities are read once, not for each of thousands of connections. */
  tls: { servername?: string; secureContext?: SecureContext };
  timeoutMs: number;
  maxBytes: number;
}

/** Where an origin is connected to. */
export function placeOf(origin: string): Pick<Endpoint, "host" | "port"> {
  const { protocol, hostname, port } = new URL(origin);
  return {
    host: connectAddress(hostname),
    port: Number(port === "" ? (protocol === "https:" ? "443" : "80") : port),
  };
}

/** Works out how to reach a target. */
export function endpointOf(
  target: URL,
  ca: string | undefined,
  timeoutMs: number,
  maxBytes: number,
): Endpoint {
  const isSecure = target.protocol === "https:";
  return {
    target,
    isSecure,
    ...placeOf(target.origin),
    tls: isSecure
      ? {
          ...serverName(target.hostname),
          secureContext: createSecureContext(ca === undefined ? {} : { ca }),
        }
      : {},
    timeoutMs,
    maxBytes,
  };
}

/** Opens a connection of its own, from a loopback address if one is named. */
export function openSocket({ isSecure, host, port, tls }: Endpoint, alpn: Protocol, client?: string): Socket {
  const from = client === undefined ? {} : { localAddress: client };
  return isSecure
    ? connectTls({ host, port, ALPNProtocols: [alpn], ...tls, ...from })
    : connectPlain({ host, port, ...from });
}

/** Waits for a connection to be usable: for TLS, until the certificate has been verified. */
export function whenOpen(socket: Socket, isSecure: boolean, then: () => void): void {
  socket.once(isSecure ? "secureConnect" : "connect", then);
}
