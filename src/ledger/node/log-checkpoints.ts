import { readCheckpoint } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";
import type { LogVerdict } from "../verdict.ts";
import type { ChainEvent } from "./chain-event.ts";
import type { ChainMemory } from "./chain-memory.ts";
import { anotherKey, createCheckpointSigners } from "./checkpoint-signers.ts";
import type { LogFindings } from "./log-findings.ts";

/** What somebody brings along who has a log looked through. */
export interface Brought {
  readonly checkpoints: readonly Checkpoint[];
  /** All that may sign, those included that `named` say signed before them. */
  readonly keys: readonly string[] | undefined;
  /** Those that were given. */
  readonly named: readonly string[];
}

/** A log as far as it was read. */
export interface SoFar {
  /** Its name. Undefined: nothing said it yet. */
  readonly log: string | undefined;
  /** Number of the first record that is there; 0 before that. */
  readonly first: number;
  readonly last: number;
}

/** Where a record stands. */
export interface RecordPlace {
  readonly file: string;
  readonly line: number;
  readonly seq: number;
}

/** Judges the checkpoints in a log, and those that were given. */
export interface LogCheckpoints {
  /**
   * One in the log. Gives the log's name if it holds.
   *
   * @param wrong what was found if its record does not follow from the one before
   */
  read(event: ChainEvent, soFar: SoFar, at: RecordPlace, wrong?: number): string | undefined;
  /** Those that were given; then what is known of all. */
  end(soFar: SoFar): SignedPart;
  /** Records that a checkpoint in the log is about, and whose value was forgotten by then: to be remembered in a second reading. */
  forgotten(): readonly number[];
  /** Keys that signed before those which may sign, as these say: to be taken in another reading. */
  learnt(): readonly string[];
  /** The last record up to that one which a checkpoint that holds is about; 0 if there is none. */
  signedUpTo(seq: number): number;
}

/** How far a log is signed. */
export interface SignedPart extends Pick<LogVerdict, "checkpoints" | "outside" | "carried" | "untold"> {
  /** Whether there is any checkpoint, so that what the log says of what it gave up must be signed too. */
  readonly isAny: boolean;
  /** The last record that is signed, or is itself the signature of all before it. */
  readonly vouched: number;
}

/** So that no log makes a reading remember more. */
const mostForgotten = 10_000;

export function createLogCheckpoints(
  { checkpoints, keys, named }: Brought,
  memory: ChainMemory,
  findings: LogFindings,
): LogCheckpoints {
  const signers = createCheckpointSigners(keys, { checkpoints, named });
  /** Of each key the last. */
  const holding = new Map<string, Checkpoint>();
  const forgotten = new Set<number>();
  /** What each that holds is about: what is found later may make an earlier one the last that counts. */
  const signedAt: number[] = [];
  let [count, through, vouched] = [0, 0, 0];

  function hold(checkpoint: Checkpoint): void {
    through = Math.max(through, checkpoint.through);
    signedAt.push(checkpoint.through);
    signers.held(checkpoint);
    if ((holding.get(checkpoint.key)?.through ?? 0) < checkpoint.through)
      holding.set(checkpoint.key, checkpoint);
  }

  /** Says why a checkpoint does not hold, as what follows "the checkpoint"; first in words that are the same wherever the cause is. */
  function problemOf(
    checkpoint: Checkpoint,
    log: string | undefined,
    from: "log" | "elsewhere",
  ): readonly [cause: string, says: string] | undefined {
    // A log whose beginning is not there has lost its name with it, which is told once.
    if (log !== undefined && checkpoint.log !== log) return same(`${anotherLog} (${checkpoint.log})`);
    const problem = signers.problemOf(checkpoint, from);
    if (problem !== undefined) return same(problem);
    const there = memory.at(checkpoint.through);
    if (there === undefined || text64(there) === checkpoint.head) return undefined;
    const wasTakenBack = from === "log" ? "" : ", or the log was taken back and written on";
    return [
      "changed",
      `says of record ${checkpoint.through} what the log does not: it was changed${wasTakenBack}`,
    ];
  }

  /** A key that is not known may be one that a later key vouches for; what it said of the key before it counts if the chain has it. */
  function noteUnknown(checkpoint: Checkpoint, { log, first }: SoFar): void {
    if (checkpoint.after === undefined || (log !== undefined && checkpoint.log !== log)) return;
    const there = memory.at(checkpoint.through);
    if (there !== undefined && text64(there) === checkpoint.head) signers.vouches(checkpoint);
    else if (there === undefined) noteForgotten(checkpoint, first);
  }

  function noteForgotten({ through: seq }: Checkpoint, first: number): void {
    if (seq >= first && forgotten.size < mostForgotten) forgotten.add(seq);
  }

  /** Checkpoints that were given count for nothing but the record that they are about, or for what their key signed after it. */
  function checkGiven(soFar: SoFar): Pick<SignedPart, "outside" | "carried" | "untold"> {
    // The furthest first: of a log that was cut off it says most.
    const given = checkpoints
      .toSorted((one, other) => other.through - one.through)
      .filter((checkpoint) => isFit(checkpoint, soFar));
    const there = given.filter((one) => memory.at(one.through) !== undefined);
    for (const checkpoint of there) hold(checkpoint);
    const gone = given.filter((one) => !there.includes(one));
    const carried = gone.filter(
      (one) => one.through < soFar.first && [...holding.values()].some((later) => carries(later, one)),
    );
    const untold = gone
      .filter((one) => !carried.includes(one))
      .map(
        (one) =>
          `record ${one.through}, which a checkpoint that was given is about, is not there, and nothing that holds was signed after it: the log may be another one`,
      );
    return { outside: there.length, carried: carried.length, untold };
  }

  function isFit(checkpoint: Checkpoint, { log, last }: SoFar): boolean {
    const problem = problemOf(checkpoint, log, "elsewhere");
    if (problem !== undefined) {
      const [cause, says] = problem;
      const finding = { kind: "checkpoint", says: `a checkpoint that was given ${says}` } as const;
      // Of another log its key is another too.
      if (cause === anotherLog) findings.withdraw(anotherKey);
      findings.again(cause, finding, cause === "changed" ? checkpoint.through - 1 : 0);
    } else if (checkpoint.through > last) {
      const says = `the log ends with record ${last}; a checkpoint covers it up to ${checkpoint.through}: its end was cut off, or an older copy lies here`;
      findings.again("truncated", { kind: "truncated", seq: last, says }, last);
    } else return true;
    return false;
  }

  /** Who signs sees that what is signed goes on from what was signed before. Any key will do only where somebody said which may sign. */
  const carries = (later: Checkpoint, earlier: Checkpoint): boolean =>
    later.through > earlier.through && (keys !== undefined || later.key === earlier.key);

  return {
    read(event, soFar, at, wrongRecord) {
      const checkpoint = readCheckpoint(event);
      const isAhead = checkpoint !== undefined && checkpoint.through >= at.seq;
      if (checkpoint !== undefined && !isAhead && !signers.isKnown(checkpoint.key))
        noteUnknown(checkpoint, soFar);
      const problem =
        checkpoint === undefined
          ? same("is none")
          : isAhead
            ? same("covers what comes after it")
            : problemOf(checkpoint, soFar.log, "log");
      if (problem !== undefined || checkpoint === undefined) {
        const [cause, says] = problem ?? same("");
        if (wrongRecord !== undefined) {
          // What does not hold in a record that was changed was found with it; what holds tells that it was the one before.
          if (cause !== "changed") return undefined;
          if (checkpoint?.through === at.seq - 1) findings.change(wrongRecord, undefined);
        }
        const finding = {
          kind: "checkpoint",
          ...at,
          says: `the checkpoint in record ${at.seq} ${says}`,
        } as const;
        const wrong = cause === "changed" && checkpoint !== undefined ? checkpoint.through : at.seq;
        findings.again(cause, finding, wrong - 1);
        return undefined;
      }
      // About a record that is not there it says nothing of those that are: anybody can copy it into another log.
      if (memory.at(checkpoint.through) === undefined) {
        noteForgotten(checkpoint, soFar.first);
        return undefined;
      }
      const late = signers.lateFor(checkpoint);
      if (late !== undefined) {
        const says = `the checkpoint in record ${at.seq} ${late}`;
        findings.again("late", { kind: "checkpoint", ...at, says }, checkpoint.through);
      }
      count++;
      hold(checkpoint);
      // Who writes its record anew can write nothing else into it: that it stands right there vouches for it.
      if (checkpoint.through + 1 === at.seq) vouched = Math.max(vouched, at.seq);
      return checkpoint.log;
    },
    end(soFar) {
      const given = checkGiven(soFar);
      return {
        ...given,
        checkpoints: { count, through, signers: signers.list() },
        isAny: holding.size > 0 || checkpoints.length > 0,
        vouched: Math.max(vouched, through),
      };
    },
    forgotten: () => [...forgotten],
    learnt: () => signers.learnt(),
    signedUpTo: (seq) => signedAt.reduce((last, at) => (at <= seq ? Math.max(last, at) : last), 0),
  };
}

const anotherLog = "is of another log";

/** Which key or log it is belongs to no cause. */
const same = (says: string): readonly [string, string] => [says.split(" (", 1)[0] ?? "", says];

const text64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
