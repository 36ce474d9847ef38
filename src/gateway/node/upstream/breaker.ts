/** Options of {@link createBreaker}. */
export interface BreakerOptions {
  /** Failures in a row after which it opens. Default 5. */
  threshold?: number;
  /** How long it stays open the first time, in milliseconds; each time after that twice as long. Default 1 000. */
  minRestMs?: number;
  /** The longest that it stays open, in milliseconds. Default 5 000. */
  maxRestMs?: number;
  /** Whether health checks decide when it closes: then no client's request has to find out. Default: false. */
  isProbed?: boolean;
  /** The present in milliseconds. */
  now: () => number;
}

/** How a request went, as far as it tells whether the address is of use. */
export type Verdict = "well" | "badly" | "unreachable" | "unknown";

/** Keeps requests from an address that fails; see {@link createBreaker}. */
export interface Breaker {
  /** Whether a request may be sent there now. */
  admits(): boolean;
  /** A request is sent. Tells whether it is the one that finds out if the address works again. */
  begin(): boolean;
  /** It went so. Tells for how many milliseconds nothing is sent from now on; 0: nothing has changed. */
  end(verdict: Verdict, isTrial: boolean, hasOthers: boolean): number;
  /** A health check went well, or not: the second in a row that did not opens it, the first that did closes it. */
  probe(isWell: boolean): void;
  /** Whether it is open, or has not been seen to work since. */
  readonly isOpen: boolean;
}

/**
 * Opens after so many failures in a row, or at the first one that could not even connect if there are other addresses. After
 * a while it lets one request through: that one closes it, or has it stay open for twice as long.
 */
export function createBreaker({
  threshold = 5,
  minRestMs = 1000,
  maxRestMs = 5000,
  isProbed = false,
  now,
}: BreakerOptions): Breaker {
  let failures = 0;
  let failedProbes = 0;
  let restMs = 0;
  let openedAt = 0;
  let isTrying = false;

  const isRested = (): boolean => now() < openedAt || now() - openedAt >= restMs;

  function open(): number {
    restMs = restMs === 0 ? minRestMs : Math.min(restMs * 2, maxRestMs);
    openedAt = now();
    return restMs;
  }

  return {
    admits: () => restMs === 0 || (!isProbed && !isTrying && isRested()),
    begin() {
      if (restMs === 0) return false;
      isTrying = true;
      return true;
    },
    end(verdict, isTrial, hasOthers) {
      if (isTrial) isTrying = false;
      if (verdict === "unknown" || (isProbed && restMs > 0)) return 0;
      if (verdict === "well") {
        failures = 0;
        restMs = 0;
        return 0;
      }
      failures++;
      // Of requests that were sent before it opened, none says anything new.
      if (restMs > 0) return isTrial ? open() : 0;
      return failures >= threshold || (verdict === "unreachable" && hasOthers) ? open() : 0;
    },
    probe(isWell) {
      failedProbes = isWell ? 0 : failedProbes + 1;
      if (isWell) {
        failures = 0;
        restMs = 0;
      } else if (restMs === 0 && failedProbes >= 2) open();
    },
    get isOpen() {
      return restMs > 0;
    },
  };
}
