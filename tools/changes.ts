// Fails when the package changed since its last release and no file in .changeset/ tells its users, or one can't be read.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** What a user of the package would notice. */
const published = ["src", "package.json", ":!src/**/*.test.ts", ":!src/**/fixtures/**", ":!src/*/README.md"];

function git(...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

/** What `changeset version` can read: which package, how much, and a text. */
const grammar = /^---\n"curtainwall": (patch|minor|major)\n---\n\n\S/;

const release = git("describe", "--tags", "--abbrev=0", "--match", "v*");
const changed = release === undefined || git("diff", "--name-only", release, "--", ...published) !== "";
const notes = readdirSync(`${root}.changeset`).filter((name) => name.endsWith(".md") && name !== "README.md");
const broken = notes.filter((name) => !grammar.test(readFileSync(`${root}.changeset/${name}`, "utf8")));

if (changed && notes.length === 0)
  console.error(
    `The package changed since ${release ?? "the beginning"}, and .changeset/ says nothing of it.`,
  );
for (const name of broken)
  console.error(`.changeset/${name} does not begin like the example in .changeset/README.md.`);
process.exitCode = (changed && notes.length === 0) || broken.length > 0 ? 1 : 0;
