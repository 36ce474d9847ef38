/** Options of {@link createBreaker}. */
export interface BreakerOptions {
  /** Failures one after another after which it opens; those of requests that were under way together are one. Default 5. */
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
  /** A request is sent. Its number is given back when it is over. */
  begin(): number;
  /** It went so. Tells for how many milliseconds nothing is sent from now on; 0: nothing has changed. */
  end(verdict: Verdict, begun: number, hasOthers: boolean): number;
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
  let begun = 0;
  /** The one that finds out if the address works again. */
  let trial = 0;
  /** The last that was begun when a failure counted: an upstream that is restarted breaks off all that is under way, and that is one failure. */
  let counted = 0;

  const isRested = (): boolean => now() < openedAt || now() - openedAt >= restMs;

  function open(): number {
    restMs = restMs === 0 ? minRestMs : Math.min(restMs * 2, maxRestMs);
    openedAt = now();
    return restMs;
  }

  return {
    admits: () => restMs === 0 || (!isProbed && !isTrying && isRested()),
    begin() {
      begun++;
      if (restMs > 0) {
        isTrying = true;
        trial = begun;
      }
      return begun;
    },
    end(verdict, number, hasOthers) {
      const isTrial = number === trial;
      if (isTrial) isTrying = false;
      if (verdict === "unknown" || (isProbed && restMs > 0)) return 0;
      if (verdict === "well") {
        failures = 0;
        restMs = 0;
        return 0;
      }
      // Of requests that were sent before it opened, none says anything new.
      if (restMs > 0) return isTrial ? open() : 0;
      if (number > counted) {
        failures++;
        counted = begun;
      }
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
