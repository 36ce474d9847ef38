import { isIPv6 } from "node:net";
import type { LookupFunction } from "node:net";
import { Pool } from "undici";
import type { Dispatcher } from "undici";
import { networkOf } from "../../contract/index.ts";
import type { ContractEgressOrigin } from "../../contract/index.ts";
import { createAddressBook } from "../../shared/node.ts";
import type { Lookup } from "../../shared/node.ts";
import type { Outgoing } from "../inject/outgoing.ts";

/** Options of {@link createOutbound}. */
export interface OutboundOptions {
  origin: ContractEgressOrigin;
  /** PEM of the authority that signed its certificate. Default: the system's. */
  ca: string | undefined;
  lookup: Lookup | undefined;
  now: () => number;
  /** Told of addresses that lie elsewhere; they are not used. */
  onRefused: (addresses: readonly string[]) => void;
}

/** Connections to one service. */
export interface Outbound {
  /** Sends a request to an address that was checked. The handler is told all else. */
  dispatch(outgoing: Outgoing, handler: Dispatcher.DispatchHandler): void;
  /** Whether there is an address to connect to. */
  isKnown(): boolean;
  /** Settles once it was tried to find some. */
  load(): Promise<void>;
  close(): Promise<void>;
}

const mostConnectMs = 10_000;

/**
 * Opens connections to a service: HTTP/1.1 over TLS that is always verified, to addresses that were looked up and checked once. What a
 * name means is not asked again by whoever connects.
 */
export function createOutbound({ origin, ca, lookup, now, onRefused }: OutboundOptions): Outbound {
  const { hostname, host } = new URL(origin.origin);
  const mayUse = (address: string): boolean => networkOf(address) === origin.network;
  const book = createAddressBook({ host: hostname, mayUse, lookup, now, onRefused });
  const pools = new Map<string, Pool>();
  let turn = 0;

  function poolOf(address: string): Pool {
    const known = pools.get(address);
    if (known !== undefined) return known;
    const pool = new Pool(origin.origin, {
      connections: origin.concurrency,
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: 16_384,
      maxResponseSize: origin.maxResponseBytes,
      headersTimeout: origin.timeoutMs,
      bodyTimeout: origin.timeoutMs,
      connect: {
        // Said, so that no variable of the environment says otherwise.
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        timeout: Math.min(origin.timeoutMs, mostConnectMs),
        lookup: pinnedTo(address),
        ...(ca === undefined ? {} : { ca }),
      },
    });
    pools.set(address, pool);
    return pool;
  }

  /** Connections to what the name means no more end once what is under way on them has. */
  function follow(addresses: readonly string[]): void {
    for (const [address, pool] of pools) {
      if (addresses.includes(address)) continue;
      pools.delete(address);
      pool.close().catch(() => undefined);
    }
  }

  return {
    isKnown: () => book.addresses().length > 0,
    load: () => book.load(),
    dispatch({ method, path, query, headers, body }, handler) {
      const addresses = book.addresses();
      if (pools.size > 0) follow(addresses);
      const address = addresses[turn++ % addresses.length] as string;
      poolOf(address).dispatch(
        {
          method,
          path: query === "" ? path : `${path}?${query}`,
          headers: ["host", host, ...[...headers].flat()],
          body: body ?? null,
        },
        handler,
      );
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

const pinnedTo = (address: string): LookupFunction => {
  const family = isIPv6(address) ? 6 : 4;
  return (_host, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
};
