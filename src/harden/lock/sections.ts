import type { LockedScript } from "./types.ts";

/** Scripts up to this length, data left out, stand in the lock as they are: who reviews it reads them there. In characters. */
const maxCodeLength = 2_000;
/** A longer one is told apart by about as many sections at most. */
const maxSections = 120;

/** A piece of a script: its lines, and a key that tells it from others. */
export interface Section {
  readonly key: string;
  readonly text: string;
}

/** What a lock keeps of a script, so that a later version of it can be compared. */
export type KeptCode = Pick<LockedScript, "code" | "sections">;

/** Chooses what the lock keeps of a script's lines: all of them, or of a long one what tells its sections apart. */
export function keepCode(lines: readonly string[]): KeptCode {
  const length = lines.reduce((sum, line) => sum + line.length, 0);
  if (length <= maxCodeLength) return { code: lines };
  const divisor = divisorFor(lines.length);
  return { sections: [`${divisor}`, ...sectionsOf(lines, divisor).map(({ key }) => key)] };
}

/** What a lock kept of a script, in pieces that can be compared; `divisor` says how to cut another one alike, 0 that it is in lines. */
export function keptSections({ code, sections }: KeptCode): {
  readonly divisor: number;
  readonly before: readonly { readonly key: string; readonly text: string | undefined }[];
} {
  if (sections === undefined)
    return { divisor: 0, before: (code ?? []).map((line) => ({ key: line, text: line })) };
  const [divisor, ...keys] = sections;
  return { divisor: Number(divisor) || 1, before: keys.map((key) => ({ key, text: undefined })) };
}

/** Cuts a script's lines as an entry's were cut. */
export function cutInto(lines: readonly string[], divisor: number): readonly Section[] {
  return divisor === 0 ? lines.map((line) => ({ key: line, text: line })) : sectionsOf(lines, divisor);
}

const divisorFor = (lines: number): number => Math.max(1, Math.ceil(lines / maxSections));

/**
 * Cuts lines into sections where a line's own hash says so: a line that is added moves no other section's edges. The keys need not
 * withstand anybody: what is approved is decided by the script's digest.
 */
function sectionsOf(lines: readonly string[], divisor: number): Section[] {
  const sections: Section[] = [];
  let from = 0;
  for (const [index, line] of lines.entries()) {
    if (hash32(line) % divisor !== 0 && index < lines.length - 1) continue;
    const text = lines.slice(from, index + 1).join("\n");
    sections.push({ key: hash32(text).toString(16).padStart(8, "0"), text });
    from = index + 1;
  }
  return sections;
}

/** FNV-1a, mixed: its lowest bits alone are poor. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}
