import { lookup as lookupName } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import { isLoopbackHost, networkOf } from "../../../contract/index.ts";
import type { ContractSource } from "../../../contract/index.ts";

type Declared = Pick<ContractSource, "url" | "allowPrivate">;

/**
 * Whether a source may be read from an IP address: a public one; this machine's own if the contract names it so; a private one if the
 * contract says why. Never from where clouds keep their machines' credentials.
 */
export function isAllowedAddress(address: string, { url, allowPrivate }: Declared): boolean {
  const network = networkOf(address);
  if (isLoopbackHost(url.hostname)) return network === "loopback";
  return network === "public" || (allowPrivate && network !== undefined);
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
