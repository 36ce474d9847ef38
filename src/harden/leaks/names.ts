import { privateKind } from "../../shared/index.ts";
import type { PrivateKind } from "../../shared/index.ts";
import type { LeakRule } from "./types.ts";

interface NameRule {
  readonly rule: LeakRule;
  readonly level: "hit" | "note";
  readonly what: string;
  readonly hint: string;
  readonly matches: (name: string, folders: readonly string[]) => boolean;
}

const takeOut =
  "Take it out of what is published, and change every secret in it: it may have been fetched already";

/** Endings that more than one rule asks for; names are lower case here. */
const ends =
  (...endings: string[]) =>
  (name: string): boolean =>
    endings.some((ending) => name.endsWith(ending));

const inFolder =
  (...names: string[]) =>
  (_: string, folders: readonly string[]): boolean =>
    folders.some((folder) => names.includes(folder));

const notBuilt = "Publish the build's output, not the folder that it is built in";

/** What is private for builds too; the list of names is theirs as well. */
const secrets: Readonly<Record<PrivateKind, Omit<NameRule, "matches">>> = {
  environment: { rule: "private-file", level: "hit", what: "an environment file", hint: takeOut },
  history: {
    rule: "private-file",
    level: "hit",
    what: "a part of a version control's folder, or a history",
    hint: notBuilt,
  },
  key: { rule: "private-file", level: "hit", what: "a key file", hint: takeOut },
  credentials: { rule: "private-file", level: "hit", what: "a file of credentials", hint: takeOut },
  state: {
    rule: "private-file",
    level: "hit",
    what: "state of this platform",
    hint: "Publish the release, not the folder .curtainwall",
  },
};

const rules: readonly NameRule[] = [
  {
    rule: "private-file",
    level: "hit",
    what: "an installed package",
    hint: notBuilt,
    matches: inFolder("node_modules", "bower_components", ".venv", "__pycache__"),
  },
  {
    rule: "database",
    level: "hit",
    what: "a database",
    hint: "Take it out of what is published; answer from it through an API",
    matches: (name) =>
      /\.(?:sqlite3?|db3?|mdb|accdb|frm|ibd|dump)(?:-wal|-shm|-journal)?$/.test(name) ||
      /(?:^|[._-])(?:dump|backup)\.sql$|\.sql\.(?:gz|zip|bz2|xz|zst)$/.test(name),
  },
  {
    rule: "editor-litter",
    level: "hit",
    what: "a copy that an editor or a merge left",
    hint: "Delete it, and clear the output folder before each build",
    matches: (name) =>
      /~$|^#.*#$|^\.#/.test(name) || ends(".swp", ".swo", ".bak", ".orig", ".rej", ".save")(name),
  },
  {
    rule: "editor-litter",
    level: "hit",
    what: "what a system or an editor keeps for itself",
    hint: "Delete it, and clear the output folder before each build",
    matches: (name, folders) =>
      /^(?:\.ds_store|thumbs\.db|desktop\.ini)$/.test(name) || inFolder(".idea", ".vscode")(name, folders),
  },
];

/** What a file's name alone tells against it. */
export function judgeName(path: string): Omit<NameRule, "matches"> | undefined {
  const kind = privateKind(path);
  if (kind !== undefined) return secrets[kind];
  const parts = path.toLowerCase().split("/");
  const name = parts.at(-1) ?? "";
  return rules.find((rule) => rule.matches(name, parts.slice(0, -1)));
}
