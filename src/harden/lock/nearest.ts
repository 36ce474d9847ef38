import { diffLines } from "./diff.ts";
import { cutInto, keptSections } from "./sections.ts";
import type { Section } from "./sections.ts";
import type { LockedScript, PendingScript, ScriptKind } from "./types.ts";

/** Below this there is no point in a comparison. */
const leastLikeness = 0.3;

/** The entry of a lock that has most in common with a script, if that is more than a little, and what changed since. */
export function nearestOf(
  kind: ScriptKind,
  lines: readonly string[],
  locked: readonly LockedScript[],
): PendingScript["nearest"] {
  const cuts = createCuts(lines);
  let best: { script: LockedScript; likeness: number } | undefined;
  for (const script of locked) {
    if (script.kind !== kind || (script.code ?? script.sections) === undefined) continue;
    const likeness = likenessOf(script, cuts);
    if (likeness > (best?.likeness ?? leastLikeness)) best = { script, likeness };
  }
  if (best === undefined) return undefined;
  const { divisor, before } = keptSections(best.script);
  return { id: best.script.id, diff: diffLines(before, cuts.sections(divisor)) };
}

/** A script's lines, as different entries cut them; each way is found once. */
interface Cuts {
  sections(divisor: number): readonly Section[];
  readonly words: ReadonlySet<string>;
}

function createCuts(lines: readonly string[]): Cuts {
  const known = new Map<number, readonly Section[]>();
  return {
    words: wordsOf(lines),
    sections(divisor) {
      const sections = known.get(divisor) ?? cutInto(lines, divisor);
      known.set(divisor, sections);
      return sections;
    },
  };
}

/** From 0 to 1. Short scripts often have not one line in common with what they were, so their words count as well. */
function likenessOf(script: LockedScript, cuts: Cuts): number {
  const { divisor, before } = keptSections(script);
  const after = cuts.sections(divisor);
  const common = commonCount(
    before.map(({ key }) => key),
    after.map(({ key }) => key),
  );
  const words = wordsOf(script.code ?? []);
  return Math.max(
    common / Math.max(1, before.length, after.length),
    words.intersection(cuts.words).size / Math.max(1, words.union(cuts.words).size),
  );
}

function commonCount(before: readonly string[], after: readonly string[]): number {
  const left = new Map<string, number>();
  for (const key of before) left.set(key, (left.get(key) ?? 0) + 1);
  let common = 0;
  for (const key of after) {
    const count = left.get(key) ?? 0;
    if (count > 0) common++;
    left.set(key, count - 1);
  }
  return common;
}

const wordsOf = (lines: readonly string[]): Set<string> => new Set(lines.join("\n").match(/[\w$]+/g));
