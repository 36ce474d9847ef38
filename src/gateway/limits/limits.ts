import type { Limit } from "../../contract/index.ts";
import { countedLimit } from "./counting.ts";
import type { Charge, CountedLimit } from "./counting.ts";
import { createItemWriter, secondsUntil } from "./limit-item.ts";
import type { ItemWriter } from "./limit-item.ts";
import { nameSubject, needsCaller } from "./subjects.ts";
import type { NameSubject, Requester } from "./subjects.ts";
import type { LimitStore } from "../types.ts";

/** Where a route's limits are counted. */
export interface LimitPlaces {
  /** Of clients and callers. */
  readonly store: LimitStore;
  /** A number that no other limit of it has. */
  readonly nextId: () => number;
  /** Of what there is one of. */
  readonly counters: LimitStore;
  readonly nextCounter: () => number;
  readonly ipv6Prefix: number;
}

/** A route's limits, ready to be charged. */
export interface CompiledLimits {
  /** What the route promises, as the value of `RateLimit-Policy`. */
  readonly policy: string;
  /** What is charged before it is known who calls; undefined: nothing. */
  readonly arrival: LimitRow | undefined;
  /** What is charged once it is known; undefined: nothing. */
  readonly known: LimitRow | undefined;
}

/** Limits that are charged together. */
export interface LimitRow {
  /** Charges one request on this host alone, limit after limit, until one refuses. */
  chargeHere(requester: Requester, nowMs: number): LimitCharge;
  /** What there is to charge, for who counts elsewhere. */
  chargesOf(requester: Requester): Charge[];
  /** What came of these charges. */
  read(left: readonly number[]): LimitCharge;
}

/** What came of charging a request. */
export interface LimitCharge {
  /** Where the limits that were charged stand, as items of `RateLimit`. */
  readonly state: string;
  /** Whole seconds until a request is admitted; 0 if this one is. */
  readonly retryAfterSeconds: number;
}

interface CompiledLimit {
  readonly limit: CountedLimit;
  readonly nameOf: NameSubject;
  readonly policy: string;
  /** Writes its item of `RateLimit`. */
  readonly itemOf: ItemWriter;
}

/** Who is refused by a limit of one's own must not use up what all share; so that comes last. */
const subjects = ["client", "user", "key", "tenant", "route"] as const;

/**
 * Compiles the limits of a route. A client's allowance regrows evenly, so a policy's window is the time in which the whole
 * burst is regained: `60/h, burst 10` reads `q=10;w=600`.
 *
 * @param routeKey names the route on all hosts
 * @throws {CurtainwallError} `GATEWAY_OPTION_INVALID` when a burst would take longer than 31 days to be regained
 * @see draft-ietf-httpapi-ratelimit-headers-10 (`RateLimit`, `RateLimit-Policy`), RFC 9110 §10.2.3 (`Retry-After`)
 */
export function compileLimits(
  routeKey: string,
  limits: readonly Limit[],
  places: LimitPlaces,
): CompiledLimits {
  const all = subjects.flatMap((by) =>
    compileSubject(
      routeKey,
      by,
      limits.filter((limit) => limit.by === by),
      places,
    ),
  );
  return {
    policy: all.map(({ policy }) => policy).join(", "),
    arrival: rowOf(all.filter(({ by }) => !needsCaller(by))),
    known: rowOf(all.filter(({ by }) => needsCaller(by))),
  };
}

function compileSubject(
  routeKey: string,
  by: Limit["by"],
  chosen: readonly Limit[],
  { store, nextId, counters, nextCounter, ipv6Prefix }: LimitPlaces,
): (CompiledLimit & { by: Limit["by"] })[] {
  const nameOf = nameSubject(by, ipv6Prefix);
  const counted = chosen.map((limit) =>
    by === "route"
      ? countedLimit(limit, `${routeKey} ${by}`, counters, nextCounter())
      : countedLimit(limit, `${routeKey} ${by}`, store, nextId()),
  );
  // Shortest first: what a minute's limit refuses is not charged to the day's.
  return counted
    .toSorted((a, b) => spanOf(a) - spanOf(b))
    .map((limit, index) => {
      const name = counted.length === 1 ? by : `${by}-${index + 1}`;
      const policy = `"${name}";q=${limit.rate.burst};w=${Math.ceil(spanOf(limit) / 1000)}`;
      return { by, limit, nameOf, policy, itemOf: createItemWriter(`"${name}";r=`, limit.rate) };
    });
}

const spanOf = ({ rate }: CountedLimit): number => rate.burst * rate.intervalMs;

function rowOf(limits: readonly CompiledLimit[]): LimitRow | undefined {
  if (limits.length === 0) return undefined;
  return {
    chargeHere(requester, nowMs) {
      let state = "";
      for (const { limit, nameOf, itemOf } of limits) {
        const left = limit.store.take(limit.rate, nameOf(requester), nowMs);
        state = state === "" ? itemOf(left) : `${state}, ${itemOf(left)}`;
        if (left < 0) return { state, retryAfterSeconds: secondsUntil(left) };
      }
      return { state, retryAfterSeconds: 0 };
    },
    chargesOf: (requester) => limits.map(({ limit, nameOf }) => ({ limit, key: nameOf(requester), cost: 1 })),
    read(all) {
      const state = all.map((left, index) => (limits[index] as CompiledLimit).itemOf(left)).join(", ");
      const last = all.at(-1) ?? 0;
      return { state, retryAfterSeconds: last < 0 ? secondsUntil(last) : 0 };
    },
  };
}
