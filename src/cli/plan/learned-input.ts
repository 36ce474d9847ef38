import { existsSync, readFileSync } from "node:fs";
import { parseLearned } from "../../stack/index.ts";
import type { LearnedSite } from "../../stack/index.ts";
import { usageError } from "../command.ts";
import type { Command } from "../command.ts";

/**
 * Reads the file that `--learned` names.
 *
 * @throws {CurtainwallError} `CLI_USAGE_INVALID`, `HARDEN_LEARNED_INVALID`
 */
export function readLearned(file: string | undefined, command: Command): LearnedSite | undefined {
  if (file === undefined) return undefined;
  if (!existsSync(file)) throw usageError(`There is no file ${file}`, command);
  return parseLearned(readFileSync(file, "utf8"));
}
