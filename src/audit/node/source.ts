import { execFile } from "node:child_process";
import type { ExecFileException } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { SourceProbe } from "../probes/probe.ts";

const timeoutMs = 30_000;
const maxBuffer = 32 * 1_048_576;

/** A {@link SourceProbe} of a folder on this machine. */
export function createSourceProbe(root: string): SourceProbe {
  return {
    run: (program, args) =>
      new Promise((resolve) => {
        execFile(
          program,
          args,
          { cwd: root, timeout: timeoutMs, maxBuffer, env: quietEnvironment() },
          (error, stdout, stderr) => {
            if ((error as NodeJS.ErrnoException | null)?.code === "ENOENT") resolve(undefined);
            else resolve({ exitCode: exitCodeOf(error), stdout, stderr });
          },
        );
      }),
    read: (file) => readFile(join(root, file), "utf8").catch(() => undefined),
    files: async (folder) => {
      const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(
        () => [],
      );
      return entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => relative(root, join(parentPath, name)).split(sep).join("/"))
        .sort();
    },
  };
}

function exitCodeOf(error: ExecFileException | null): number {
  if (error === null) return 0;
  return typeof error.code === "number" ? error.code : 1;
}

/** Programs are run for what they read: without hooks' or a pager's say, and without asking. */
function quietEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    GIT_OPTIONAL_LOCKS: "0",
    GIT_PAGER: "cat",
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
    // A repository's own settings may name a program that every git command would start.
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.fsmonitor",
    GIT_CONFIG_VALUE_0: "false",
  };
}
