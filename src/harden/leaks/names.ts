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

const rules: readonly NameRule[] = [
  {
    rule: "private-file",
    level: "hit",
    what: "an environment file",
    hint: takeOut,
    matches: (name) => /^\.env(?:$|[.\-_~])|\.env$|^\.envrc$|^\.dev\.vars/.test(name),
  },
  {
    rule: "private-file",
    level: "hit",
    what: "a part of a version control's folder",
    hint: "Publish the build's output, not the folder that it is built in",
    matches: (name, folders) =>
      inFolder(".git", ".svn", ".hg", ".bzr")(name, folders) || /^\.(?:git|gitmodules)$/.test(name),
  },
  {
    rule: "private-file",
    level: "hit",
    what: "a key file",
    hint: takeOut,
    matches: (name) =>
      /^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/.test(name) ||
      ends(".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".asc.key")(name),
  },
  {
    rule: "private-file",
    level: "hit",
    what: "a file of credentials",
    hint: takeOut,
    matches: (name, folders) =>
      /^\.(?:npmrc|pypirc|netrc|pgpass|htpasswd|git-credentials|dockercfg|yarnrc\.yml)$/.test(name) ||
      inFolder(".ssh", ".aws", ".gnupg", ".kube", ".docker")(name, folders) ||
      ends(".tfstate", ".tfstate.backup", ".tfvars")(name),
  },
  {
    rule: "private-file",
    level: "hit",
    what: "state of this platform",
    hint: "Publish the release, not the folder .curtainwall",
    matches: inFolder(".curtainwall"),
  },
  {
    rule: "private-file",
    level: "hit",
    what: "an installed package",
    hint: "Publish the build's output, not the folder that it is built in",
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
  const parts = path.toLowerCase().split("/");
  const name = parts.at(-1) ?? "";
  return rules.find((rule) => rule.matches(name, parts.slice(0, -1)));
}
