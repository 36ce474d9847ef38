import type { Checkpoint } from "../checkpoint.ts";
import type { LogSigner } from "../verdict.ts";
import { isSigned } from "./checkpoint-signature.ts";

/** Follows which keys sign a log, one after the other. */
export interface CheckpointSigners {
  /** Says why a signature does not count, as what follows "the checkpoint". One that was kept elsewhere may be of a key that was given up since. */
  problemOf(checkpoint: Checkpoint, from: "log" | "elsewhere"): string | undefined;
  /** Takes note of one that holds. */
  held(checkpoint: Checkpoint): void;
  /** Keys that those which may sign say signed before them, and that were not known to: a second reading takes them too. */
  learnt(): readonly string[];
  list(): readonly LogSigner[];
}

/** What somebody knows of a log who did not get it from there. */
export interface Outside {
  readonly checkpoints: readonly Checkpoint[];
  /** Keys that may sign, as they were given. */
  readonly named: readonly string[];
}

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
  const endedBy = new Map<string, number>();
  for (const { key, holder, after, through } of outside.filter((one) => isSigned(one)))
    if (after !== undefined && holder === "vault" && keys?.includes(key) === true && !given.includes(after))
      endedBy.set(after, Math.min(through, endedBy.get(after) ?? Infinity));
  const named = new Set<string>();
  return {
    problemOf(checkpoint, from) {
      const { key } = checkpoint;
      if (keys !== undefined && !keys.includes(key)) return `is signed with another key (${key})`;
      if (!isSigned(checkpoint)) return "is not signed with the key that it names";
      const isOver = givenUp.has(key) || checkpoint.through > (endedBy.get(key) ?? Infinity);
      return from === "log" && isOver
        ? `is signed with a key that was given up for the vault's (${key})`
        : undefined;
    },
    held({ key, after, through, holder = "supervisor" }) {
      const known = signers.get(key);
      signers.set(key, {
        key,
        holder: known?.holder ?? holder,
        through: Math.max(known?.through ?? 0, through),
      });
      if (after === undefined) return;
      named.add(after);
      // The supervisor's file is removed then. A vault's key lies in its store, and may be the one again.
      if (holder === "vault" && signers.get(after)?.holder !== "vault") givenUp.add(after);
    },
    learnt: () => (keys === undefined ? [] : [...named].filter((key) => !keys.includes(key))),
    list: () => [...signers.values()],
  };
}
