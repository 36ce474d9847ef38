/** Options of {@link redis}. */
export interface RedisOptions {
  /** Where it listens: `rediss://cache.internal:6379`. Must be rediss, unless it is this machine's own. */
  url: string;
  /** The user that it knows us by. Default: its default user. */
  username?: string;
  /**
   * Name of the `connectionSecret` with its password, which the `egress` domain says there: no other process has it. Default: it asks for none.
   */
  password?: string;
  /** A PEM file with the authority that signed its certificate, relative to the contract. Default: the system's. */
  caFile?: string;
  /** How long a request waits for it, in milliseconds, 5 to 2 000. Then the request is counted here. Default 100. */
  timeoutMs?: number;
  /** Allows `redis://`; says why that is safe here. */
  insecureAllowPlain?: string;
}

/** A Valkey or Redis that hosts count in together, made by {@link redis}. */
export interface RedisStore extends RedisOptions {
  readonly kind: "redis";
}

/** Declares a Valkey (7.2 and later) or Redis (7 and later) that several hosts of this site count their limits in. */
export function redis(options: RedisOptions): RedisStore {
  return Object.freeze({ ...options, kind: "redis" as const });
}
