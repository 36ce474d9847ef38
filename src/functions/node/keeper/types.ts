import type { EventSink } from "../../../contract/index.ts";

/** What a keeper has to know of a function. */
export interface KeptFunction {
  readonly name: string;
  /** How long a call may take. */
  readonly timeoutMs: number;
  /** Calls under way at once. */
  readonly concurrency: number;
  readonly maxResponseBytes: number;
  /** Undefined: nobody calls it but routes. */
  readonly everyMs?: number | undefined;
  /** What its scheduled calls bring. Default: nothing. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** Functions that share a process. */
export interface KeptGroup {
  readonly name: string;
  /** Where it listens, whether or not it runs. */
  readonly socket: string;
  readonly functions: readonly KeptFunction[];
}

/** How closely a group is watched, and how long it is kept. */
export interface WatchOptions {
  /** While calls are under way it is asked whether it turns, so often. Default 50. */
  readonly pingMs?: number;
  /** How long it may stay silent before it is ended. Default 1 000. */
  readonly silentMs?: number;
  /** How long it may take to start. Default 10 000. */
  readonly startMs?: number;
  /** How long it is kept without a call. Default 300 000. */
  readonly idleMs?: number;
}

/** What starts and ends groups for a keeper, and whom it tells. */
export interface KeeperSurroundings {
  /** Asks for a group's process. That it was started, or could not be, is told the keeper later. */
  readonly start: (group: string) => void;
  /** Asks for its end. */
  readonly kill: (group: string) => void;
  readonly events: EventSink;
  /** Gets lines for the operator: what functions threw. Text of hostile origin; each is bounded and harmless to a terminal. */
  readonly onLine: (line: string) => void;
  readonly watch?: WatchOptions;
}

/** Why a call was not answered by its function. */
export type CallFailure =
  /** Nobody waits for it. */
  | "FUNCTIONS_ABANDONED"
  | "FUNCTIONS_ANSWER_INVALID"
  | "FUNCTIONS_ANSWER_TOO_LARGE"
  | "FUNCTIONS_BUSY"
  | "FUNCTIONS_CALL_INVALID"
  | "FUNCTIONS_ENDED"
  /** Its promise can't be settled by anything that is under way. */
  | "FUNCTIONS_HUNG"
  | "FUNCTIONS_QUARANTINED"
  | "FUNCTIONS_THREW"
  | "FUNCTIONS_TIMEOUT"
  | "FUNCTIONS_UNAVAILABLE";

/** What a call came to. */
export type CallOutcome =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** Name, value, name, value …: end-to-end ones. */
      readonly headers: readonly string[];
      readonly body: Uint8Array;
    }
  | {
      readonly kind: "failed";
      readonly code: CallFailure;
      /** For the log. */
      readonly reason: string;
      /** The connection broke: word of the process's end follows. */
      readonly isBroken?: boolean;
    };
