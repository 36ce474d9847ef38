import { parseArgs } from "node:util";
import { CurtainwallError, nearest } from "../shared/index.ts";

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
  /** It runs code of the site's that may leave something open: the process ends soon after it, whatever there is. Default false. */
  readonly isOverWhenRun?: boolean;
  /** Runs it; returns the exit code. */
  run(input: CommandInput): Promise<number>;
}

/** An option of a command. */
export interface CommandOption {
  readonly type: "boolean" | "string";
  /** Of a `string`: may be given often, and each value is followed by why: `--allow-script https://… "why"`. Default false. */
  readonly reasoned?: boolean;
  /** Of a `string`: several values, with commas between or each after the option's name again. Default false: one that is given twice is refused. */
  readonly isList?: boolean;
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
 * @throws {CurtainwallError} `CLI_USAGE_INVALID` for an unknown option, one that is given twice, a missing value or too many arguments
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
    return {
      positionals,
      flags: new Set(Object.keys(values).filter((name) => values[name] === true)),
      values: singleValues(command, tokens),
      reasoned,
    };
  } catch (error) {
    const { message } = error as Error;
    const [, wrong] = /^Unknown option '--([^']*)'/.exec(message) ?? [];
    const meant = wrong === undefined ? undefined : nearest(wrong, [...Object.keys(command.options), "help"]);
    throw usageError(
      command.hidesArguments === true
        ? "An option is not one of these, lacks its value, or is given twice"
        : (message.split(". ")[0] ?? ""),
      command,
      meant === undefined ? undefined : `--${meant}`,
    );
  }
}

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];

/** The values of options that take no reason. Of two, neither would be forgotten knowingly. */
function singleValues({ options }: Command, tokens: readonly Token[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== "option" || token.value === undefined) continue;
    const { name, value } = token;
    if (options[name]?.reasoned === true) continue;
    const before = values.get(name);
    if (before !== undefined && options[name]?.isList !== true) throw new Error(`--${name} is given twice`);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return values;
}

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

/** An error about how a command was called; it says what was probably meant, where that is known, or else how it is called. */
export function usageError(
  what: string,
  { name, usage }: Pick<Command, "name" | "usage">,
  meant?: string,
): CurtainwallError {
  return new CurtainwallError("CLI_USAGE_INVALID", `${what.replace(/\.$/, "")}.`, {
    hint:
      meant === undefined
        ? `Usage: curtainwall ${name} ${usage}`
        : `Did you mean  ${meant}?  More:  curtainwall ${name} --help`,
  });
}

/** An error about an action that a command lacks, or that is none of those it has. */
export function actionError(
  action: string | undefined,
  known: Iterable<string>,
  command: Pick<Command, "name" | "usage" | "hidesArguments">,
): CurtainwallError {
  if (action === undefined) return usageError("Say what to do", command);
  const meant = nearest(action, [...known]);
  return usageError(
    command.hidesArguments === true ? "There is no such action" : `There is no "${command.name} ${action}"`,
    command,
    meant === undefined ? undefined : `curtainwall ${command.name} ${meant}`,
  );
}
