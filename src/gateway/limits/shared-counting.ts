import { chargeHere } from "./counting.ts";
import type { Charge, CountedLimit, Counting } from "./counting.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import { limitKeyPrefix, scriptArguments } from "./limit-script.ts";
import { maxLimitSpanMs } from "./rate-limit.ts";
import type { LimitRate } from "../types.ts";

/** Runs the limits' script where all hosts count. */
export interface ScriptLink {
  /**
   * Key of the hash that counters are named by: the same on all hosts of a site, and nobody else's. Changes, if it does, with the connection;
   * the same array for as long as it is the same.
   */
  seed(): readonly [number, number];
  /**
   * @param done called once, at once or within the link's time; undefined: the store could not be asked
   */
  run(
    keys: readonly string[],
    args: readonly string[],
    done: (reply: readonly number[] | undefined) => void,
  ): void;
}

/** Options of {@link createSharedCounting}. */
export interface SharedCountingOptions {
  readonly link: ScriptLink;
  /** How many hosts there are: what each admits its share of while the store can't be asked. */
  readonly instances: number;
  readonly now: () => number;
}

/**
 * Counts where all hosts do. The limits of one subject are one call. While the store can't be asked, each host admits its share, rounded down
 * but to one at least, by its own counters.
 *
 * Counters are named by keyed hashes: who reads the store learns no address and no subject.
 */
export function createSharedCounting({ link, instances, now }: SharedCountingOptions): Counting {
  let seed = link.seed();
  let hash = createKeyedHash(seed);
  const names = new Map<CountedLimit, string>();
  const shares = new Map<CountedLimit, LimitRate>();

  const digest = (kind: number, text: string): string => {
    hash(kind, text);
    return hex(hash.high) + hex(hash.low);
  };

  function takeSeed(): void {
    const next = link.seed();
    if (next === seed) return;
    seed = next;
    hash = createKeyedHash(seed);
    names.clear();
  }

  function nameOf(limit: CountedLimit): string {
    let name = names.get(limit);
    if (name === undefined) names.set(limit, (name = digest(1, limit.name)));
    return name;
  }

  /** One subject's counters have one tag, so that a cluster keeps them in one place. */
  function counterOf({ limit, key }: Charge): string {
    const tag = key === "" ? nameOf(limit) : digest(2, key);
    return `${limitKeyPrefix}${tag}}:${nameOf(limit)}`;
  }

  function shareOf(limit: CountedLimit): LimitRate {
    let share = shares.get(limit);
    if (share === undefined) shares.set(limit, (share = divide(limit.rate, instances)));
    return share;
  }

  /** Subject after subject: what one's own limit refuses must not be charged to what all share. */
  function chargeGroup(
    charges: readonly Charge[],
    from: number,
    left: number[],
    done: (left: readonly number[], isExact: boolean) => void,
  ): void {
    const to = groupEnd(charges, from);
    const group = charges.slice(from, to);
    takeSeed();
    link.run(group.map(counterOf), group.flatMap(scriptArguments), (reply) => {
      if (reply === undefined || reply.length === 0) {
        left.push(...chargeHere(charges.slice(from), now(), shareOf));
        return done(left, false);
      }
      left.push(...reply);
      if (to === charges.length || (reply.at(-1) ?? 0) < 0) done(left, true);
      else chargeGroup(charges, to, left, done);
    });
  }

  return {
    charge(charges, done) {
      if (charges.length === 0) done([], true);
      else chargeGroup(charges, 0, [], done);
    },
    giveBack(charges) {
      takeSeed();
      const back = charges.map((charge) => ({ ...charge, cost: -charge.cost }));
      for (let from = 0; from < back.length; from = groupEnd(back, from)) {
        const group = back.slice(from, groupEnd(back, from));
        link.run(group.map(counterOf), group.flatMap(scriptArguments), () => undefined);
      }
    },
  };
}

/** Charges of one subject that stand together. Those of no subject stand alone. */
function groupEnd(charges: readonly Charge[], from: number): number {
  const key = charges[from]?.key;
  let to = from + 1;
  while (key !== "" && to < charges.length && charges[to]?.key === key) to++;
  return to;
}

function divide({ id, burst, intervalMs }: LimitRate, instances: number): LimitRate {
  const share = Math.max(1, Math.floor(burst / instances));
  return { id, burst: share, intervalMs: Math.min(intervalMs * instances, maxLimitSpanMs / share) };
}

const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, "0");
