import type { Rate } from "../../contract/index.ts";
import { maxLimitSpanMs, tooLong } from "./rate-limit.ts";
import type { LimitRate, LimitStore } from "../types.ts";

/** A limit that requests are charged to. */
export interface CountedLimit {
  readonly rate: LimitRate;
  /** Where this host counts it. */
  readonly store: LimitStore;
  /** Names it on all hosts: what the contract says of it, so that another limit begins anew. */
  readonly name: string;
}

/** What one request costs one subject of a limit. */
export interface Charge {
  readonly limit: CountedLimit;
  readonly key: string;
  readonly cost: number;
}

/**
 * Takes what came of charges: for each what {@link LimitStore.take} returns, up to the first that was refused.
 *
 * @param isExact false: the shared store could not be asked in time, and this host's share was charged instead
 */
export type ChargesDone = (left: readonly number[], isExact: boolean) => void;

/** Charges requests, here or where all hosts do. Calls `done` once, at once or within a bounded time. */
export interface Counting {
  /** Charges in order, until one refuses. */
  charge(charges: readonly Charge[], done: ChargesDone): void;
  giveBack(charges: readonly Charge[]): void;
}

/** Makes the limit that a rate of the contract is, counted in `store` under `id`. */
export function countedLimit(
  { count, windowSeconds, burst }: Rate,
  name: string,
  store: LimitStore,
  id: number,
): CountedLimit {
  const intervalMs = (windowSeconds * 1000) / count;
  if (burst * intervalMs > maxLimitSpanMs) throw tooLong();
  return { rate: { id, burst, intervalMs }, store, name: `${name} ${count}/${windowSeconds}, ${burst}` };
}

/** Counts on this host alone. Never waits. */
export function createLocalCounting(now: () => number): Counting {
  return {
    charge: (charges, done) =>
      done(
        chargeHere(charges, now(), (limit) => limit.rate),
        true,
      ),
    giveBack(charges) {
      const nowMs = now();
      for (const { limit, key, cost } of charges) limit.store.giveBack(limit.rate, key, nowMs, cost);
    },
  };
}

/** Charges this host's counters in order, until one refuses. */
export function chargeHere(
  charges: readonly Charge[],
  nowMs: number,
  rateOf: (limit: CountedLimit) => LimitRate,
): number[] {
  const left: number[] = [];
  for (const { limit, key, cost } of charges) {
    const one = limit.store.take(rateOf(limit), key, nowMs, cost);
    left.push(one);
    if (one < 0) break;
  }
  return left;
}
