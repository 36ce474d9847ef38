import type { FailureText } from "../limits/failure-limit.ts";
import type { LimitText } from "../limits/limit.ts";
import type { RedisStore } from "../limits/limit-store.ts";
import type { PaceText } from "../limits/pace.ts";

/** Which requests go first when there are too many. */
export type Priority = "low" | "normal" | "high";

/** How often, how fast and how many at once: what a route says of it. */
export interface LimitOptions {
  /** How often; several apply together. */
  limit: LimitText | readonly LimitText[];
  /** How fast: what comes faster waits, in a queue where clients take turns. Default: nothing waits. */
  pace?: PaceText;
  /** Requests under way at once, on all threads of a host, 1 to 100 000; the others are answered 503. Default: as many as come. */
  concurrency?: number;
  /** How often it may answer that it failed: for whatever is guessed, passwords before all. Default: as often as {@link limit} says. */
  failures?: FailureText | readonly FailureText[] | FailureOptions;
  /** What a request takes out of the stack's `budgets`, by name, 1 to 1 000 000. Default: nothing. */
  spends?: Readonly<Record<string, number>>;
  /**
   * Which requests are refused first when a thread has more to do than it can: `low`, then `normal`; `high` is only held to what can wait at
   * once. Default `normal`.
   */
  priority?: Priority;
}

/** Limits on failures, and what a failure is. */
export interface FailureOptions {
  limit: FailureText | readonly FailureText[];
  /** Statuses of the upstream that say so, 400 to 599. Default 401, 403 and 422. */
  statuses?: readonly number[];
}

/** Where requests are counted, when one host does not count for all. */
export interface LimitStoreOptions {
  store: RedisStore;
  /** How many hosts there are, 1 to 10 000. Without the store each admits its share: a limit divided by this. */
  instances: number;
}
