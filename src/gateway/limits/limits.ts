import type { Limit } from "../../contract/index.ts";
import { maxLimitSpanMs, tooLong } from "./rate-limit.ts";
import type { LimitRate, LimitStore } from "../types.ts";

/** A route's limits, ready to be charged. */
export interface CompiledLimits {
  /** What the route promises, as the value of `RateLimit-Policy`. */
  readonly policy: string;
  /** Charges a request to a network address; undefined if no limit counts those. */
  readonly client: ChargeLimits | undefined;
  /** Charges a request to a token's subject; undefined if no limit counts those. */
  readonly user: ChargeLimits | undefined;
}

/** Charges one request to the limits of one kind, until one refuses. */
export type ChargeLimits = (key: string, nowMs: number) => LimitCharge;

/** What came of charging a request. */
export interface LimitCharge {
  /** Where the limits that were charged stand, as items of `RateLimit`. */
  readonly state: string;
  /** Whole seconds until a request is admitted; 0 if this one is. */
  readonly retryAfterSeconds: number;
}

interface CompiledLimit {
  readonly rate: LimitRate;
  readonly policy: string;
  /** The beginning of its item. */
  readonly item: string;
}

/**
 * Compiles the limits of a route. A client's allowance regrows evenly, so a policy's window is the time in which the whole
 * burst is regained: `60/h, burst 10` reads `q=10;w=600`.
 *
 * @param nextId gives a number that no other limit of the store has
 * @throws {CurtainwallError} `GATEWAY_OPTION_INVALID` when a burst would take longer than 31 days to be regained
 * @see draft-ietf-httpapi-ratelimit-headers-10 (`RateLimit`, `RateLimit-Policy`), RFC 9110 §10.2.3 (`Retry-After`)
 */
export function compileLimits(
  limits: readonly Limit[],
  store: LimitStore,
  nextId: () => number,
): CompiledLimits {
  const compile = (by: Limit["by"]): CompiledLimit[] => {
    const chosen = limits.filter((limit) => limit.by === by);
    const rates = chosen.map((limit): LimitRate => {
      const intervalMs = (limit.windowSeconds * 1000) / limit.count;
      if (limit.burst * intervalMs > maxLimitSpanMs) throw tooLong();
      return { id: nextId(), burst: limit.burst, intervalMs };
    });
    // Shortest first: what a minute's limit refuses is not charged to the day's.
    return rates
      .toSorted((a, b) => a.burst * a.intervalMs - b.burst * b.intervalMs)
      .map((rate, index) => {
        const name = rates.length === 1 ? by : `${by}-${index + 1}`;
        const windowSeconds = Math.ceil((rate.burst * rate.intervalMs) / 1000);
        return { rate, policy: `"${name}";q=${rate.burst};w=${windowSeconds}`, item: `"${name}";r=` };
      });
  };
  const client = compile("client");
  const user = compile("user");
  return {
    policy: [...client, ...user].map((limit) => limit.policy).join(", "),
    client: client.length === 0 ? undefined : chargeAll(client, store),
    user: user.length === 0 ? undefined : chargeAll(user, store),
  };
}

function chargeAll(limits: readonly CompiledLimit[], store: LimitStore): ChargeLimits {
  return (key, nowMs) => {
    let state = "";
    for (const { rate, item } of limits) {
      const left = store.take(rate, key, nowMs);
      const separator = state === "" ? "" : ", ";
      if (left < 0) {
        const retryAfterSeconds = Math.ceil(-left / 1000);
        return { state: `${state}${separator}${item}0;t=${retryAfterSeconds}`, retryAfterSeconds };
      }
      const resetSeconds = Math.ceil(((rate.burst - left) * rate.intervalMs) / 1000);
      state += `${separator}${item}${left};t=${resetSeconds}`;
    }
    return { state, retryAfterSeconds: 0 };
  };
}
