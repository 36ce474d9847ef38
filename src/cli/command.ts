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
  /** What its actions say of themselves: `log verify --help`. */
  readonly actions?: Readonly<Record<string, Pick<Command, "usage" | "summary" | "options" | "notes">>>;
  /** Errors repeat no argument: one may be a secret that was put in the wrong place. Default false. */
  readonly hidesArguments?: boolean;
  /** Runs it; returns the exit code. */
  run(input: CommandInput): Promise<number>;
}

/** An option of a command. */
export interface CommandOption {
  readonly type: "boolean" | "string";
  /** Of a `string`: may be given often, and each value is followed by why: `--allow-script https://… "why"`. Default false. */
  readonly reasoned?: boolean;
  readonly says: string;
}

/** What was written after a command's name. */
export interface CommandInput {
  readonly positionals: readonly string[];
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  /** Values of the options that take a reason, in order. */
  readonly reasoned: ReadonlyMap<string, readonly ReasonedValue[]>;
}

/** A value, and why it was given. */
export interface ReasonedValue {
  readonly value: string;
  readonly reason: string;
}

/**
 * Reads a command's arguments.
 *
 * @throws {CurtainwallError} `CLI_USAGE_INVALID` for an unknown option, a missing value or too many arguments
 */
export function readInput(command: Command, args: readonly string[], maxPositionals: number): CommandInput {
  try {
    const { values, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      tokens: true,
      options: Object.fromEntries(
        Object.entries(command.options).map(([name, { type }]) => [name, { type }]),
      ),
    });
    const { reasoned, positionals } = takeReasons(command, tokens);
    if (positionals.length > maxPositionals)
      throw new Error(`"${positionals[maxPositionals]}" is one argument too many`);
    const entries = (Object.entries(values) as [string, string | boolean][]).filter(
      ([name]) => !reasoned.has(name),
    );
    return {
      positionals,
      flags: new Set(entries.filter(([, value]) => value === true).map(([name]) => name)),
      values: new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string")),
      reasoned,
    };
  } catch (error) {
    if (command.hidesArguments === true)
      throw usageError("An option is not one of these, or lacks its value", command);
    throw usageError((error as Error).message.split(". ")[0] ?? "", command);
  }
}

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];

/** Tells the reasons, which stand after the values of their options, from the command's own arguments. */
function takeReasons(
  { options }: Command,
  tokens: readonly Token[],
): Pick<CommandInput, "positionals" | "reasoned"> {
  const reasoned = new Map<string, ReasonedValue[]>();
  const positionals: string[] = [];
  let open: { readonly name: string; readonly value: string } | undefined;
  for (const token of tokens) {
    if (open !== undefined) {
      if (token.kind !== "positional") break;
      reasoned.set(open.name, [
        ...(reasoned.get(open.name) ?? []),
        { value: open.value, reason: token.value },
      ]);
      open = undefined;
    } else if (token.kind === "positional") positionals.push(token.value);
    else if (token.kind === "option" && options[token.name]?.reasoned === true)
      open = { name: token.name, value: token.value ?? "" };
  }
  if (open !== undefined) throw new Error(`--${open.name} ${open.value} takes a reason after it, in quotes`);
  return { reasoned, positionals };
}

/** An error about how a command was called. */
export function usageError(what: string, command: Pick<Command, "name" | "usage">): CurtainwallError {
  return new CurtainwallError("CLI_USAGE_INVALID", `${what.replace(/\.$/, "")}.`, {
    hint: `Usage: curtainwall ${command.name} ${command.usage}`,
  });
}
