/** The scripts of a site by what of their names a bundler writes into other scripts. */
export interface ScriptNames {
  /** Paths of the scripts that a text names, sorted. */
  in(text: string): readonly string[];
}

/** Creates the look-up of a site's scripts. A script is named by its file name, or by a part of it that may be a hash. */
export function scriptNames(paths: readonly string[]): ScriptNames {
  const byName = new Map<string, string[]>();
  const add = (name: string, path: string): void => {
    const list = byName.get(name);
    if (list === undefined) byName.set(name, [path]);
    else list.push(path);
  };
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (!/\.m?js$/.test(name)) continue;
    add(name, path);
    for (const part of name.split(".").slice(0, -1))
      if (part.length >= 8 && /\d|[a-z][A-Z]|[A-Z]{2}/.test(part)) add(part, path);
  }
  return {
    in(text) {
      if (byName.size === 0) return [];
      const found = new Set<string>();
      for (const [word] of text.matchAll(/[\w@~.-]{4,}/g)) {
        for (const path of byName.get(word) ?? []) found.add(path);
        if (word.includes("."))
          for (const part of word.split(".")) for (const path of byName.get(part) ?? []) found.add(path);
      }
      return [...found].sort();
    },
  };
}
