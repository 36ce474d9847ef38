/** What {@link isAffected} needs of a vulnerability: half-open ranges, as the feed writes them. */
export interface VersionRange {
  readonly atOrAbove: string | undefined;
  readonly below: string | undefined;
}

/** Tells whether a version lies in a range. */
export function isAffected(version: string, { atOrAbove, below }: VersionRange): boolean {
  if (atOrAbove !== undefined && compareVersions(version, atOrAbove) < 0) return false;
  return below === undefined || compareVersions(version, below) < 0;
}

/**
 * Orders versions as library authors mean them: numbers by value, a missing part is 0, and a part with letters (`beta2`) comes before the
 * release that it leads to.
 */
export function compareVersions(left: string, right: string): number {
  const leftParts = partsOf(left);
  const rightParts = partsOf(right);
  for (let index = 0; index < Math.max(leftParts.length, rightParts.length); index++) {
    const order = compareParts(leftParts[index] ?? 0, rightParts[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** `1.9.0b1` is 1, 9, 0, b, 1; a `v` before it and build metadata after it say nothing. */
function partsOf(version: string): (number | string)[] {
  const plain = version.replace(/^v/i, "").replace(/\+.*$/, "");
  return Array.from(plain.matchAll(/\d{1,15}|[A-Za-z]+/g), ([part]) =>
    /\d/.test(part) ? Number(part) : part.toLowerCase(),
  );
}

function compareParts(left: number | string, right: number | string): number {
  if (typeof left === typeof right) return left < right ? -1 : left > right ? 1 : 0;
  return typeof left === "string" ? -1 : 1;
}
