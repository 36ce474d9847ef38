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

/** Counts failed attempts by key. */
export interface AttemptLimit {
  /** Milliseconds until the key may try again; 0 if it may now. */
  waitMs(key: string): number;
  fail(key: string): void;
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
    fail: (key) => {
      const { failures, endsAt } = current(key) ?? { failures: 0, endsAt: now() + windowMs };
      windows.delete(key);
      windows.set(key, { failures: failures + 1, endsAt });
      const [oldest] = windows.keys();
      if (windows.size > maxKeys && oldest !== undefined) windows.delete(oldest);
    },
    forget: (key) => void windows.delete(key),
  };
}
