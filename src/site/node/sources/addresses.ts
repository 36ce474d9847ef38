import { lookup as lookupName } from "node:dns";
import { BlockList, isIP } from "node:net";
import type { LookupFunction } from "node:net";
import { isLoopbackHost } from "../../../contract/index.ts";
import type { ContractSource } from "../../../contract/index.ts";
import { isPublicAddress } from "../../../shared/node.ts";

function listOf(networks: readonly (readonly [network: string, prefix: number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks)
    list.addSubnet(network, prefix, isIP(network) === 4 ? "ipv4" : "ipv6");
  return list;
}

const loopback = listOf([
  ["127.0.0.0", 8],
  ["::1", 128],
]);

/** Where clouds answer machines with their credentials, and what leads to no one host: nobody's content is there. */
const never = listOf([
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["100.100.100.200", 32],
  ["168.63.129.16", 32],
  ["192.0.0.192", 32],
  ["224.0.0.0", 3],
  ["::", 128],
  ["fe80::", 10],
  ["fd00:ec2::", 32],
  ["fd20:ce::254", 128],
  ["ff00::", 8],
  // An IPv4 address inside one of IPv6 is reached through it (RFC 6052, RFC 8215, RFC 2765, RFC 4291, RFC 3056).
  ["64:ff9b::a9fe:0", 112],
  ["64:ff9b::6464:64c8", 128],
  ["64:ff9b::a83f:8110", 128],
  ["64:ff9b::c000:c0", 128],
  ["64:ff9b:1::", 48],
  ["::ffff:0:0:0", 96],
  ["::a9fe:0", 112],
  ["2002:a9fe::", 32],
  ["2002:6464:64c8::", 48],
  ["2002:a83f:8110::", 48],
  ["2002:c000:c0::", 48],
]);

type Declared = Pick<ContractSource, "url" | "allowPrivate">;

/**
 * Whether a source may be read from an IP address: a public one; this machine's own if the contract names it so; a private one if the
 * contract says why. Never from a link-local address.
 */
export function isAllowedAddress(address: string, { url, allowPrivate }: Declared): boolean {
  const family = isIP(address) === 4 ? "ipv4" : "ipv6";
  if (isIP(address) === 0 || never.check(address, family)) return false;
  if (isLoopbackHost(url.hostname)) return loopback.check(address, family);
  if (allowPrivate) return true;
  return isPublicAddress(address);
}

/** The IP address that a host is, if it is no name. */
export const literalAddress = (url: URL): string | undefined => {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? undefined : host;
};

/** The code of the error with which {@link createLookup} refuses. */
export const refusedCode = "CURTAINWALL_ADDRESS_REFUSED";

/** Finds a name's addresses and gives those that are allowed: what is connected to is what was checked. */
export function createLookup(declared: Declared): LookupFunction {
  return (hostname, options, done) => {
    lookupName(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, []);
      const allowed = found.filter(({ address }) => isAllowedAddress(address, declared));
      const [first] = allowed;
      if (first === undefined) return done(Object.assign(new Error("refused"), { code: refusedCode }), []);
      if (options.all === true) return done(null, allowed);
      return done(null, first.address, first.family);
    });
  };
}
