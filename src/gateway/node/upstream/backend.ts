import type { LookupFunction } from "node:net";
import { isIPv6 } from "node:net";
import { Pool } from "undici";
import { createBreaker } from "./breaker.ts";
import type { Breaker } from "./breaker.ts";

/** Options of {@link createBackend}. */
export interface BackendOptions {
  url: URL;
  /** The address to connect to, whatever the URL's host means to anybody else. */
  address: string;
  ca: string | undefined;
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
  readonly pool: Pool;
  /** What comes in parts holds its connection for as long as it lasts: other requests must not wait for that. */
  streamPool(): Pool;
  /** For health checks alone. */
  healthPool(): Pool;
  /** Lets those under way end. */
  retire(): void;
  /** Cuts them. */
  destroy(): Promise<void>;
}

/** Makes the connections to one address. They name the URL's host, to TLS and in `Host`, and go nowhere but to that address. */
export function createBackend(options: BackendOptions): Backend {
  const { url, address, ca, timeoutMs, connections, maxStreams, isProbed, now } = options;
  const makePool = (size: number): Pool =>
    new Pool(url.origin, {
      connections: size,
      pipelining: 1,
      connect: {
        minVersion: "TLSv1.3",
        timeout: timeoutMs,
        lookup: pinnedTo(address),
        ...(ca === undefined ? {} : { ca }),
      },
      allowH2: false,
    });
  const pool = makePool(connections);
  let streamPool: Pool | undefined;
  let healthPool: Pool | undefined;
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return {
    name: isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`,
    url,
    address,
    breaker: createBreaker({ isProbed, now }),
    outstanding: 0,
    pool,
    streamPool: () => (streamPool ??= makePool(maxStreams)),
    healthPool: () => (healthPool ??= makePool(1)),
    retire() {
      void pool.close();
      void streamPool?.close();
      void healthPool?.close();
    },
    async destroy() {
      await Promise.all([pool.destroy(), streamPool?.destroy(), healthPool?.destroy()]);
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
