import { CurtainwallError } from "../shared/index.ts";
import type { EdgeErrorCode } from "./errors.ts";

/** Limits of one edge server, that is of one thread. Times in milliseconds. */
export interface EdgeLimits {
  /** Connections at once. Default 10 000. */
  readonly maxConnections: number;
  /** Connections at once from one IPv4 address or one IPv6 /64. Default 256: many people share an address. */
  readonly maxConnectionsPerAddress: number;
  /** Bytes of a request's line and headers together. Above it: 431, or a reset stream on HTTP/2. Default 16 384. */
  readonly maxHeaderBytes: number;
  /** Header lines of a request. Above it: 431, or a reset stream on HTTP/2. Default 100. */
  readonly maxHeaders: number;
  /** Characters of a request's target. Above it: 414. Default 4096. */
  readonly maxTargetLength: number;
  /** API requests that wait for their answer at once. Above it: 503. Default 1000. */
  readonly maxPendingRequests: number;
  /** Time for a TLS handshake, from the connection on. Default 10 000. */
  readonly handshakeTimeoutMs: number;
  /** Time for a request's headers; on HTTP/2, for a session's first request. Default 10 000. */
  readonly headersTimeoutMs: number;
  /** Time for a request's body, once somebody reads it. Default 30 000. */
  readonly bodyTimeoutMs: number;
  /** Time that a connection may stay open with nothing under way. Default 30 000. */
  readonly idleTimeoutMs: number;
  /** Time that a client may take to read an answer, besides what {@link minBytesPerSecond} grants it. Default 20 000. */
  readonly responseTimeoutMs: number;
  /** What a client that reads slowly must reach. Default 8192. */
  readonly minBytesPerSecond: number;
  /** Requests at once in one HTTP/2 session. Default 100. */
  readonly maxConcurrentStreams: number;
  /** Requests of an HTTP/2 session that the client may cancel in a burst before the session is ended. Default 200. */
  readonly streamResetBurst: number;
  /** Cancelled requests a second that a session regains. Default 33. */
  readonly streamResetPerSecond: number;
  /** Body bytes that are read and thrown away after an early answer, before the connection is cut. Default 1 MiB. */
  readonly maxDiscardedBytes: number;
  /** Bytes of a release, which is held in memory. Default 512 MiB. */
  readonly maxReleaseBytes: number;
  /** How often slow and idle clients are looked for: what the times above are rounded up to. Default 1000. */
  readonly checkIntervalMs: number;
}

const defaults: EdgeLimits = {
  maxConnections: 10_000,
  maxConnectionsPerAddress: 256,
  maxHeaderBytes: 16_384,
  maxHeaders: 100,
  maxTargetLength: 4096,
  maxPendingRequests: 1000,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  idleTimeoutMs: 30_000,
  responseTimeoutMs: 20_000,
  minBytesPerSecond: 8192,
  maxConcurrentStreams: 100,
  streamResetBurst: 200,
  streamResetPerSecond: 33,
  maxDiscardedBytes: 1_048_576,
  maxReleaseBytes: 536_870_912,
  checkIntervalMs: 1000,
};

/**
 * Fills in the defaults. No limit can be switched off: each is a whole number of at least 1.
 *
 * @throws {CurtainwallError} `EDGE_OPTION_INVALID`, naming the limit.
 */
export function parseLimits(given: Partial<EdgeLimits> = {}): EdgeLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) throw invalid(`There is no edge limit "${name}".`);
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1 && value <= 2 ** 31 - 1)) {
      throw invalid(`The edge limit ${name} is not a whole number from 1 to 2147483647.`);
    }
  }
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(present) };
}

function invalid(message: string): CurtainwallError<EdgeErrorCode> {
  return new CurtainwallError("EDGE_OPTION_INVALID", message, {
    hint: "The limits, their units and defaults stand in src/edge/README.md.",
  });
}
