import { usageError } from "./command.ts";
import type { Command } from "./command.ts";

/** `--time-limit`: how long a site's own build may take. */
export const timeLimitOption = { type: "string", says: "seconds that it may take; by default 600" } as const;

const longestSeconds = 86_400;

/** Reads `--time-limit`, in milliseconds. */
export function timeLimitMs(text: string | undefined, command: Command): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= longestSeconds) return seconds * 1000;
  throw usageError(`--time-limit takes seconds, not ${JSON.stringify(text)}`, command);
}
