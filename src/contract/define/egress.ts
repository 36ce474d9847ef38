import type { RateText } from "../limits/limit.ts";
import type { ServiceNetwork } from "../addresses/network.ts";

/** How somebody else's service is reached. */
export interface EgressOriginOptions {
  /** Where its addresses must lie: a name that leads elsewhere is not followed. Default as for an upstream: `"public"` for most names. */
  network?: ServiceNetwork;
  /** A PEM file with the authority that signed its certificate, relative to the contract. Default: the system's. */
  caFile?: string;
  /** How long it may take to answer in full, in milliseconds, 1 to 300 000. Default 10 000. */
  timeoutMs?: number;
  /** The largest answer that is read, in bytes. Default 1 048 576. */
  maxResponseBytes?: number;
  /** The largest body that is sent, in bytes. Default 1 048 576. */
  maxRequestBytes?: number;
  /** Requests under way to it at once, 1 to 10 000. Default 32. */
  concurrency?: number;
  /** How often it is asked in all: `"600/min"`. Default: as often as somebody causes it. */
  rate?: RateText;
}

/** How services that secrets, functions and routes name are reached. */
export interface EgressOptions {
  /** By origin, like `"https://api.delivery.example"`. Those that are not named here have the defaults. */
  origins?: Readonly<Record<`https://${string}`, EgressOriginOptions>>;
}
