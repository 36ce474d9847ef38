import type { DiffLine } from "./types.ts";

/** More comparisons than these are not made: what lies between equal ends is then shown as changed as a whole. */
const maxComparisons = 4_000_000;

/**
 * Compares two lists by their keys and shows the difference with two lines around each change.
 *
 * @param before keys, and texts where they are known
 */
export function diffLines(
  before: readonly { readonly key: string; readonly text: string | undefined }[],
  after: readonly { readonly key: string; readonly text: string }[],
  around = 2,
): DiffLine[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start]?.key === after[start]?.key) start++;
  let [endBefore, endAfter] = [before.length, after.length];
  while (endBefore > start && endAfter > start && before[endBefore - 1]?.key === after[endAfter - 1]?.key) {
    endBefore--;
    endAfter--;
  }
  const same = (line: { readonly text: string }): DiffLine => ({ sign: " ", text: line.text });
  const whole = [
    ...after.slice(0, start).map(same),
    ...middle(before.slice(start, endBefore), after.slice(start, endAfter)),
    ...after.slice(endAfter).map(same),
  ];
  return shorten(whole, around);
}

function middle(
  before: readonly { readonly key: string; readonly text: string | undefined }[],
  after: readonly { readonly key: string; readonly text: string }[],
): DiffLine[] {
  const gone = (line: { readonly text: string | undefined }): DiffLine => ({
    sign: "-",
    text: line.text ?? "(code that the lock does not hold)",
  });
  const added = (line: { readonly text: string }): DiffLine => ({ sign: "+", text: line.text });
  if (before.length * after.length > maxComparisons) return [...before.map(gone), ...after.map(added)];
  const lengths = commonLengths(before, after);
  const at = (i: number, j: number): number => lengths[i * (after.length + 1) + j] ?? 0;
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [left, right] = [before[i], after[j]];
    if (left !== undefined && right !== undefined && left.key === right.key) {
      lines.push({ sign: " ", text: right.text });
      i++;
      j++;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(gone(left));
      i++;
    } else if (right !== undefined) {
      lines.push(added(right));
      j++;
    }
  }
  return lines;
}

/** For every pair of ends, how many entries the rests have in common, in order. */
function commonLengths(
  before: readonly { readonly key: string }[],
  after: readonly { readonly key: string }[],
): Uint32Array {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        before[i]?.key === after[j]?.key
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
  return lengths;
}

/** Keeps changes and what stands near them. */
function shorten(lines: readonly DiffLine[], around: number): DiffLine[] {
  const near = new Set<number>();
  for (const [index, { sign }] of lines.entries())
    if (sign !== " ") for (let other = index - around; other <= index + around; other++) near.add(other);
  const kept: DiffLine[] = [];
  let skipped = 0;
  const skip = (): void => {
    if (skipped > 0) kept.push({ sign: "…", text: `${skipped} lines as before` });
    skipped = 0;
  };
  for (const [index, line] of lines.entries()) {
    if (near.has(index)) {
      skip();
      kept.push(line);
    } else skipped++;
  }
  skip();
  return kept;
}
