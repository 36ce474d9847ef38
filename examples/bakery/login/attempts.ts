/** Options of {@link createAttemptLimit}. */
export interface AttemptLimitOptions {
  /** Failures after which a key is refused. */
  maxFailures: number;
  /** How long failures count, from the first. */
  windowMs: number;
  /** Keys remembered at once; the oldest is forgotten first. Default 10 000. */
  maxKeys?: number;
  /** The present, in milliseconds. Default: the system's clock. */
  now?: () => number;
}

/**
 * Counts attempts by key. Each counts before it is known whether it fails, and is given back when it did not: of a hundred at once no more are made
 * than one after another.
 */
export interface AttemptLimit {
  /** Milliseconds until the key may try again; 0 if it may now. */
  waitMs(key: string): number;
  count(key: string): void;
  /** One that was counted was no failure. */
  giveBack(key: string): void;
  forget(key: string): void;
}

/** Slows down whoever guesses passwords. */
export function createAttemptLimit({
  maxFailures,
  windowMs,
  maxKeys = 10_000,
  now = Date.now,
}: AttemptLimitOptions): AttemptLimit {
  const windows = new Map<string, { failures: number; endsAt: number }>();
  const current = (key: string): { failures: number; endsAt: number } | undefined => {
    const window = windows.get(key);
    return window !== undefined && window.endsAt > now() ? window : undefined;
  };
  return {
    waitMs: (key) => {
      const window = current(key);
      return window === undefined || window.failures < maxFailures ? 0 : window.endsAt - now();
    },
    count: (key) => {
      const { failures, endsAt } = current(key) ?? { failures: 0, endsAt: now() + windowMs };
      windows.delete(key);
      windows.set(key, { failures: failures + 1, endsAt });
      const [oldest] = windows.keys();
      if (windows.size > maxKeys && oldest !== undefined) windows.delete(oldest);
    },
    giveBack: (key) => {
      const window = current(key);
      if (window !== undefined && window.failures > 0) window.failures -= 1;
    },
    forget: (key) => void windows.delete(key),
  };
}
