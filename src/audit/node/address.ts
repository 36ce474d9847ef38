import { isIP } from "node:net";

/** Where to connect to for a host: a name of this machine is never asked of a name server. */
export function connectAddress(hostname: string): string {
  const host = bare(hostname);
  return isLocalName(host) ? "127.0.0.1" : host;
}

/** Tells whether a host is this machine, by its name or address alone. */
export function isLoopback(hostname: string): boolean {
  const host = bare(hostname);
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "::1" || isLocalName(host);
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "").toLowerCase();
const isLocalName = (host: string): boolean => host === "localhost" || host.endsWith(".localhost");

/** The name to ask for and to verify in TLS. An address is no server name (RFC 6066 §3). */
export function serverName(hostname: string): { servername?: string } {
  const host = bare(hostname);
  return isIP(host) === 0 ? { servername: host } : {};
}

/** A host without the brackets of an IPv6 address. */
export const bareHost = bare;
