import type { Socket } from "node:net";
import { parseProxyHeader } from "../clients/proxy-header.ts";

/** Called once: with what is wrong, or with the client's address, undefined where the proxy speaks for itself. */
type Done = (fault: string | undefined, client: string | undefined) => void;

/**
 * Reads the PROXY protocol header that a connection begins with, and leaves what follows for TLS. What comes too slowly, or
 * is none, is told in words; the socket is the caller's to end. Not called back when the socket closes first.
 *
 * @param timeoutMs for all of it
 */
export function readProxyHeader(socket: Socket, timeoutMs: number, done: Done): void {
  let seen: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => settle("no PROXY header in time", undefined), timeoutMs);
  socket.on("readable", read);
  socket.once("close", stop);
  read();

  function read(): void {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const header = parseProxyHeader(seen);
    if (header.kind === "invalid") settle(header.reason, undefined);
    else if (header.kind === "complete") {
      const rest = seen.subarray(header.length);
      settle(undefined, header.client, rest);
    }
  }

  function settle(fault: string | undefined, client: string | undefined, rest?: Buffer): void {
    stop();
    if (rest !== undefined && rest.length > 0) socket.unshift(rest);
    done(fault, client);
  }

  function stop(): void {
    clearTimeout(timer);
    socket.off("readable", read);
    socket.off("close", stop);
  }
}
