/** In characters, of each of the two. */
const maxShown = 120;
/** What is shown before the first difference. */
const before = 20;

/**
 * Cuts two texts of which one took the other's place, so that what is left shows where they differ: of policies the sources that only one
 * has, each with its directive; of others a piece from shortly before the first difference.
 */
export function differingParts(
  name: string,
  expected: string,
  actual: string,
): readonly [expected: string, actual: string] {
  const parts = name.startsWith("content-security-policy") ? differingSources(expected, actual) : undefined;
  const [left, right] = parts ?? [expected, actual];
  const at = firstDifference(left, right);
  return [piece(left, at), piece(right, at)];
}

/** Undefined if the two say the same in another order, or one is no policy. */
function differingSources(expected: string, actual: string): readonly [string, string] | undefined {
  const [left, right] = [parse(expected), parse(actual)];
  const parts = [only(left, right), only(right, left)] as const;
  return parts[0] === "" && parts[1] === "" ? undefined : parts;
}

function parse(policy: string): Map<string, string[]> {
  const directives = policy.split(";").map((directive) => directive.trim().split(/\s+/));
  return new Map(directives.flatMap(([name = "", ...sources]) => (name === "" ? [] : [[name, sources]])));
}

function only(
  of: ReadonlyMap<string, readonly string[]>,
  other: ReadonlyMap<string, readonly string[]>,
): string {
  return [...of]
    .flatMap(([name, sources]) => {
      const known = other.get(name);
      const own = sources.filter((source) => known?.includes(source) !== true);
      return own.length === 0 && known !== undefined ? [] : [[name, ...own].join(" ")];
    })
    .join("; ");
}

function firstDifference(left: string, right: string): number {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  return at;
}

function piece(text: string, at: number): string {
  const from = text.length <= maxShown ? 0 : Math.max(0, at - before);
  const end = from + maxShown;
  return `${from > 0 ? "…" : ""}${text.slice(from, end)}${end < text.length ? "…" : ""}`;
}
