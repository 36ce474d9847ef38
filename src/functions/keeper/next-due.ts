/** Options of {@link createTicker}. */
export interface TickerOptions {
  readonly everyMs: number;
  /** Keeps functions of one period apart: 0 to 1, always the same for one function. */
  readonly phase: number;
  /** The present in milliseconds since 1970, which may jump. */
  readonly wallMs: () => number;
  /** A clock in milliseconds that only goes forward. */
  readonly now: () => number;
}

/** Says when something is due that is done again and again. */
export interface Ticker {
  /** Whether it is due now; if it is, that is noted. */
  take(): boolean;
  /** How long to wait before asking again, in milliseconds. */
  waitMs(): number;
}

/** Asked again at least as often, for a clock that was set meanwhile. */
const longestWaitMs = 60_000;

/**
 * Divides time since 1970 into periods, and is due when one begins: a process that is started anew goes on where the one before was. What was missed is
 * done once, at most. A clock that is set neither brings it twice in half a period nor leaves it out for longer than one.
 */
export function createTicker({ everyMs, phase, wallMs, now }: TickerOptions): Ticker {
  const offsetMs = phase * everyMs;
  const periodOf = (time: number): number => Math.floor((time - offsetMs) / everyMs);
  // A first period that begins at once counts: nothing ran before it.
  let last = { period: periodOf(wallMs()), atMs: now() - everyMs / 2 };
  return {
    take() {
      const period = periodOf(wallMs());
      const elapsed = now() - last.atMs;
      const isDue = elapsed >= everyMs * 1.5 || (period !== last.period && elapsed >= everyMs / 2);
      if (isDue) last = { period, atMs: now() };
      return isDue;
    },
    waitMs() {
      const wall = wallMs();
      const next = (periodOf(wall) + 1) * everyMs + offsetMs - wall;
      return Math.max(1, Math.min(next, everyMs, longestWaitMs));
    },
  };
}

/** A name's place between 0 and 1 (FNV-1a). */
export function phaseOf(name: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < name.length; index++)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x0100_0193) >>> 0;
  return hash / 2 ** 32;
}
