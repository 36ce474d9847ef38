import { usageError } from "./command.ts";
import type { Command } from "./command.ts";

const maxBudgetMs = 24 * 3_600_000;

/** Reads `--budget`: a time of at least a second and at most a day, in milliseconds. */
export function readBudget(text: string | undefined, command: Command): number | undefined {
  if (text === undefined) return undefined;
  const [, number = "", unit = "s"] = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?$/.exec(text.trim()) ?? [];
  const budget = Number(number) * ({ ms: 1, s: 1000, m: 60_000 }[unit] ?? 0);
  if (number === "" || !(budget >= 1000) || budget > maxBudgetMs)
    throw usageError("--budget takes a time from 1s to 24 hours: 30s, 5m", command);
  return budget;
}
