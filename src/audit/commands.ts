/** The commands that a report tells people to paste, whole: from the folder where the audit was started. */
export interface Commands {
  /** The same audit again, with other options. */
  audit(options: string): string;
  /** Attacks of this kind, on this target. */
  attack(options: string): string;
  /** Another command about the same project. */
  curtainwall(command: "build" | "log query" | "start"): string;
  /** Starts the target, as the plan says. */
  start: string;
  /** A program that runs in the project's folder. */
  inFolder(command: string): string;
}

/** Options of {@link createCommands}. */
export interface CommandsOptions {
  /** The project's folder, as a shell finds it from here; `"."` for here. */
  folder: string;
  /** The target, where it is another than the contract's own. */
  address: string | undefined;
  /** Assignments that the contract needs, like `PORT=8443`. */
  environment: readonly string[];
  /** What starts the target, if it is more than `curtainwall start`. */
  start: string | undefined;
}

/** Makes {@link Commands}. */
export function createCommands({ folder, address, environment, start }: CommandsOptions): Commands {
  const where = folder === "." ? [] : [shellWord(folder)];
  const line = (...words: readonly string[]): string =>
    [...environment, "npx curtainwall", ...words].join(" ");
  const atTarget = (command: string, options: string): string =>
    line(command, ...where, ...(address === undefined ? [] : [shellWord(address)]), options);
  const curtainwall: Commands["curtainwall"] = (command) => line(command, ...where);
  return {
    audit: (options) => atTarget("audit", options),
    attack: (options) => atTarget("attack", options),
    curtainwall,
    start: start === undefined ? curtainwall("start") : [...environment, start].join(" "),
    inFolder: (command) => (folder === "." ? command : `(cd ${shellWord(folder)} && ${command})`),
  };
}

/** A text as one word of a shell, quoted where it must be. */
export function shellWord(text: string): string {
  return /^[\w./:=@%+-]+$/.test(text) ? text : shellQuote(text);
}

/** A text in a shell's quotes. */
export const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
