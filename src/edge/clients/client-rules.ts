import type { ContractProxies } from "../../contract/index.ts";
import { addressGroup } from "../../shared/index.ts";
import { compileFindClient, isProxy } from "./find-client.ts";
import type { FindClient } from "./find-client.ts";

/** How the edge tells its clients apart. */
export interface ClientOptions {
  /** The proxies in front of it. Default: none, so that a connection's address is its client. */
  readonly proxies?: ContractProxies | undefined;
  /** Bits of an IPv6 address that name one client, 16 to 128. Default 64. */
  readonly ipv6Prefix?: number;
  /**
   * Refuses requests to the API that come from an address that is not public and name a client in a header: most likely a
   * proxy that was not declared, so that one limit would hold for all its clients together. Default false.
   */
  readonly refuseUndeclared?: boolean;
}

/** {@link ClientOptions}, compiled. */
export interface ClientRules {
  /** Whether a client's address is written before TLS. */
  readonly readsProxyHeader: boolean;
  /** Undefined where a connection's address is its client. */
  readonly find: FindClient | undefined;
  readonly refuseUndeclared: boolean;
  /** Whether an address is a declared proxy's. */
  isProxy(address: string): boolean;
  /** What connections are counted by. */
  groupOf(address: string): string;
}

/** Compiles how clients are told apart. */
export function compileClientRules({
  proxies,
  ipv6Prefix = 64,
  refuseUndeclared = false,
}: ClientOptions = {}): ClientRules {
  const readsProxyHeader = proxies?.clientFrom === "proxy-protocol";
  return {
    readsProxyHeader,
    find: proxies === undefined || readsProxyHeader ? undefined : compileFindClient(proxies),
    refuseUndeclared: refuseUndeclared && proxies === undefined,
    isProxy: (address) => isProxy(proxies, address),
    groupOf: (address) => addressGroup(address, ipv6Prefix),
  };
}

/** Headers in which proxies name who they speak for. */
export const proxyHeaders = ["x-forwarded-for", "forwarded", "via"] as const;
