/** As few letters begin too much to tell what was meant. */
const shortestBeginning = 3;

/** The known name that a misspelt one was probably meant to be: at most two edits away, or one in three letters, or the only one that begins so. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(name.length / 3) + 1);
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best ?? onlyOneThatBegins(name, known);
}

function onlyOneThatBegins(name: string, known: readonly string[]): string | undefined {
  if (name.length < shortestBeginning) return undefined;
  const begun = known.filter((candidate) => candidate.toLowerCase().startsWith(name.toLowerCase()));
  return begun.length === 1 ? begun[0] : undefined;
}

/**
 * The route that a misspelt one was probably meant to be: the fewest edits away, over method and path. What parameters are called, whether one
 * was written, and what a request has in its place count only between routes that are as near. None where more than one letter in three would
 * have to change.
 */
export function nearestRoute(asked: string, keys: readonly string[]): string | undefined {
  const [best] = keys
    .map((key) => {
      const wanted = withoutValues(asked, key);
      const distance = editDistance(wanted, withoutParameters(key));
      return { key, wanted, distance, inFull: editDistance(asked, key) };
    })
    .filter(({ wanted, distance }) => distance <= Math.max(2, wanted.length / 3))
    .toSorted((one, other) => one.distance - other.distance || one.inFull - other.inFull);
  return best?.key;
}

const withoutParameters = (key: string): string => key.toLowerCase().replaceAll(/\/:[^/]*/g, "");

/** What was asked without the segments that stand where a route of as many has parameters. */
function withoutValues(asked: string, key: string): string {
  const parts = key.split("/");
  const segments = asked.split("/");
  const rest = segments.filter((_, index) => parts[index]?.startsWith(":") !== true);
  return withoutParameters((parts.length === segments.length ? rest : segments).join("/"));
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
