import type { Header } from "../contract/index.ts";

/** Headers for some paths of a host that has no list of paths but patterns. */
export interface Rule {
  /** A declared path; or, with {@link Rule.below}, what paths begin with: it ends with a slash. */
  readonly path: string;
  readonly below: boolean;
  /** With it, only paths below that end with it: `.txt`. */
  readonly ending?: string;
  readonly set: readonly Header[];
  /** Headers to be taken back before: of a rule above, or because these paths have none. */
  readonly unset: readonly string[];
}

/** A file, with the headers that the host must be told. */
export interface RuledFile {
  readonly path: string;
  readonly headers: readonly Header[];
}

/** What rules start from. */
export interface RuleOptions {
  /** Of paths that no rule names, above all of what is not there. Undefined: what most files have. */
  readonly defaults: readonly Header[] | undefined;
  /** Of what is not there below a folder with a 404 page of its own, by folder. Default: none has one. */
  readonly missingBelow?: ReadonlyMap<string, readonly Header[]>;
  /**
   * Whether a rule can take a header back. If it can't, defaults are only those that every file has; if it can, those that at least
   * half of them have: the others would need rules of their own.
   */
  readonly canUnset: boolean;
  /** Whether a rule can be for an ending, in all folders. */
  readonly canEnd: boolean;
}

/** A file, and what the rules so far give it. */
interface Entry {
  readonly path: string;
  readonly wanted: ReadonlyMap<string, string>;
  readonly given: Map<string, string>;
}

interface Folder {
  readonly path: string;
  readonly folders: Map<string, Folder>;
  readonly own: Entry[];
  readonly all: Entry[];
  /** Stands for what is not there. */
  missing: Entry | undefined;
}

/**
 * Finds few rules that give each file exactly its headers: the defaults for all, then a rule for each ending and each folder whose
 * files agree on something else, then one for each file that differs from these. Later rules refine earlier ones.
 */
export function planRules(files: readonly RuledFile[], options: RuleOptions): Rule[] {
  const plain = plan(files, options, []);
  if (!options.canEnd) return plain;
  const ended = plan(files, options, endingsOf(files));
  return ended.length < plain.length ? ended : plain;
}

function plan(files: readonly RuledFile[], options: RuleOptions, endings: readonly string[]): Rule[] {
  const inherited = defaultsOf(files, options);
  const entries = files.map(({ path, headers }): Entry => ({
    path,
    wanted: new Map(headers),
    given: new Map(inherited),
  }));
  const names = [...new Set(entries.flatMap(({ wanted }) => [...wanted.keys()])), ...inherited.keys()];
  const forEndings = endings.map((ending) => ({
    ...settle(
      entries.filter(({ path }) => path.endsWith(ending)),
      names,
    ),
    path: "/",
    below: true,
    ending,
  }));
  const nowhere = [...(options.missingBelow ?? [])].map(([path, headers]): Entry => ({
    path,
    wanted: new Map(headers),
    given: new Map(inherited),
  }));
  const rules = [...forEndings, ...refine(folderOf(entries, nowhere), names)];
  return [
    { path: "/", below: true, set: [...inherited], unset: [] },
    ...rules.filter(({ set, unset }) => set.length + unset.length > 0),
  ];
}

/** Headers that the host adds where nothing is said: taking one back would take the host's. */
const leftToHost = new Set(["content-type", "vary"]);

function defaultsOf(files: readonly RuledFile[], { defaults, canUnset }: RuleOptions): Map<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const [name, value] of files.flatMap(({ headers }) => headers)) {
    const values = counts.get(name) ?? new Map<string, number>();
    counts.set(name, values.set(value, (values.get(value) ?? 0) + 1));
  }
  const neededOf = (name: string): number =>
    canUnset && !leftToHost.has(name) ? files.length / 2 : files.length;
  const found = new Map<string, string>();
  for (const [name, values] of counts) {
    const [[common, count] = ["", 0]] = [...values].sort(([, left], [, right]) => right - left);
    const having = [...values.values()].reduce((sum, some) => sum + some, 0);
    const given = defaults?.find(([other]) => other === name)?.[1];
    if (having < neededOf(name)) continue;
    if (given !== undefined) found.set(name, given);
    else if (defaults === undefined || count === files.length) found.set(name, common);
  }
  return found;
}

/** Endings that more than one file has. */
function endingsOf(files: readonly RuledFile[]): string[] {
  const counts = new Map<string, number>();
  for (const { path } of files) {
    const ending = /\.[a-z0-9]+$/.exec(path)?.[0];
    if (ending !== undefined) counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > 1).map(([ending]) => ending);
}

function folderOf(entries: readonly Entry[], nowhere: readonly Entry[]): Folder {
  const emptyFolder = (path: string): Folder => ({
    path,
    folders: new Map(),
    own: [],
    all: [],
    missing: undefined,
  });
  const root = emptyFolder("/");
  const enter = (entry: Entry): Folder => {
    let folder = root;
    folder.all.push(entry);
    for (const segment of entry.path.slice(1).split("/").slice(0, -1)) {
      const next = folder.folders.get(segment) ?? emptyFolder(`${folder.path}${segment}/`);
      folder.folders.set(segment, next);
      next.all.push(entry);
      folder = next;
    }
    return folder;
  };
  for (const entry of entries) enter(entry).own.push(entry);
  for (const entry of nowhere) enter(entry).missing = entry;
  return root;
}

function refine(folder: Folder, names: readonly string[]): Rule[] {
  const agreed = folder.missing === undefined ? folder.all : [folder.missing];
  const shared =
    folder.path === "/" || folder.all.length === 1
      ? []
      : [{ ...settle(folder.all, names, agreed), path: folder.path, below: true }];
  const single = folder.own.map((entry) => ({ ...settle([entry], names), path: entry.path, below: false }));
  return [...shared, ...single, ...[...folder.folders.values()].flatMap((below) => refine(below, names))];
}

/** What a rule must say so that these files have what those that are asked all want; after it they have it. */
function settle(
  entries: readonly Entry[],
  names: readonly string[],
  asked = entries,
): Pick<Rule, "set" | "unset"> {
  const set: Header[] = [];
  const unset: string[] = [];
  for (const name of names) {
    const value = asked[0]?.wanted.get(name);
    if (!asked.every(({ wanted }) => wanted.get(name) === value)) continue;
    if (asked.every(({ given }) => given.get(name) === value)) continue;
    if (entries.some(({ given }) => given.has(name))) unset.push(name);
    if (value !== undefined) set.push([name, value]);
    for (const { given } of entries) {
      if (value === undefined) given.delete(name);
      else given.set(name, value);
    }
  }
  return { set, unset };
}

/** Which headers need most of the rules, for an error: `content-security-policy (240), link (3)`. */
export function ruleCounts(rules: readonly Rule[]): string {
  const counts = new Map<string, number>();
  for (const { set, unset } of rules)
    for (const name of new Set([...set.map(([header]) => header), ...unset]))
      counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > 1)
    .sort(([, left], [, right]) => right - left)
    .slice(0, 3)
    .map(([name, count]) => `${name} (${count})`)
    .join(", ");
}
