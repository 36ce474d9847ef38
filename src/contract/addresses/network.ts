import { isWithin, parseAddress, parseNetwork } from "../../shared/index.ts";
import type { AddressBytes, Network } from "../../shared/index.ts";

/** Where a service's addresses lie: on the internet, in a network of one's own, or on this machine. */
export type ServiceNetwork = "public" | "private" | "loopback";

/**
 * Tells where an IP address lies.
 *
 * @returns undefined for what is no address of a service that anybody means: cloud metadata, link-local, multicast,
 *   unspecified, documentation, reserved, ways of writing an IPv4 address into IPv6; and for what is no address
 * @see RFC 6890 and the IANA registries of special-purpose addresses
 */
export function networkOf(address: string): ServiceNetwork | undefined {
  const bytes = parseAddress(address);
  if (bytes === undefined || isWithin(bytes, metadata)) return undefined;
  if (isWithin(bytes, loopback)) return "loopback";
  if (isWithin(bytes, privateUse)) return "private";
  return isPublic(bytes) ? "public" : undefined;
}

/**
 * Tells where a host of a URL lies if nobody says so: an address where it is; `localhost` on this machine; a name that is in no
 * public DNS (`shop`, `shop.internal`, `shop.local`, `shop.home.arpa`) in a private network; any other on the internet.
 *
 * @see RFC 6761, 6762, 8375; ICANN's reservation of .internal
 */
export function networkOfHost(host: string): ServiceNetwork | undefined {
  const name = host.replace(/^\[(.*)\]$/, "$1");
  if (parseAddress(name) !== undefined) return networkOf(name);
  if (name === "localhost" || name.endsWith(".localhost")) return "loopback";
  return !name.includes(".") || /\.(?:internal|local|home\.arpa)$/.test(name) ? "private" : "public";
}

function isPublic(bytes: AddressBytes): boolean {
  return bytes.length === 4
    ? !isWithin(bytes, reserved)
    : isWithin(bytes, globalUnicast) && !isWithin(bytes, reserved);
}

const listOf = (text: string): Network[] =>
  text.split(" ").map((entry) => {
    const network = parseNetwork(entry);
    if (network === undefined) throw new Error(`No network: ${entry}`);
    return network;
  });

/** What clouds tell their own machines, credentials among it: on link-local addresses, and on some that are not. */
const metadata = listOf(
  "169.254.0.0/16 fe80::/10 100.100.100.200 168.63.129.16 fd00:ec2::/32 fd20:ce::/32 fd00:42::42",
);
const loopback = listOf("127.0.0.0/8 ::1");
const privateUse = listOf("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7");
const globalUnicast = listOf("2000::/3");
const reserved = listOf(
  "0.0.0.0/8 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.175.48.0/24 198.18.0.0/15 " +
    "198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20",
);
