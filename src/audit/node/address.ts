import { isIP } from "node:net";
import { isLoopbackHost } from "../../contract/index.ts";

/** Where to connect to for a host: a name of this machine is never asked of a name server. */
export function connectAddress(hostname: string): string {
  const host = bareHost(hostname);
  return isIP(host) === 0 && isLoopbackHost(host) ? "127.0.0.1" : host;
}

/** The name to ask for and to verify in TLS. An address is no server name (RFC 6066 §3). */
export function serverName(hostname: string): { servername?: string } {
  const host = bareHost(hostname);
  return isIP(host) === 0 ? { servername: host } : {};
}

/** A host without the brackets of an IPv6 address. */
export const bareHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, "").toLowerCase();
