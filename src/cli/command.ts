import { parseArgs } from "node:util";
import { CurtainwallError } from "../shared/index.ts";

/** One command of `curtainwall`. */
export interface Command {
  readonly name: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly summary: string;
  /** Options beside `--help`, each with one line. */
  readonly options: Readonly<Record<string, CommandOption>>;
  /** More to say in `--help`: lines, as they are printed. */
  readonly notes?: readonly string[];
  /** Runs it; returns the exit code. */
  run(input: CommandInput): Promise<number>;
}

/** An option of a command. */
export interface CommandOption {
  readonly type: "boolean" | "string";
  readonly says: string;
}

/** What was written after a command's name. */
export interface CommandInput {
  readonly positionals: readonly string[];
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Reads a command's arguments.
 *
 * @throws {CurtainwallError} `CLI_USAGE_INVALID` for an unknown option, a missing value or too many arguments
 */
export function readInput(command: Command, args: readonly string[], maxPositionals: number): CommandInput {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: Object.fromEntries(
        Object.entries(command.options).map(([name, { type }]) => [name, { type }]),
      ),
    });
    if (positionals.length > maxPositionals)
      throw new Error(`"${positionals[maxPositionals]}" is one argument too many`);
    const entries = Object.entries(values) as [string, string | boolean][];
    return {
      positionals,
      flags: new Set(entries.filter(([, value]) => value === true).map(([name]) => name)),
      values: new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string")),
    };
  } catch (error) {
    throw usageError((error as Error).message.split(". ")[0] ?? "", command);
  }
}

/** An error about how a command was called. */
export function usageError(what: string, command: Pick<Command, "name" | "usage">): CurtainwallError {
  return new CurtainwallError("CLI_USAGE_INVALID", `${what.replace(/\.$/, "")}.`, {
    hint: `Usage: curtainwall ${command.name} ${command.usage}`,
  });
}
