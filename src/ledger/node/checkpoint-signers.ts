import type { Checkpoint } from "../checkpoint.ts";
import type { LogSigner } from "../verdict.ts";
import { isSigned } from "./checkpoint-signature.ts";

/** Follows which keys sign a log, one after the other. */
export interface CheckpointSigners {
  /** Says why a signature does not count, as what follows "the checkpoint". One that was kept elsewhere may be of a key that was given up since. */
  problemOf(checkpoint: Checkpoint, from: "log" | "elsewhere"): string | undefined;
  /**
   * Says of a vault's checkpoint in the log that a key which it took the place of signed more than it before it came, as what follows "the
   * checkpoint": the log has them in order, so somebody who has that key kept it back.
   */
  lateFor(checkpoint: Checkpoint): string | undefined;
  /** Takes note of one that holds. */
  held(checkpoint: Checkpoint): void;
  /** Whether it is one that may sign. */
  isKnown(key: string): boolean;
  /** Takes note of what a key that is not known says of the one before it: it counts once a key that may sign vouches for the first. */
  vouches(checkpoint: Checkpoint): void;
  /**
   * Keys that signed before those which may, one before the other, as these and those say, and that were not known to: another reading takes
   * them too. Whoever says so of another is judged in that reading himself: his checkpoint holds there, or it is a finding.
   */
  learnt(): readonly string[];
  list(): readonly LogSigner[];
}

/** What somebody knows of a log who did not get it from there. */
export interface Outside {
  readonly checkpoints: readonly Checkpoint[];
  /** Keys that may sign, as they were given. */
  readonly named: readonly string[];
}

/** What a signature is whose key may not sign. */
export const anotherKey = "is signed with another key";

/** Signatures of keys that nobody knows that are looked at, so that no log takes long; a log whose key changed more often than that is not made. */
const mostVouchings = 10_000;

/**
 * Keys that are followed where any may sign. No log is made whose key changed more often, and whoever writes one anew has as many keys as he
 * likes.
 */
const mostSigners = 1000;

/**
 * @param keys those that may sign; undefined: any
 * @param outside what was kept elsewhere: a key that the vault took over from signs nothing beyond it, whatever the log says, unless it was
 *   named itself
 */
export function createCheckpointSigners(
  keys: readonly string[] | undefined,
  { checkpoints: outside = [], named: given = [] }: Partial<Outside> = {},
): CheckpointSigners {
  const signers = new Map<string, LogSigner>();
  const givenUp = new Set<string>();
  /** Supervisors' keys that signed, and that no vault's took the place of yet. */
  const present = new Set<string>();
  const endedBy = new Map<string, number>();
  for (const { key, holder, after, through } of outside.filter((one) => isSigned(one)))
    if (after !== undefined && holder === "vault" && keys?.includes(key) === true && !given.includes(after))
      endedBy.set(after, Math.min(through, endedBy.get(after) ?? Infinity));
  const known = keys === undefined ? undefined : new Set(keys);
  const isKnown = (key: string): boolean => known === undefined || known.has(key);
  const earlier = new Map<string, Set<string>>();
  let looked = 0;

  function note(key: string, before: string): void {
    const all = earlier.get(key);
    if (all === undefined) earlier.set(key, new Set([before]));
    else all.add(before);
  }

  return {
    isKnown,
    problemOf(checkpoint, from) {
      const { key } = checkpoint;
      if (!isKnown(key)) return `${anotherKey} (${key})`;
      if (known === undefined && signers.size >= mostSigners && !signers.has(key))
        return `is signed with one key more than the ${mostSigners.toLocaleString("en")} that are followed (${key})`;
      if (!isSigned(checkpoint)) return "is not signed with the key that it names";
      const isOver = givenUp.has(key) || checkpoint.through > (endedBy.get(key) ?? Infinity);
      return from === "log" && isOver
        ? `is signed with a key that was given up for the vault's (${key})`
        : undefined;
    },
    lateFor({ after, through, holder }) {
      if (after === undefined || holder !== "vault") return undefined;
      const beyond = [after, ...present]
        .map((one) => signers.get(one))
        .find((one) => one !== undefined && one.holder !== "vault" && one.through > through);
      return beyond === undefined
        ? undefined
        : `took the place of a key up to record ${through}, which signed up to record ${beyond.through} before it came (${beyond.key})`;
    },
    held({ key, after, through, holder = "supervisor" }) {
      const before = signers.get(key);
      const signer = {
        key,
        holder: before?.holder ?? holder,
        through: Math.max(before?.through ?? 0, through),
      };
      signers.set(key, signer);
      if (signer.holder !== "vault" && !givenUp.has(key)) present.add(key);
      if (after === undefined) return;
      note(key, after);
      if (holder !== "vault") return;
      // The supervisor's file is removed then, and what it had before counts no more either. A vault's key lies in its store, and may be the one again.
      for (const one of [after, ...present]) if (signers.get(one)?.holder !== "vault") givenUp.add(one);
      present.clear();
    },
    vouches(checkpoint) {
      const { key, after } = checkpoint;
      if (after === undefined || earlier.get(key)?.has(after) === true || looked >= mostVouchings) return;
      looked++;
      if (isSigned(checkpoint)) note(key, after);
    },
    learnt: () => (keys === undefined ? [] : keysBefore(keys, earlier)),
    list: () => [...signers.values()],
  };
}

/** All keys that come before these, each by the one after it, without these. */
function keysBefore(keys: readonly string[], earlier: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const all = new Set(keys);
  // What is added while a set is gone through is come to as well.
  for (const key of all) for (const before of earlier.get(key) ?? []) all.add(before);
  return [...all].slice(new Set(keys).size);
}
