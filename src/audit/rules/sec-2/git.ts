import type { Check } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { printable } from "../../evidence.ts";
import type { Ran } from "../../probes/probe.ts";
import { commandEvidence, envFiles, isEnvFile } from "./env-files.ts";

async function git(context: AuditContext, args: readonly string[]): Promise<Ran | string> {
  const inside = await context.source.run("git", ["rev-parse", "--is-inside-work-tree"]);
  if (inside === undefined) return "git is not installed";
  if (inside.exitCode !== 0)
    return `git does not read the project: ${printable(inside.stderr.trim().split("\n")[0] ?? "", 200)}`;
  return (await context.source.run("git", args)) ?? "git is not installed";
}

export const ignored: Check = {
  name: "git ignores every variant",
  kind: "source",
  run: async (context, tally) => {
    for (const variant of envFiles) {
      const args = ["check-ignore", "--no-index", "-v", variant];
      const ran = await git(context, args);
      if (typeof ran === "string") return tally.miss(ran);
      // check-ignore also prints the pattern that re-includes a file, with exit code 0.
      const pattern = ran.stdout.split("\t")[0]?.split(":").slice(2).join(":") ?? "";
      tally.expect(
        ran.exitCode === 0 && !pattern.startsWith("!"),
        commandEvidence(`${variant} is ignored`, "git", args, ran),
      );
    }
  },
};

export const untracked: Check = {
  name: "none is tracked",
  kind: "source",
  run: async (context, tally) => {
    const args = ["ls-files", "--full-name", ":/"];
    const ran = await git(context, args);
    if (typeof ran === "string") return tally.miss(ran);
    if (ran.exitCode !== 0) return tally.miss("git ls-files failed");
    const found = ran.stdout.split("\n").filter(isEnvFile);
    tally.expect(
      found.length === 0,
      commandEvidence(
        found.length === 0 ? "no .env file is tracked" : `tracked: ${found.join(", ")}`,
        "git",
        args,
        {
          ...ran,
          stdout: found.join("\n"),
        },
      ),
    );
  },
};

export const neverCommitted: Check = {
  name: "none is in git's history",
  kind: "source",
  run: async (context, tally) => {
    const shallow = await git(context, ["rev-parse", "--is-shallow-repository"]);
    if (typeof shallow === "string") return tally.miss(shallow);
    if (shallow.stdout.trim() === "true")
      return tally.miss("the history is cut short (a shallow clone): git fetch --unshallow");
    const args = ["log", "--all", "--format=", "--name-only", "--diff-filter=A", "--", ":(top,glob)**/.env*"];
    const ran = await git(context, args);
    if (typeof ran === "string") return tally.miss(ran);
    if (ran.exitCode !== 0) return tally.miss("git log failed: is there a commit?");
    const found = [...new Set(ran.stdout.split("\n").filter(isEnvFile))];
    tally.expect(
      found.length === 0,
      commandEvidence(
        found.length === 0 ? "no .env file was ever added" : `once added: ${found.join(", ")}`,
        "git",
        args,
        { ...ran, stdout: found.join("\n") },
      ),
    );
  },
};
