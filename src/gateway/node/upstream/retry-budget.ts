/** Options of {@link createRetryBudget}. */
export interface RetryBudgetOptions {
  /** Requests for each that may be repeated. Default 10. */
  requestsPerRetry?: number;
  /** Repetitions that may be saved up, and that there are at first. Default 10. */
  burst?: number;
}

/** Bounds how much is added to the load of an upstream that fails; see {@link createRetryBudget}. */
export interface RetryBudget {
  /** A request was made. */
  earn(): void;
  /** Whether one may be repeated; if so it is paid for. */
  spend(): boolean;
}

/** Lets one request in so many be repeated: an upstream that fails all of them gets a tenth more of them, not a multiple. */
export function createRetryBudget({
  requestsPerRetry = 10,
  burst = 10,
}: RetryBudgetOptions = {}): RetryBudget {
  const full = burst * requestsPerRetry;
  // Counted in requests, since tenths do not add up to one.
  let saved = full;
  return {
    earn() {
      if (saved < full) saved++;
    },
    spend() {
      if (saved < requestsPerRetry) return false;
      saved -= requestsPerRetry;
      return true;
    },
  };
}
