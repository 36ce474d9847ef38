import type { Protocol } from "../probes/probe.ts";
import { endpointOf, openSocket } from "./connection.ts";
import type { TLSSocket } from "node:tls";

/** What a target speaks; HTTP/1.1 always, since it has answered over it. */
export type Spoken = readonly ["http/1.1", ...Protocol[]];

/** What is spoken where nobody could ask. */
export const http1Only: Spoken = ["http/1.1"];

/**
 * Asks a target, once, whether it speaks HTTP/2: by ALPN, as browsers do, which speak nothing but HTTP/1.1 where there is no TLS.
 *
 * @see RFC 9113 §3.2, RFC 7301
 */
export async function spokenBy(target: URL, ca: string | undefined, timeoutMs = 5000): Promise<Spoken> {
  const endpoint = endpointOf(target, ca, timeoutMs, 0);
  if (!endpoint.isSecure) return http1Only;
  const isAgreed = await new Promise<boolean>((resolve) => {
    const socket = openSocket(endpoint, "h2") as TLSSocket;
    const end = (agreed: boolean): void => {
      socket.destroy();
      resolve(agreed);
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
    socket.once("secureConnect", () => end(socket.alpnProtocol === "h2"));
  });
  return isAgreed ? ["http/1.1", "h2"] : http1Only;
}
