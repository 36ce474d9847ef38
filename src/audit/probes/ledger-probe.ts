/** What looking through a log's chain found. */
export interface LedgerState {
  /** The log's name. Undefined: it has no chain. */
  readonly log: string | undefined;
  /** Numbers of the first and last record that are there. */
  readonly first: number;
  readonly last: number;
  /** Checkpoints in it that hold, and the last record that one covers. */
  readonly checkpoints: number;
  readonly through: number;
  /** Whether the last checkpoint that its signer remembers holds too. */
  readonly holdsAsRemembered: boolean;
  /** What can't be told of it, though signatures were to tell it. */
  readonly untold: readonly string[];
  /** What is wrong, the first of it, and how much. */
  readonly findings: readonly string[];
  readonly found: number;
}

/** The log of a running stack, for who may read it. */
export interface LedgerProbe {
  /** Lines that were written since the audit began, as they stand there, without their line feeds. */
  written(): AsyncIterable<Uint8Array>;
  /** All lines that are kept, the oldest first. */
  kept(): AsyncIterable<Uint8Array>;
  /** Follows its chain from its first record to its last. */
  verify(): LedgerState;
}
