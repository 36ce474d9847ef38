import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mutant } from "./mutants.ts";

/** A copy of the repository that faults are planted in: a repository of its own, so that what looks at git sees one. */
export interface Tree {
  readonly folder: string;
  /** The example in it. */
  readonly bakery: string;
  /** Names its contents. */
  readonly digest: string;
  /** Plants a fault, and commits it as somebody who made it would. */
  plant(mutant: Mutant): void;
  /** Makes it what it was. What git ignores stays. */
  restore(): void;
}

/** What the stack, its example and the audit are made of. */
const parts = [
  "src",
  "examples/bakery",
  "tools",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  ".gitignore",
];

/** Copies what lies in the work tree of `root`, changes included; with `commit`, what was committed there. */
export function makeTree(root: string, folder: string, commit: string | undefined): Tree {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (commit === undefined) copyFiles(root, folder, listFiles(root, parts));
  else {
    const archive = execFileSync("git", ["archive", commit, ...parts], { cwd: root, maxBuffer: 2 ** 30 });
    execFileSync("tar", ["-x", "-C", folder], { input: archive });
    // What runs in the tree is part of this program, whatever was committed.
    copyFiles(root, folder, listFiles(root, ["tools/mutate"]));
  }
  linkPackages(root, folder);
  const git = (...parameters: string[]): string =>
    execFileSync("git", [...asNobody, ...parameters], {
      cwd: folder,
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  git("init", "-q", "-b", "main", "--template=");
  git("add", "-A");
  git("commit", "-q", "-m", "Clean");
  const clean = git("rev-parse", "HEAD");
  return {
    folder,
    bakery: join(folder, "examples/bakery"),
    // Of this program itself no outcome depends.
    digest: git("rev-parse", "HEAD:src", "HEAD:examples/bakery").replace("\n", " "),
    plant(mutant) {
      git("apply", "--index", mutant.file);
      git("commit", "-q", "-m", mutant.fault);
    },
    restore() {
      git("reset", "-q", "--hard", clean);
      git("clean", "-fdq");
    },
  };
}

/** Nothing of whoever runs this gets into it: no hooks, no signing, no name. */
const asNobody = [
  "user.name=Nobody",
  "user.email=nobody@invalid",
  "commit.gpgSign=false",
  "core.hooksPath=/dev/null",
  "core.autocrlf=false",
  "gc.auto=0",
].flatMap((setting) => ["-c", setting]);

const listFiles = (root: string, paths: readonly string[]): string[] =>
  execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard", "--deduplicate", "--", ...paths], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  })
    .split("\0")
    .filter((path) => path !== "");

function copyFiles(root: string, folder: string, paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    // Somebody may have taken it away and not told git yet.
    cpSync(join(root, path), join(folder, path), { recursive: true, verbatimSymlinks: true });
  }
}

/** Packages are shared; what is ours in node_modules is the tree's own. */
function linkPackages(root: string, folder: string): void {
  const own = new Map([
    ["curtainwall", ".."],
    ["curtainwall-example-bakery", "../examples/bakery"],
  ]);
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(root, "node_modules")))
    symlinkSync(own.get(name) ?? join(root, "node_modules", name), join(folder, "node_modules", name));
}
