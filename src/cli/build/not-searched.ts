import type { LeakGate } from "../../harden/index.ts";
import { say, styled } from "../voice.ts";

/** The option of commands that look for leaks. */
export const verboseOption = {
  type: "boolean",
  says: "also name the folders of this machine that are too short to be looked for",
} as const;

/**
 * Says what was not looked for in the output. Values always, since somebody declared them; folders of the machine, like `/root`, only to who
 * asks: nobody can do anything about them.
 */
export function tellNotSearched(
  notSearched: LeakGate["notSearched"],
  where: string,
  isVerbose: boolean,
): void {
  for (const { kind, name, reason } of notSearched)
    if (kind === "value" || isVerbose)
      say(`${styled("yellow", "not looked for")} ${name}${where}, since ${reason}`);
}
