import type { LookupFunction } from "node:net";
import { isIPv6 } from "node:net";
import { Pool } from "undici";
import { createBreaker } from "./breaker.ts";
import type { Breaker } from "./breaker.ts";

/** A certificate chain and its key, PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Options of {@link createBackend}. */
export interface BackendOptions {
  url: URL;
  /** The address to connect to, whatever the URL's host means to anybody else. */
  address: string;
  ca: string | undefined;
  /** What is shown to the upstream, for connections that are made from now on. */
  clientCertificate: () => ClientCertificate | undefined;
  /** A socket of somebody who sends requests on, TLS and all. Undefined: they are sent to the address. */
  socketPath?: string | undefined;
  timeoutMs: number;
  connections: number;
  maxStreams: number;
  isProbed: boolean;
  now: () => number;
}

/** One address of an upstream. */
export interface Backend {
  /** Address and port, for the log. */
  readonly name: string;
  readonly url: URL;
  readonly address: string;
  readonly breaker: Breaker;
  /** Requests under way. */
  outstanding: number;
  pool(): Pool;
  /** What comes in parts holds its connection for as long as it lasts: other requests must not wait for that. */
  streamPool(): Pool;
  /** For health checks alone. */
  healthPool(): Pool;
  /** Makes new connections; what is under way ends on the old ones. */
  renew(): void;
  /** Lets those under way end. */
  retire(): void;
  /** Cuts them. */
  destroy(): Promise<void>;
}

/** Makes the connections to one address. They name the URL's host, to TLS and in `Host`, and go nowhere but to that address. */
export function createBackend(options: BackendOptions): Backend {
  const {
    url,
    address,
    ca,
    clientCertificate,
    socketPath,
    timeoutMs,
    connections,
    maxStreams,
    isProbed,
    now,
  } = options;
  const makePool = (size: number): Pool =>
    new Pool(socketPath === undefined ? url.origin : noPlace, {
      connections: size,
      pipelining: 1,
      connect:
        socketPath === undefined
          ? {
              minVersion: "TLSv1.3",
              timeout: timeoutMs,
              lookup: pinnedTo(address),
              ...(ca === undefined ? {} : { ca }),
              ...clientCertificate(),
            }
          : { socketPath, timeout: timeoutMs },
      allowH2: false,
    });
  const openPools = (): Pools => ({ main: makePool(connections), stream: undefined, health: undefined });
  let pools = openPools();
  /** Those whose last requests are under way. */
  const ending = new Set<Pool>();
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;

  function end({ main, stream, health }: Pools): void {
    for (const pool of [main, stream, health]) {
      if (pool === undefined) continue;
      ending.add(pool);
      const forget = (): void => void ending.delete(pool);
      pool.close().then(forget, forget);
    }
  }

  return {
    name:
      socketPath !== undefined ? address : isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`,
    url,
    address,
    breaker: createBreaker({ isProbed, now }),
    outstanding: 0,
    pool: () => pools.main,
    streamPool: () => (pools.stream ??= makePool(maxStreams)),
    healthPool: () => (pools.health ??= makePool(1)),
    renew() {
      const before = pools;
      pools = openPools();
      end(before);
    },
    retire: () => end(pools),
    async destroy() {
      const { main, stream, health } = pools;
      const open = [main, stream, health, ...ending].filter((pool) => pool !== undefined);
      await Promise.all(open.map((pool) => pool.destroy()));
    },
  };
}

/** Where a socket's requests go is in their targets. */
const noPlace = "http://egress.invalid";

interface Pools {
  readonly main: Pool;
  stream: Pool | undefined;
  health: Pool | undefined;
}

const pinnedTo = (address: string): LookupFunction => {
  const family = isIPv6(address) ? 6 : 4;
  return (_host, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
};
