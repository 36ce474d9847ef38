import type { UseOptions, UseText } from "./secret.ts";

/** A function as routes and secrets name it; see {@link fn}. */
export type FunctionName<Name extends string = string> = `fn:${Name}`;

/** Names a function of the contract: `to: fn("contact")`. */
export function fn<const Name extends string>(name: Name): FunctionName<Name> {
  // What plain JavaScript lets through and is no name names no function: that is told with its place, when the contract is read.
  return `fn:${typeof name === "string" ? name : "?"}` as FunctionName<Name>;
}

/** A function: code of yours that runs in a sandbox, without secrets, files or network but what is declared. It lies in `functions/<name>.ts`. */
export interface FunctionOptions {
  /** Requests that it may make without a secret. Those with one stand with the secret. Default: none. */
  reaches?: UseText | UseOptions | readonly (UseText | UseOptions)[];
  /**
   * Texts that it works with and that differ between places: an address, a sender's name. It has no environment to read them from. Not for secrets: its
   * code, and whoever takes it over, has them. Default: none.
   */
  settings?: Readonly<Record<string, string>>;
  /** How long a call may take, in milliseconds, 10 to 300 000. Default 10 000. */
  timeoutMs?: number;
  /** How much memory its process may use, in MiB, 64 to 4 096. Of functions that share a process the largest counts. Default 256. */
  memoryMb?: number;
  /** Calls under way at once, 1 to 10 000; the others are answered 503. Default 64. */
  concurrency?: number;
  /** The largest answer that is taken from it, in bytes. Default 1 048 576. */
  maxResponseBytes?: number;
  /**
   * What runs it: `"workerd"`, or `"node"` for code that needs `eval` or all of Node; that starts later, and takes more memory. Default `"workerd"`.
   */
  runner?: "workerd" | "node";
  /**
   * Functions of one group share a process, and so each other's fate and secrets' uses. Default: a function that uses secrets is alone; those that use
   * none share the group `plain`, or `plain-node` with that runner.
   */
  group?: string;
  /** Calls it from time to time, like `"15min"`, `"1h"`, `"1d"`; never twice at once. Default: it is only called by routes. */
  every?: string;
}
