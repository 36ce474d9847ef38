import { connect as connectTcp, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import { networkOf, networkOfHost } from "../../../contract/index.ts";
import type { ServiceNetwork } from "../../../contract/index.ts";
import { createAddressBook } from "../../../shared/node.ts";
import type { Lookup } from "../../../shared/node.ts";

/** A database or store that connections lead to. */
export interface ServicePlace {
  readonly host: string;
  readonly port: number;
  /** Where its addresses must lie. Default: as its name says, `public` for most. */
  readonly network?: ServiceNetwork | undefined;
  /** PEM of the authority that signed its certificate. Default: the system's. */
  readonly ca?: string | undefined;
}

/** Opens sockets to one {@link ServicePlace}. */
export interface ServiceSockets {
  /** A TCP connection, to an address that was looked up and checked here. Rejects with an error whose `code` may be logged. */
  connect(): Promise<Socket>;
  /** Speaks TLS on it from now on. The certificate must be right, for this name. */
  secure(socket: Socket, alpn?: string): Promise<TLSSocket>;
}

/** Makes {@link ServiceSockets}. */
export function createServiceSockets(
  { host, port, network = networkOfHost(host) ?? "public", ca }: ServicePlace,
  { timeoutMs, lookup }: { readonly timeoutMs: number; readonly lookup?: Lookup | undefined },
): ServiceSockets {
  const name = host.replace(/^\[(.*)\]$/, "$1");
  const book = createAddressBook({
    host,
    mayUse: (address) => networkOf(address) === network,
    lookup,
    now: () => performance.now(),
    onRefused: () => undefined,
  });

  return {
    async connect() {
      if (book.addresses().length === 0) await book.load();
      const [...addresses] = book.addresses();
      let last: unknown = codedError("ENOTFOUND", "its name leads nowhere that it may be");
      for (const address of addresses.slice(0, maxTried)) {
        try {
          return await open(
            () => connectTcp({ host: address, port, noDelay: true, keepAlive: true }),
            "connect",
            timeoutMs,
          );
        } catch (error) {
          last = error;
        }
      }
      throw last;
    },
    secure: (socket, alpn) =>
      open(
        () =>
          connectTls({
            socket,
            // Checks the certificate against it, whether it is sent or not (RFC 6066 §3: no addresses).
            host: name,
            ...(isIP(name) > 0 ? {} : { servername: name }),
            minVersion: "TLSv1.2",
            rejectUnauthorized: true,
            ...(ca === undefined ? {} : { ca }),
            ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
          }),
        "secureConnect",
        timeoutMs,
      ),
  };
}

/** Of the addresses that a name has. */
const maxTried = 4;

function open<Opened extends Socket>(
  start: () => Opened,
  event: "connect" | "secureConnect",
  timeoutMs: number,
): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const socket = start();
    const timer = setTimeout(
      () => socket.destroy(codedError("ETIMEDOUT", "no connection in time")),
      timeoutMs,
    );
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const closed = (): void => fail(codedError("ECONNRESET", "it closed the connection"));
    socket.once("error", fail);
    socket.once("close", closed);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off("error", fail);
      socket.off("close", closed);
      // Whoever uses it listens for its end; an error alone must end nothing but this.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}

/** An error with a code that may be logged. */
export function codedError(code: string, message: string): Error & { code: string } {
  return Object.assign(new Error(message), { code });
}

/** What an error may be logged as: its code, and nothing that a server said. */
export function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : "UNKNOWN";
}
