/** Tells whether a path matches a pattern: `*` stands for anything but `/`, `**` for anything. */
export function matchesPath(pattern: string, path: string): boolean {
  return matchesFrom(pattern.replace(/^\/+/, ""), path.replace(/^\/+/, ""));
}

/** All places that the pattern reaches so far at once: no exponential search. */
function matchesFrom(pattern: string, path: string): boolean {
  let reached = new Set([0]);
  for (let at = 0; at < pattern.length; at++) {
    const deep = pattern.startsWith("**", at);
    if (pattern[at] === "*") {
      reached = spread(reached, path, deep);
      if (deep) at++;
    } else {
      reached = new Set(
        [...reached].filter((index) => path[index] === pattern[at]).map((index) => index + 1),
      );
    }
    if (reached.size === 0) return false;
  }
  return reached.has(path.length);
}

function spread(reached: ReadonlySet<number>, path: string, deep: boolean): Set<number> {
  const further = new Set<number>();
  for (const start of reached) {
    for (let index = start; index <= path.length && !further.has(index); index++) {
      further.add(index);
      if (!deep && path[index] === "/") break;
    }
  }
  return further;
}
