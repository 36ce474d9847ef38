import type { Lock, LockedScript } from "./types.ts";

/** The first line that says what this file is. */
export const lockFormat = "curtainwall-lock 1";

/** A lock with nothing in it. */
export const emptyLock: Lock = { scripts: [], permissions: [] };

/**
 * Writes a lock: JSON, one line an entry, sorted, each with its comma, so that a merge of two branches that both added entries is a lock
 * again.
 */
export function writeLock({ scripts, permissions }: Lock): string {
  return [
    "{",
    `"format": ${JSON.stringify(lockFormat)},`,
    `"scripts": [`,
    ...scripts
      .toSorted((left, right) => compare(keyOf(left), keyOf(right)))
      .map((script) => `${JSON.stringify(ordered(script))},`),
    "null],",
    `"permissions": [`,
    ...permissions
      .map((entry) => JSON.stringify(entry))
      .sort()
      .map((line) => `${line},`),
    "null]",
    "}",
    "",
  ].join("\n");
}

/** What no two entries have in common. */
export function keyOf({ site, id }: Pick<LockedScript, "site" | "id">): string {
  return `${site}\n${id}`;
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

function ordered(script: LockedScript): Record<string, unknown> {
  const { site, id, kind, url, integrity, seen, recorded, approved, reason, code, sections } = script;
  return {
    site,
    id,
    kind,
    url,
    integrity,
    seen,
    recorded,
    approved,
    reason,
    code,
    sections: sections?.join(" "),
  };
}
