import type { CheckpointHolder } from "./checkpoint.ts";

/** Something in a log that its writer did not do. */
export interface LogFinding {
  readonly kind:
    /** A record does not follow from the one before. */
    | "changed"
    /** Records are not there, and nothing says that they were removed. */
    | "missing"
    /** A record stands where it was not written. */
    | "moved"
    /** A record stands where it was written, and once more. */
    | "doubled"
    /** A line was put between the records, or a record that is another than the one of its number. */
    | "foreign"
    /** The log is not the one whose name it bore, or begins anew. */
    | "replaced"
    /** The log ends before what a checkpoint covers. */
    | "truncated"
    /** A checkpoint does not hold: its signature, its key, or what it says of the log. */
    | "checkpoint";
  /** The file's name. */
  readonly file?: string;
  /** The line in that file, from 1. */
  readonly line?: number;
  readonly seq?: number;
  readonly says: string;
}

/** A key that signed a log. */
export interface LogSigner {
  /** `ed25519:…` */
  readonly key: string;
  readonly holder: CheckpointHolder;
  /** The last record that it signed up to, of those that are there. */
  readonly through: number;
}

/** How far a log in which something is wrong can be gone by. */
export interface LogTrust {
  /** The last record before the first thing that is wrong. Whoever writes the log could still have written anew what is not signed of them. */
  readonly through: number;
  /** The last of those that a checkpoint which holds covers: up to here it is as it was written. 0: none. */
  readonly signed: number;
}

/** Records that are not there, as a later record says. */
export interface GivenUpRecords {
  /** The last of them. */
  readonly through: number;
  /** When the first record that is there was written, as it says: what came after them is no older. Empty if it is none that the log begins a file with. */
  readonly since: string;
  /** The record that says so, and when, as it says. */
  readonly saidBy: number;
  readonly time: string;
  /** Bytes of the records that came after them up to that one: what pushed them out. */
  readonly followedBy: number;
}

/** What became of looking through a log. */
export interface LogVerdict {
  /** Undefined: there is no chain. */
  readonly log: string | undefined;
  /** Numbers of the first and last record that are there; 0 if there is none. */
  readonly first: number;
  readonly last: number;
  /** The chain's value after the last record, base64url. */
  readonly head: string;
  /** The records before the first. Undefined: there are none, or nothing says what became of them. */
  readonly givenUp: GivenUpRecords | undefined;
  /** Lines that lie before the chain began: an older version wrote them, and nothing protects them. */
  readonly before: number;
  /** Checkpoints in the log that hold; the keys that signed them or those that were given, in the order in which they are first seen; and the number of the last record that they cover. */
  readonly checkpoints: {
    readonly count: number;
    readonly through: number;
    readonly signers: readonly LogSigner[];
  };
  /** How many of the checkpoints that were given hold: the record that each is about is there, as it says. */
  readonly outside: number;
  /** How many are about records that were given up since, and were followed by signatures that hold. */
  readonly carried: number;
  /**
   * Records after the last one that a checkpoint which holds covers, and after its own record where that follows at once: whoever writes the log could have
   * written them anew.
   */
  readonly unsigned: number;
  /** A last line without its end: it is being written, a crash cut it short, or somebody put it there. No chain covers it. */
  readonly unfinished: { readonly file: string; readonly line: number; readonly bytes: number } | undefined;
  /** What can't be told, though a checkpoint or the log's own signatures were to tell it. */
  readonly untold: readonly string[];
  /** The first of what was found. Empty: all that is there is as it was written. */
  readonly findings: readonly LogFinding[];
  /** All that was found. */
  readonly found: number;
  /** Undefined: nothing was found. What signatures cover beyond it, they cover as it is now. */
  readonly trusted: LogTrust | undefined;
}
