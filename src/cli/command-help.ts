import type { Command, CommandOption } from "./command.ts";

/** Where an option's explanation begins, if its name leaves room. */
const column = 26;

/** The command whose help was asked for: itself, or the action that is named after it. */
export function helpedCommand(command: Command, args: readonly string[]): Command {
  const name = args.find((argument) => !argument.startsWith("-")) ?? "";
  const { actions = {}, ...whole } = command;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  return action === undefined ? command : { ...whole, notes: [], ...action, name: `${command.name} ${name}` };
}

/** What `--help` after a command prints, in lines no longer than the terminal, names and addresses aside. */
export function commandHelp({ name, usage, summary, options, notes = [] }: Command, width = 80): string {
  const lines = Object.entries(options).flatMap(([option, settings]) =>
    describeOption(`  --${option}${valueOf(settings)}`, settings.says, width),
  );
  return [
    ...usageLines(`Usage: curtainwall ${name}`, usage, width),
    "",
    ...wrap(summary, width),
    ...(lines.length > 0 ? ["", ...lines] : []),
    ...(notes.length > 0 ? ["", ...paragraphs(notes, width)] : []),
  ].join("\n");
}

/** An option and its value are not torn apart; what finds no room stands below the first line. */
function usageLines(heading: string, usage: string, width: number): string[] {
  const parts = usage.match(/\[[^[\]]{1,50}\]|\[?--[\w-]+(?: <[^>]+>)?\S*|\S*<[^>]+>\S*|\S+/g) ?? [];
  const lines = [heading];
  for (const part of parts) {
    const last = lines.at(-1) ?? "";
    if (last.length + 1 + part.length <= width) lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(`    ${part}`);
  }
  return lines;
}

function valueOf({ type, reasoned }: CommandOption): string {
  if (type === "boolean") return "";
  return reasoned === true ? ' <address> "why"' : " <value>";
}

function describeOption(heading: string, says: string, width: number): string[] {
  const indent = " ".repeat(column);
  const text = wrap(says, width - column).map((line) => indent + line);
  if (heading.length > column - 2) return [heading, ...text];
  return [heading.padEnd(column) + (text[0] ?? "").slice(column), ...text.slice(1)];
}

/** Notes are written in lines; those that go on from the line before are put together again. A table, or a line of its own, stays. */
function paragraphs(notes: readonly string[], width: number): string[] {
  const whole: string[] = [];
  for (const line of notes) {
    const last = whole.at(-1);
    const goesOn =
      last !== undefined &&
      last !== "" &&
      line !== "" &&
      !/[.:;)}]$/.test(last) &&
      !isRow(last) &&
      !isRow(line);
    if (goesOn) whole[whole.length - 1] = `${last} ${line}`;
    else whole.push(line);
  }
  return whole.flatMap((line) => (isRow(line) ? [line] : wrap(line, width)));
}

/** Of a table: a word, and what it means. A colon before the gap announces a command. */
const isRow = (line: string): boolean => /^\S*[^\s:] {2,}|^ /.test(line);

/** Breaks between words. Two spaces set a command apart, and stay together with it where they can. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/ (?! )/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line.trimEnd());
      line = word.trimStart();
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
