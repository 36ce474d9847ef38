import type { Limit } from "../contract/index.ts";
import type { LimitRate, LimitStore } from "./types.ts";

/** A route's limits of one kind, ready to be charged. */
export interface CompiledLimits {
  /**
   * Charges one request to each.
   *
   * @returns headers for the answer, and how long to wait if one of them refuses
   */
  charge(key: string, nowMs: number): LimitCharge;
}

/** What came of charging a request. */
export interface LimitCharge {
  readonly headers: readonly string[];
  /** Whole seconds until a request is admitted; 0 if this one is. */
  readonly retryAfterSeconds: number;
}

interface CompiledLimit {
  readonly rate: LimitRate;
  readonly policy: string;
  readonly name: string;
}

/**
 * Compiles the limits of a route that count the same thing. The answer's headers speak of the one with the least left.
 *
 * @param nextId gives a number that no other limit of the store has
 * @see draft-ietf-httpapi-ratelimit-headers-10 (`RateLimit`, `RateLimit-Policy`), RFC 9110 §10.2.3 (`Retry-After`)
 */
export function compileLimits(
  limits: readonly Limit[],
  store: LimitStore,
  nextId: () => number,
): CompiledLimits | undefined {
  if (limits.length === 0) return undefined;
  const compiled = limits.map((limit, index): CompiledLimit => {
    const name = limits.length === 1 ? limit.by : `${limit.by}-${index + 1}`;
    return {
      name,
      rate: { id: nextId(), burst: limit.burst, intervalMs: (limit.windowSeconds * 1000) / limit.count },
      policy: `"${name}";q=${limit.burst};w=${limit.windowSeconds}`,
    };
  });
  const policies = compiled.map((limit) => limit.policy).join(", ");

  return {
    charge(key, nowMs) {
      let least = Number.POSITIVE_INFINITY;
      let tightest = compiled[0];
      let waitMs = 0;
      for (const limit of compiled) {
        const left = store.take(limit.rate, key, nowMs);
        if (left < 0) waitMs = Math.max(waitMs, -left);
        if (left < least) [least, tightest] = [left, limit];
      }
      const remaining = Math.max(0, least);
      const { rate, name } = tightest as CompiledLimit;
      const resetSeconds = Math.ceil(
        (waitMs > 0 ? waitMs : (rate.burst - remaining) * rate.intervalMs) / 1000,
      );
      const headers = [
        "ratelimit-policy",
        policies,
        "ratelimit",
        `"${name}";r=${remaining};t=${resetSeconds}`,
      ];
      return { headers, retryAfterSeconds: Math.ceil(waitMs / 1000) };
    },
  };
}
