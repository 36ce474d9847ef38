/** Options of {@link createQuarantine}. */
export interface QuarantineOptions {
  /** A clock in milliseconds that only goes forward. */
  readonly now: () => number;
}

/** What became of a function after a process ended. */
export interface Sentence {
  readonly function: string;
  readonly forMs: number;
  /** How often it was confined, this time included. */
  readonly times: number;
}

/** Remembers which functions end their processes, and refuses those that keep doing it. */
export interface Quarantine {
  /** How long a function is still refused, in milliseconds. 0: it may run. */
  remainingMs(name: string): number;
  /**
   * A process ended by force, or by itself, while calls of these functions were under way. Of one alone it is known that it was at fault; of several
   * each is suspected, and runs by itself until that is settled.
   */
  processEnded(underWay: readonly string[]): Sentence[];
  /** A call of it was answered while no other suspect ran. So many of them, and it is none any more. */
  answered(name: string): void;
  /** Whether it has to run apart from other suspects. */
  isSuspect(name: string): boolean;
  /** Its code is another now, which has done nothing yet. */
  forget(name: string): void;
}

/** Ends that confine a function: one may be bad luck, and what a machine without memory left does to anybody. */
const strikesBefore = 3;
/** An end as long ago as this counts no more. */
const forgetMs = 600_000;
const firstMs = 10_000;
/**
 * What ends a process may be one visitor's input, and then longer than this is their work done for them: an end a minute costs the machine next
 * to nothing, and a function that rests for an hour after one request is away.
 */
const longestMs = 60_000;
/** Calls that a suspect has to answer by itself for each end that it was there for. */
const callsToClear = 10;
/** A function that was no trouble for so long is confined as if for the first time. */
const rehabilitatedMs = 86_400_000;

interface Past {
  /** When it was at fault, and how surely: one of n is 1/n. */
  strikes: { atMs: number; weight: number }[];
  times: number;
  untilMs: number;
}

/** Creates a {@link Quarantine}. Its size is that of the contract: functions are named by nobody else. */
export function createQuarantine({ now }: QuarantineOptions): Quarantine {
  const records = new Map<string, Past>();
  /** Suspects, with the calls that each still has to answer. */
  const suspects = new Map<string, number>();

  const recordOf = (name: string): Past => {
    const known = records.get(name);
    if (known !== undefined) return known;
    const fresh = { strikes: [], times: 0, untilMs: 0 };
    records.set(name, fresh);
    return fresh;
  };

  function strike(name: string, weight: number): Sentence | undefined {
    const record = recordOf(name);
    const present = now();
    if (record.times > 0 && present - record.untilMs > rehabilitatedMs) record.times = 0;
    record.strikes = record.strikes.filter(({ atMs }) => present - atMs < forgetMs);
    record.strikes.push({ atMs: present, weight });
    const sum = record.strikes.reduce((total, { weight: one }) => total + one, 0);
    // After the first time one more is enough.
    if (sum < (record.times > 0 ? 1 : strikesBefore)) return undefined;
    const forMs = Math.min(longestMs, firstMs * 2 ** record.times++);
    record.untilMs = present + forMs;
    record.strikes = [];
    return { function: name, forMs, times: record.times };
  }

  return {
    remainingMs: (name) => Math.max(0, (records.get(name)?.untilMs ?? 0) - now()),
    processEnded(underWay) {
      const names = [...new Set(underWay)];
      // Suspects run one at a time, so that one of them among others was at fault again.
      const known = names.filter((name) => suspects.has(name));
      const blamed = known.length > 0 ? known : names;
      for (const name of blamed) suspects.set(name, (suspects.get(name) ?? 0) + callsToClear);
      return blamed.flatMap((name) => strike(name, 1 / blamed.length) ?? []);
    },
    answered(name) {
      const left = (suspects.get(name) ?? 0) - 1;
      if (left > 0) suspects.set(name, left);
      else suspects.delete(name);
    },
    isSuspect: (name) => suspects.has(name),
    forget(name) {
      records.delete(name);
      suspects.delete(name);
    },
  };
}
