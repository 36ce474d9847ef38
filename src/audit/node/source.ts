import { execFile } from "node:child_process";
import type { ExecFileException } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SourceProbe } from "../probe.ts";

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
