import { usageError } from "./command.ts";
import type { Command } from "./command.ts";

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
const maxMs = 24 * 3_600_000;

/** How long an option of this name takes: `60s`, `5m`, `2h`; a number alone is seconds. At least a second and at most a day. */
export function readDuration(option: string, text: string | undefined, command: Command): number | undefined {
  if (text === undefined) return undefined;
  const [, number = "", unit = "s"] = /^(\d{1,6}(?:\.\d{1,3})?)([smh])?$/.exec(text.trim()) ?? [];
  const milliseconds = number === "" ? 0 : Number(number) * (unitsMs[unit] ?? 0);
  if (milliseconds >= 1000 && milliseconds <= maxMs) return milliseconds;
  throw usageError(
    `--${option} takes a time from 1s to 24h, like 60s or 5m (a number alone is seconds), not ${JSON.stringify(text)}`,
    command,
  );
}
