import type { Header } from "../contract/index.ts";

/** Headers for some paths of a host that has no list of paths but patterns. */
export interface Rule {
  /** A declared path; or, with {@link Rule.below}, what paths begin with: it ends with a slash. */
  readonly path: string;
  readonly below: boolean;
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
  /** Of paths that no rule names, above all of what is not there. */
  readonly defaults: readonly Header[];
  /**
   * Whether a rule can take a header back. If it can't, defaults are only those that every file has; if it can, those that at least
   * half of them have: the others would need rules of their own.
   */
  readonly canUnset: boolean;
}

interface Folder {
  readonly path: string;
  readonly folders: Map<string, Folder>;
  readonly files: RuledFile[];
  /** By header, the value that all files below have (undefined: none has it); absent when they differ. */
  readonly uniform: Map<string, string | undefined>;
  count: number;
}

/**
 * Finds few rules that give each file exactly its headers: the defaults for all, then a rule for each folder whose files
 * agree on something else, then one for each file that differs from its folder. Later rules refine earlier ones.
 */
export function planRules(files: readonly RuledFile[], { defaults, canUnset }: RuleOptions): Rule[] {
  const names = [...new Set([...files.flatMap(headerNames), ...defaults.map(([name]) => name)])];
  const root = folderOf(files);
  summarise(root, names);
  const having = countNames(files);
  const needed = canUnset ? files.length / 2 : files.length;
  const inherited = new Map(defaults.filter(([name]) => (having.get(name) ?? 0) >= needed));
  for (const name of names) {
    const value = root.uniform.get(name);
    if (value !== undefined && (!inherited.has(name) || !canUnset)) inherited.set(name, value);
  }
  return [
    { path: "/", below: true, set: [...inherited], unset: [] },
    ...refine(root, inherited, names).filter(({ set, unset }) => set.length + unset.length > 0),
  ];
}

const headerNames = (file: RuledFile): string[] => file.headers.map(([name]) => name);

function countNames(files: readonly RuledFile[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of files.flatMap(headerNames)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function folderOf(files: readonly RuledFile[]): Folder {
  const root = emptyFolder("/");
  for (const file of files) {
    let folder = root;
    folder.count++;
    for (const segment of file.path.slice(1).split("/").slice(0, -1)) {
      let next = folder.folders.get(segment);
      if (next === undefined) {
        next = emptyFolder(`${folder.path}${segment}/`);
        folder.folders.set(segment, next);
      }
      folder = next;
      folder.count++;
    }
    folder.files.push(file);
  }
  return root;
}

const emptyFolder = (path: string): Folder => ({
  path,
  folders: new Map(),
  files: [],
  uniform: new Map(),
  count: 0,
});

function summarise(folder: Folder, names: readonly string[]): void {
  for (const below of folder.folders.values()) summarise(below, names);
  const files = folder.files.map((file) => new Map<string, string | undefined>(file.headers));
  for (const name of names) {
    const below = [...folder.folders.values()].map(({ uniform }) =>
      uniform.has(name) ? { value: uniform.get(name) } : undefined,
    );
    const values = [...files.map((headers) => ({ value: headers.get(name) })), ...below];
    const [first] = values;
    if (first !== undefined && values.every((value) => value !== undefined && value.value === first.value))
      folder.uniform.set(name, first.value);
  }
}

function refine(folder: Folder, above: ReadonlyMap<string, string>, names: readonly string[]): Rule[] {
  const inherited = new Map(above);
  const rules: Rule[] = [];
  if (folder.path !== "/" && folder.count > 1) {
    const own = new Map<string, string | undefined>(
      names.map((name) => [name, folder.uniform.has(name) ? folder.uniform.get(name) : above.get(name)]),
    );
    rules.push(difference(folder.path, true, above, own));
    for (const [name, value] of own) {
      if (value === undefined) inherited.delete(name);
      else inherited.set(name, value);
    }
  }
  for (const file of folder.files) {
    const own = new Map(file.headers);
    const whole = new Map(names.map((name) => [name, own.get(name)]));
    rules.push(difference(file.path, false, inherited, whole));
  }
  return [...rules, ...[...folder.folders.values()].flatMap((below) => refine(below, inherited, names))];
}

function difference(
  path: string,
  below: boolean,
  inherited: ReadonlyMap<string, string>,
  own: ReadonlyMap<string, string | undefined>,
): Rule {
  const changed = [...own].filter(([name, value]) => inherited.get(name) !== value);
  return {
    path,
    below,
    set: changed.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    unset: changed.flatMap(([name]) => (inherited.has(name) ? [name] : [])),
  };
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
