import type { Priority } from "../define/limits.ts";
import type { FailureLimit } from "../limits/failure-limit.ts";
import type { Limit, Rate } from "../limits/limit.ts";
import type { Pace } from "../limits/pace.ts";

/** How often, how fast and how many at once a route may be called; every default filled in. */
export interface ContractRouteLimits {
  readonly limits: readonly Limit[];
  /** Undefined: nothing waits. */
  readonly pace: Pace | undefined;
  /** Requests under way at once, on one host. Undefined: as many as come. */
  readonly concurrency: number | undefined;
  /** Undefined: failures are not counted. */
  readonly failures: ContractFailures | undefined;
  readonly spends: readonly ContractSpending[];
  readonly priority: Priority;
}

/** Limits on failures, and what a failure is. */
export interface ContractFailures {
  readonly limits: readonly FailureLimit[];
  /** Statuses of the upstream. */
  readonly statuses: readonly number[];
}

/** What all clients together may use up. */
export interface ContractBudget extends Rate {
  readonly name: string;
}

/** What one request takes out of a budget. */
export interface ContractSpending {
  readonly budget: ContractBudget;
  readonly cost: number;
}

/** A Valkey or Redis that hosts count in together; every default filled in. */
export interface ContractLimitStore {
  readonly url: URL;
  readonly username: string | undefined;
  /** The secret with its password. Undefined: it asks for none. */
  readonly secret: string | undefined;
  readonly caFile: string | undefined;
  readonly timeoutMs: number;
  /** How many hosts there are. */
  readonly instances: number;
}
